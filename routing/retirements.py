"""Which backends lose their model soon: what providers announced, and who it meets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from routing.models import Backend, Retirement
from routing.providers import PROVIDERS

NOTICE = timedelta(days=90)  # time enough to try out another model


@dataclass(frozen=True, slots=True)
class Ending:
    """A backend whose model its provider turns off, or has turned off."""

    backend: Backend
    told: Retirement

    @property
    def day(self) -> date:
        return self.told.day

    @property
    def confirmed(self) -> bool:
        """Did somebody here read the day at its source?"""
        return self.told.confirmed_on is not None

    def sentence(self, today: date) -> str:
        name, model = self.backend.name, self.backend.model
        if self.day <= today:
            said = f"{name}: its provider turned {model} off on {self.day}."
        else:
            days = (self.day - today).days
            when = "tomorrow" if days == 1 else f"in {days} days"
            said = f"{name}: its provider turns {model} off {when}, on {self.day}."
        if self.confirmed:
            return said
        return f"{said} The day came with the gateway and is not confirmed."


def endings(backends: Iterable[Backend], today: date) -> Iterator[Ending]:
    """Those of `backends` whose model ends within `NOTICE`, or has ended."""
    soon = list(Retirement.objects.filter(day__lte=today + NOTICE))
    for backend in backends:
        met = [row for row in soon if meets(row, backend)]
        if met:
            yield Ending(backend, met[0])  # by day


def meets(row: Retirement, backend: Backend) -> bool:
    """At another address somebody else decides what is served."""
    globs = (glob.strip() for glob in row.names.split(","))
    return (
        row.provider == backend.provider
        and at_its_provider(backend)
        and any(fnmatchcase(backend.model, glob) for glob in globs)
    )


def at_its_provider(backend: Backend) -> bool:
    preset = PROVIDERS.get(backend.provider)
    if preset is None or not backend.base_url:
        return True
    given, own = urlsplit(backend.base_url), urlsplit(preset.base_url)
    return not own.hostname or given.hostname == own.hostname
