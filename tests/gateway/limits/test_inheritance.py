"""What a killed process had set aside is settled by the next one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from gateway.ledger.replay import replay
from gateway.limits.counters import Count, Counters, Mark
from gateway.limits.estates import Estates
from gateway.limits.hold import Hold
from gateway.limits.in_database import DatabaseCounters
from gateway.limits.in_redis import RedisCounters
from gateway.limits.inheritance import HeirOfHolds
from gateway.runtime.database import in_database
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from routing.chat import Json
from tests.gateway.ledger.leftovers import leave
from tests.gateway.ledger.samples import attempt, intent
from tests.gateway.limits.samples import NOON, mark, no_books, settled
from tests.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """What an heir is told, in order."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def settle(self, journal: str, attempts: list[Json]) -> None:
        for each in attempts:
            self.heard.append((journal, each["attempt_id"], each["state"]))

    def give_back(self, journal: str) -> None:
        self.heard.append(journal)


def test_the_heir_is_told_of_every_attempt_and_then_whose_the_rest_was(tmp_path: Path):
    left = leave(tmp_path, intent("a"), attempt("a"), intent("b"))
    heir = Told()

    replay(tmp_path, heir)

    ends = [(left.name, "a-1", "billed"), (left.name, "b-1", "unknown")]
    assert heir.heard == [*ends, left.name]


@dataclass
class Heirs:
    """Processes that count in one place, and who inherits from those that are gone."""

    folder: Path
    redis: RedisServer | None = None
    links: list[Link] = field(default_factory=list)
    made: list[Counters] = field(default_factory=list)

    def process(self, owner: str) -> Counters:
        if not self.redis:
            self.made.append(DatabaseCounters(lambda: NOON, owner=owner))
        else:
            self.links.append(Link(self.redis.url, 5.0))
            redis = self.links[-1], Seal("secret"), no_books, lambda: NOON
            self.made.append(RedisCounters(*redis, owner=owner))
        return self.made[-1]

    async def inherit(self, owner: str, *attempts: Json) -> None:
        """As a process that starts does."""
        url = self.redis.url if self.redis else None
        heir = HeirOfHolds(url, "secret", Estates(self.folder))
        await in_database(partial(heir.settle, owner, attempts))
        await in_database(partial(heir.give_back, owner))


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.service)])
async def heirs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Heirs]:
    redis = request.getfixturevalue("redis") if request.param == "redis" else None
    heirs = Heirs(tmp_path, redis)
    yield heirs
    for each in (*heirs.made, *heirs.links):
        await each.close()


def ended(counters: Counters, hold: list[Mark], cost_nano: int) -> Json:
    """The last line of a call's attempt."""
    return {
        **attempt("a", cost_nano=cost_nano),
        "aside": Hold(counters, hold, 0).written,
    }


async def test_what_never_left_is_given_back_and_what_did_is_settled(heirs: Heirs):
    dead, alive = heirs.process("1-dead"), heirs.process("2-alive")
    asked = [mark(30, hold="asked"), mark(30, 200, "team:1", "asked")]
    await dead.reserve(asked)
    about_to_ask = [mark(20, hold="b"), mark(20, 200, "team:1", "b")]
    await dead.reserve(about_to_ask)
    await alive.reserve([mark(10, hold="of another")])

    for _ in range(2):
        await heirs.inherit("1-dead", ended(dead, asked, 12))

    both = [mark(0), mark(0, subject="team:1")]
    assert await alive.reserve(both) == [Count(12, 10), Count(12, 0)]


async def test_what_it_gave_back_itself_before_the_end_is_given_back_once(heirs: Heirs):
    dead, alive = heirs.process("1-dead"), heirs.process("2-alive")
    await dead.reserve([mark(30, hold="a")])
    await alive.reserve([mark(40, hold="of another")])
    dead.settle([mark(30, hold="a")], [7])
    await settled(dead)

    await heirs.inherit("1-dead")

    assert await alive.reserve([mark(0)]) == [Count(7, 40)]
