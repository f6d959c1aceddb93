"""What is counted against limits: the operations it takes, whoever does them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.limits.rules import Rule
from gateway.limits.windows import Window

NO_LIMIT = 1 << 60


class CountersDown(Exception):
    """These counters can't be used now; others must count."""


class Count(NamedTuple):
    """What was spent in a window, and what is set aside for calls under way."""

    spent: int
    reserved: int

    @property
    def used(self) -> int:
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True)
class Mark:
    """A rule in its present window, and how much of it a request wants."""

    rule: Rule
    window: Window
    amount: int = 0
    limit: int = NO_LIMIT  # the rule's, or none when it is only looked at
    hold: str = ""  # what is set aside and settled under one id counts once

    @property
    def name(self) -> str:
        """Names one counter; the next window has another."""
        rule = self.rule
        start = int(self.window.start)
        return f"{rule.subject}:{rule.kind}:{rule.period}:{start}"


class Aside(Protocol):
    """An amount that a hold set aside in one counter."""

    @property
    def name(self) -> str: ...

    @property
    def amount(self) -> int: ...

    @property
    def hold(self) -> str: ...


class Inherited(NamedTuple):
    """What a process that is gone had set aside in one counter."""

    name: str
    amount: int
    hold: str


# All asides of one hold, or those of a mark without one, and what each came to.
Settlement = tuple[Sequence[Aside], Sequence[int]]


class Full(Exception):
    """There is no room for a mark's amount; nothing was set aside for any."""

    def __init__(self, mark: Mark, count: Count) -> None:
        super().__init__(mark.name)
        self.mark = mark
        self.count = count


class Counters(Protocol):
    """All marks of a call or none: nobody sees a part of it."""

    @property
    def usable(self) -> bool:
        """Are they asked at all at the moment?"""

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        """Set every mark's amount aside; the counts after it. Raises Full and
        CountersDown. A caller who is cancelled meanwhile leaves nothing set aside."""

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        """Soon: give back what was set aside and count what it came to."""

    async def caught_up(self) -> None:
        """What was to be settled by now is, unless these can't be used."""

    async def close(self) -> None:
        """Bring what is still to be settled to its end."""
