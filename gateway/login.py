"""The form that lets people into the admin, and how many wrong passwords it hears.

Failures are counted per address, and per address and name, in this process. A name by
itself is never locked: who guesses it elsewhere keeps nobody out.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import ip_address
from math import ceil

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from routing.counting import counted

WINDOW_SECONDS = 15 * 60
PER_NAME, PER_ADDRESS = 5, 30
REMEMBERED = 10_000  # the oldest are forgotten, so that nobody fills the memory

LOGGED_IN = "Logged in"  # how such entries of the log begin

Place = tuple[str, ...]


class Failures:
    """When each place failed lately. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[Place, deque[float]] = OrderedDict()

    def seconds_to_wait(self, address: str, name: str) -> int:
        """0 when another try is welcome."""
        now = self._clock()
        waits = [
            times[-most] + WINDOW_SECONDS - now
            for place, most in places(address, name)
            if len(times := self._times.get(place, deque())) >= most
        ]
        return max(0, ceil(max(waits, default=0)))

    def add(self, address: str, name: str) -> None:
        for place, most in places(address, name):
            times = self._times.setdefault(place, deque(maxlen=most))
            times.append(self._clock())
            self._times.move_to_end(place)
        while len(self._times) > REMEMBERED:
            self._times.popitem(last=False)

    def __len__(self) -> int:
        return len(self._times)

    def forget(self, address: str, name: str) -> None:
        """After a success, of this name only: the address may go on guessing others."""
        self._times.pop((address, name), None)


def places(address: str, name: str) -> tuple[tuple[Place, int], ...]:
    return ((address, name), PER_NAME), ((address,), PER_ADDRESS)


# Not the runtime's: the form also guards an admin that Django serves by itself.
failures = Failures()


class LoginForm(AuthenticationForm):
    """UNFOLD["LOGIN"]["form"]."""

    def clean(self) -> dict[str, object]:
        address = address_of(self.request)
        name = str(self.cleaned_data.get("username", "")).casefold()
        if wait := failures.seconds_to_wait(address, name):
            # Before the password is looked at: no answer tells whether it was right.
            raise ValidationError(
                "Too many wrong passwords. "
                f"Try again in {counted(-(-wait // 60), 'minute')}."
            )
        try:
            cleaned: dict[str, object] = super().clean()
        except ValidationError:
            failures.add(address, name)
            raise
        failures.forget(address, name)
        note(self.get_user(), address)
        return cleaned


def note(user: User, address: str) -> None:
    LogEntry.objects.log_actions(
        user.pk, [user], CHANGE, f"{LOGGED_IN} from {address}.", single_object=True
    )


def address_of(request: HttpRequest | None) -> str:
    """Who asks. Behind a proxy, which HTTPS means, the last it has heard from: what
    stands further left in the header is anybody's word."""
    meta = request.META if request else {}
    direct = str(meta.get("REMOTE_ADDR", ""))
    if not settings.HTTPS:
        return direct
    told = str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    try:
        return str(ip_address(told))
    except ValueError:
        return direct
