"""Sets aside what a call may cost, settles what it did cost, and refuses in between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from gateway.errors import BudgetSpent, RateLimited, TooManyRequests
from gateway.ledger.books import Caller, RequestRecord
from gateway.limits.counters import Count, Counters, CountersDown, Full, Mark
from gateway.limits.hold import Hold
from gateway.limits.in_memory import MemoryCounters, ShareCounters
from gateway.limits.rules import Kind, Left, Rule
from gateway.limits.windows import Windows
from routing.chat import Usage

# When calls under way may give back what is missing, it pays to come again soon.
SOON_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """A caller's budget and where it stands."""

    mark: Mark
    count: Count

    @property
    def share(self) -> float:
        """The part that is spent; what is set aside may come back."""
        limit = self.mark.rule.limit
        return self.count.spent / limit if limit else 1.0

    @property
    def left(self) -> int:
        return self.mark.rule.limit - self.count.used


class Charges:
    """`remote` counters count for all workers, the best first; without any, or while
    none can be used, this process counts by itself."""

    def __init__(
        self,
        remote: Sequence[Counters],
        begins: Callable[[str], int],
        wall: Callable[[], float],
        workers: int = 1,
    ) -> None:
        self._remote = remote
        self._wall = wall
        self._windows = Windows()
        self._begins = begins
        self._last: dict[str, int] = {}  # as others counted, when we last heard
        alone = MemoryCounters(begins)
        self._share = ShareCounters(self._last_known, workers) if remote else alone

    async def admit(self, record: RequestRecord) -> None:
        """Count the request against its limits of requests. Raises RateLimited."""
        marks = self._marks(record.caller, ("requests",), {"requests": 1})
        if not marks:
            return
        try:
            _, counts = await self._reserve(marks)
        except Full as full:
            self._tell(record, full.mark, full.count)
            raise self._refusal(full) from None
        self._note(record, marks, counts)

    async def budgets(self, caller: Caller) -> list[Budget]:
        """Where the caller's budgets stand."""
        marks = [
            Mark(rule, self._windows.at(rule.period, rule.zone, self._wall()))
            for rule in caller.rules
            if rule.is_budget
        ]
        if not marks:
            return []
        _, counts = await self._reserve(marks)
        return [Budget(*pair) for pair in zip(marks, counts, strict=True)]

    async def hold(
        self, record: RequestRecord, most: Usage, most_nano: int
    ) -> Hold | None:
        """Set aside what an attempt may take. Raises RateLimited and BudgetSpent."""
        amounts: dict[Kind, int] = {
            "usd": most_nano,
            "tokens": most.prompt + most.completion,
        }
        marks = self._marks(record.caller, ("tokens", "usd"), amounts, new_hold())
        if not marks:
            return None
        try:
            counters, counts = await self._reserve(marks)
        except Full as full:
            self._tell(record, full.mark, full.count)
            raise self._refusal(full) from None
        self._note(record, marks, counts)
        return Hold(counters, marks, most_nano)

    async def set_aside(self, rule: Rule, nano: int) -> Hold | None:
        """Room in a budget that no caller has; None without."""
        window = self._windows.at(rule.period, rule.zone, self._wall())
        marks = [Mark(rule, window, nano, rule.limit, new_hold())]
        try:
            counters, _ = await self._reserve(marks)
        except Full:
            return None
        return Hold(counters, marks, nano)

    def spent(self, budget: Budget) -> BudgetSpent:
        """The refusal of a budget that is used up."""
        return self._budget_spent(budget.mark, budget.count)

    def anew(self, mark: Mark) -> str:
        """When a budget begins again, in the time of its team."""
        reset = datetime.fromtimestamp(mark.window.end, mark.rule.zone)
        return f"It begins anew at {reset.isoformat(timespec='minutes')}."

    def seconds_left(self, mark: Mark) -> float:
        return max(1.0, mark.window.end - self._wall())

    @property
    def counts_elsewhere(self) -> bool:
        """Do others count with us, in Redis or the database?"""
        return bool(self._remote)

    async def caught_up(self) -> None:
        """The calls that have ended by now are counted, unless somebody is away."""
        for counters in self._remote:
            await counters.caught_up()

    async def close(self) -> None:
        for counters in self._remote:
            await counters.close()

    def _marks(
        self,
        caller: Caller,
        kinds: tuple[Kind, ...],
        amounts: dict[Kind, int],
        hold: str = "",
    ) -> list[Mark]:
        now = self._wall()
        return [
            Mark(
                rule,
                self._windows.at(rule.period, rule.zone, now),
                amounts[rule.kind],
                rule.limit,
                hold,
            )
            for rule in caller.rules
            if rule.kind in kinds
        ]

    async def _reserve(self, marks: Sequence[Mark]) -> tuple[Counters, list[Count]]:
        for counters in self._remote:
            if not counters.usable:
                continue
            try:
                counts = await counters.reserve(marks)
            except CountersDown:
                continue
            self._remember(marks, counts)
            self._share.forget()
            return counters, counts
        return self._share, await self._share.reserve(marks)

    def _remember(self, marks: Sequence[Mark], counts: Sequence[Count]) -> None:
        if len(self._last) > 10_000:
            self._last.clear()
        for mark, count in zip(marks, counts, strict=True):
            self._last[mark.name] = count.used

    def _last_known(self, name: str) -> int:
        return max(self._last.get(name, 0), self._begins(name))

    def _note(
        self, record: RequestRecord, marks: Sequence[Mark], counts: Sequence[Count]
    ) -> None:
        for pair in zip(marks, counts, strict=True):
            self._tell(record, *pair)

    def _tell(self, record: RequestRecord, mark: Mark, count: Count) -> None:
        """Keep, for the headers, the limit of each kind that has the least left."""
        if mark.rule.is_budget:
            return
        record.left = record.left or {}
        remaining = max(0, mark.rule.limit - count.used)
        known = record.left.get(mark.rule.kind)
        if known is None or remaining < known.remaining:
            left = Left(mark.rule.limit, remaining, mark.window.end)
            record.left[mark.rule.kind] = left

    def _refusal(self, full: Full) -> TooManyRequests:
        if full.mark.rule.is_budget:
            return self._budget_spent(full.mark, full.count)
        mark, rule = full.mark, full.mark.rule
        wait = self.seconds_left(mark)
        if mark.amount > rule.limit:
            return RateLimited(
                f"This request may take {mark.amount} tokens, and {rule.owner} may "
                f"have {rule.limit} a minute. Lower max_tokens or shorten the prompt.",
                should_retry=False,
            )
        return RateLimited(
            f"{capital(rule.owner)} may have {rule.limit} {rule.kind} a minute, and "
            f"{min(full.count.used, rule.limit)} are used. Try again in {wait:.0f} s.",
            retry_after=wait,
        )

    def _budget_spent(self, mark: Mark, count: Count) -> BudgetSpent:
        rule = mark.rule
        message = (
            f"The budget of {rule.owner} for the {rule.period} has no room for this "
            f"request: {dollars(count.spent)} spent and {dollars(count.reserved)} set "
            f"aside for calls under way, of {dollars(rule.limit)}"
        )
        if mark.amount:
            message += f"; it may cost up to {dollars(mark.amount)}"
        message = f"{message}. {self.anew(mark)}"
        if mark.amount and count.spent + mark.amount <= rule.limit:
            return BudgetSpent(message, retry_after=SOON_SECONDS)
        wait = self.seconds_left(mark)
        return BudgetSpent(message, retry_after=wait, should_retry=False)


def new_hold() -> str:
    return uuid4().hex


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def dollars(nano: int) -> str:
    """For a sentence: cents, and more digits only where there would be none."""
    text = f"{nano / 1e9:.9f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"${whole}.{part.ljust(2, '0')}"
