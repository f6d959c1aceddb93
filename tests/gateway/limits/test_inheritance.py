"""What a killed process had set aside is settled by the next one."""

from functools import partial
from pathlib import Path

import pytest

from gateway.ledger.replay import replay
from gateway.limits.counters import Count
from gateway.limits.hold import Hold
from gateway.limits.in_database import DatabaseCounters
from gateway.limits.inheritance import HeirOfHolds
from gateway.runtime.database import in_database
from routing.chat import Json
from tests.gateway.ledger.leftovers import leave
from tests.gateway.ledger.samples import attempt, intent
from tests.gateway.limits.samples import NOON, mark

pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """What an heir is told, in order."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def settle(self, attempts: list[Json]) -> None:
        self.heard += [(each["attempt_id"], each["state"]) for each in attempts]

    def give_back(self, journal: str) -> None:
        self.heard.append(journal)


def test_the_heir_is_told_of_every_attempt_and_then_whose_the_rest_was(tmp_path: Path):
    left = leave(tmp_path, intent("a"), attempt("a"), intent("b"))
    heir = Told()

    replay(tmp_path, heir)

    assert heir.heard == [("a-1", "billed"), ("b-1", "unknown"), left.name]


async def test_what_never_left_is_given_back_and_what_did_is_settled(tmp_path: Path):
    dead = DatabaseCounters(lambda: NOON, owner="1-dead")
    alive = DatabaseCounters(lambda: NOON, owner="2-alive")
    asked = [mark(30, hold="asked"), mark(30, 200, "team:1", "asked")]
    await dead.reserve(asked)
    await dead.reserve([mark(20, hold="about to ask")])
    await alive.reserve([mark(10, hold="of another")])
    written = Hold(dead, asked, 30).written
    ended = {**attempt("a", cost_nano=12), "aside": written}

    heir = HeirOfHolds(None, "secret")
    for _ in range(2):
        await in_database(partial(heir.settle, [ended]))
        await in_database(partial(heir.give_back, "1-dead"))

    both = [mark(0), mark(0, subject="team:1")]
    assert await alive.reserve(both) == [Count(12, 10), Count(12, 0)]
    await dead.close()
    await alive.close()
