"""S28, S34, S35: guessing passwords is slow, and locks nobody else out."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from gateway.login import (
    PER_ADDRESS,
    PER_NAME,
    REMEMBERED,
    WINDOW_SECONDS,
    Failures,
    address_of,
)

PASSWORD = "a long enough secret"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ann(db) -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def enter(password: str, name: str = "ann", *, address: str):
    """Each test has addresses of its own, since failures are remembered."""
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/?next=/admin/", form)


def test_s28_after_some_wrong_passwords_even_the_right_one_waits(ann):
    for _ in range(PER_NAME):
        assert "Too many" not in enter("no", address="192.0.2.1").content.decode()

    answer = enter(PASSWORD, address="192.0.2.1").content.decode()

    assert "Try again in 15 minutes." in answer


def test_s28_the_person_gets_in_from_another_address(ann):
    for _ in range(PER_NAME + 1):
        enter("no", address="192.0.2.2")

    assert enter(PASSWORD, address="192.0.2.3").status_code == 302


def test_s28_another_spelling_of_the_name_is_the_same_name(ann):
    for number in range(PER_NAME):
        enter("no", "ANN" if number % 2 else "ann", address="192.0.2.4")

    assert "Too many" in enter("no", "Ann", address="192.0.2.4").content.decode()


def test_s28_many_names_from_one_address_are_guessing_too(ann):
    for number in range(PER_ADDRESS):
        enter("no", f"nobody-{number}", address="192.0.2.5")

    assert "Too many" in enter(PASSWORD, address="192.0.2.5").content.decode()
    assert enter(PASSWORD, address="192.0.2.6").status_code == 302


def test_s28_a_success_forgives_its_own_mistakes_only(ann):
    for name in ("ann", "bob") * (PER_NAME - 1):
        enter("no", name, address="192.0.2.7")
    assert enter(PASSWORD, address="192.0.2.7").status_code == 302

    assert "Too many" not in enter("no", address="192.0.2.7").content.decode()
    enter("no", "bob", address="192.0.2.7")
    assert "Too many" in enter("no", "bob", address="192.0.2.7").content.decode()


def test_s28_a_quarter_of_an_hour_later_another_try_is_welcome():
    clock = Clock()
    failures = Failures(clock)
    for _ in range(PER_NAME):
        failures.add("here", "ann")
        clock.now += 1

    assert failures.seconds_to_wait("here", "ann") == WINDOW_SECONDS - PER_NAME
    assert failures.seconds_to_wait("here", "bob") == 0
    clock.now += WINDOW_SECONDS - PER_NAME
    assert failures.seconds_to_wait("here", "ann") == 0


def test_s28_guessing_does_not_fill_the_memory():
    failures = Failures()
    for number in range(REMEMBERED + 100):
        failures.add(f"address-{number}", "ann")

    assert len(failures) == REMEMBERED


def test_s35_who_came_in_and_from_where_is_in_the_log(ann):
    enter("no", address="192.0.2.8")
    enter(PASSWORD, address="192.0.2.8")

    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (ann, "Logged in from 192.0.2.8.")


def test_a_bookmark_of_the_login_leads_to_the_dashboard(ann):
    client = Client()
    entered = client.post("/admin/login/", {"username": "ann", "password": PASSWORD})

    assert (entered.status_code, entered["location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    ("https", "forwarded", "address"),
    [
        (False, "203.0.113.7", "10.0.0.1"),
        (True, "203.0.113.7", "203.0.113.7"),
        (True, "127.0.0.1, 203.0.113.7", "203.0.113.7"),
        (True, "203.0.113.7, <script>", "10.0.0.1"),
        (True, "203.0.113.7, 2001:DB8::1", "2001:db8::1"),
        (True, "", "10.0.0.1"),
    ],
)
def test_s34_only_the_proxys_own_word_is_taken(settings, https, forwarded, address):
    settings.HTTPS = https
    request = RequestFactory().get(
        "/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded
    )

    assert address_of(request) == address
