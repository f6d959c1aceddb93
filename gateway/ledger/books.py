"""What the pipeline writes: a record per request, a record per attempt."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.errors import GatewayError, StorageFull, UpstreamError
from gateway.ledger import entries
from gateway.ledger.journal import Journal
from gateway.limits.hold import Hold
from gateway.limits.rules import Left, Rule
from gateway.metrics import Metrics
from routing.catalog import Backend, Catalog
from routing.chat import ChatRequest, Json, Usage
from routing.pricing import baseline_nano, cost_nano

if TYPE_CHECKING:
    from gateway.contents.transcript import Transcript
    from routing.learned.drift import Placed


Clock = Callable[[], float]


LOCAL_SCOPE = "local"  # of open mode
# How the endpoints begin of what the gateway asks to decide and to learn, and of what
# no client asked under the rules that serve.
OURS = ("cache.", "learn.")
TRIAL = "playground."
NOT_OF_CLIENTS = (*OURS, TRIAL)


@dataclass(slots=True)
class Caller:
    """Who asks. `scope` is the key's team, else the key, or LOCAL_SCOPE."""

    scope: str
    key_name: str = ""
    team: str = ""
    key_id: int = 0
    min_tier: int | None = None
    max_tier: int | None = None
    may_pin: bool = True
    max_in_flight: int = 0
    models: tuple[str, ...] = ()  # globs of those it may use; none: all
    rules: tuple[Rule, ...] = ()  # its limits; most callers have none
    contents: str = ""  # how much of its requests is kept; "": as the policy says


@dataclass(slots=True, weakref_slot=True)
class RequestRecord:
    """One request from arrival to end; `close` writes its row, once."""

    chat: ChatRequest
    caller: Caller
    books: "Books"
    started: float
    at: str
    endpoint: str = "chat.completions"
    decisions: list[Json] = field(default_factory=list)
    facts: Json = field(default_factory=dict)  # see gateway.whatif.facts
    cache: str = "MISS"
    cache_level: str = ""
    answered_by: str = ""
    score: int | None = None
    tier: int | None = None
    backend: str = ""
    model_served: str = ""
    usage: Usage = Usage()
    cost_nano: int = 0
    saved_nano: int = 0
    unpriced: bool = False  # something was bought that has no price: more was paid
    attempts: int = 0
    upstream_seconds: float = 0.0  # that its own calls took which have ended
    told_seconds: float = 0.0  # that the call took which it reads, as far as was told
    waits_since: float | None = None  # for a call under way, its own or another's
    first_byte: float | None = None
    closed: bool = False
    conversation: bytes | None = None
    lesson: Json | None = None  # what can be learned from it, once it was judged
    doubted: tuple[str, str] | None = None  # an earlier request, and why its answer is
    placed: "Placed | None" = None  # by a router, among what it was measured with
    left: dict[str, Left] | None = None  # of its limits, by kind
    budget_step: str = ""  # what a budget near its end made of it
    arm: str = ""  # "routed" or "holdout", where savings are measured
    transcript: "Transcript | None" = None  # where texts are kept
    quiet: bool = False  # neither tags nor decisions are kept
    asks_again: str = ""  # the earlier request, in a group, with the same question
    set_aside_nano: int = 0  # of the gateway's own money, for what it asks itself

    def decide(self, step: str, text: str, **facts: object) -> None:
        """Note a decision and its reason, for `GET /v1/requests/{id}`."""
        self.decisions.append({"step": step, "text": text, **facts})

    def mark_first_byte(self) -> None:
        if self.first_byte is None:
            self.first_byte = self.books.clock() - self.started

    @property
    def overhead_ms(self) -> float:
        """What the gateway itself took so far, waiting for providers left out."""
        now, waited = self.books.clock(), self.upstream_seconds
        if self.waits_since is not None:
            waited += now - self.waits_since
        waited = max(waited, self.told_seconds)
        return max(0.0, (now - self.started - waited) * 1000)

    def wait(self) -> None:
        """From now on a provider is waited for."""
        self.waits_since = self.books.clock()

    def close(self, status: int, outcome: str, error_code: str = "") -> None:
        """Write the row. Later calls do nothing: the first ending is the true one."""
        if self.closed:
            return
        self.closed = True
        self.books.write_request(self, status, outcome, error_code)

    def abandon(self) -> None:
        """The client left, unless the request has ended already."""
        self.close(499, "client_closed")

    def fail(self, error: GatewayError) -> None:
        self.decide("end", error.message, code=error.code)
        self.close(error.status, "error", error.code)


@dataclass(slots=True)
class Attempt:
    """One call to a provider: journaled before it leaves, settled exactly once."""

    attempt_id: str
    record: RequestRecord
    backend: Backend
    intent: Json
    started: float
    books: "Books"
    first_byte: float | None = None
    seconds: float = 0.0
    settled: bool = False
    cost_nano: int = 0
    hold: Hold | None = None  # what it set aside of its caller's limits

    def mark_first_byte(self) -> None:
        if self.first_byte is None:
            self.first_byte = self.books.clock() - self.started

    @property
    def elapsed(self) -> float:
        return self.books.clock() - self.started

    def settle(
        self, state: str, usage: Usage, *, status: int | None, error_code: str = ""
    ) -> None:
        """Write what it cost, once; `state` is one of models.Attempt.State."""
        if self.settled:
            return
        self.settled = True
        self.books.write_attempt(self, state, usage, status, error_code)

    def settle_answer(self, usage: Usage) -> None:
        state = "estimated" if usage.estimated else "billed"
        self.settle(state, usage, status=200)

    def settle_failure(self, error: UpstreamError, usage: Usage) -> None:
        """`usage` is what is known to have been generated before it failed."""
        if error.billable or usage.completion:
            state = (
                "unknown" if error.billable and not usage.completion else "estimated"
            )
            self.settle(state, usage, status=error.status, error_code=error.code)
        else:
            self.settle("free", Usage(), status=error.status, error_code=error.code)


class Books:
    """The journal with prices: turns what happened into records."""

    def __init__(
        self,
        journal: Journal,
        metrics: Metrics,
        clock: Clock,
        wall: Clock,
        *,
        serve_when_full: bool = False,
    ) -> None:
        self.journal = journal
        self.metrics = metrics
        self.clock = clock
        self.wall = wall
        self.unrecorded = 0  # records that a full disk cost us
        self._serve_when_full = serve_when_full
        self._second, self._written = -1, ""

    def open_request(self, chat: ChatRequest, caller: Caller) -> RequestRecord:
        return RequestRecord(chat, caller, self, self.clock(), self._now())

    def open_attempt(
        self,
        record: RequestRecord,
        backend: Backend,
        prompt_tokens: int,
        hold: Hold | None = None,
    ) -> Attempt:
        """Journal the intent; raises StorageFull before anything can be billed.

        An attempt whose end nobody sees costs what was set aside for it.
        """
        number = record.attempts + 1
        intent = entries.intent(record, backend, number, prompt_tokens)
        intent["at"] = self._now()
        aside = max(record.set_aside_nano, hold.nano if hold else 0)
        intent["cost_nano"] = max(intent["cost_nano"], aside)
        if hold:
            intent["aside"] = hold.written
        try:
            self.journal.append(intent)
        except StorageFull:
            if not self._serve_when_full:
                if hold:
                    hold.settle(0, 0)
                raise
            self.unrecorded += 1
        record.attempts = number
        record.wait()
        return Attempt(
            intent["attempt_id"],
            record,
            backend,
            intent,
            self.clock(),
            self,
            hold=hold,
        )

    def write_attempt(
        self,
        attempt: Attempt,
        state: str,
        usage: Usage,
        status: int | None,
        error_code: str,
    ) -> None:
        price = attempt.backend.price
        billable = state != "free"
        attempt.cost_nano = cost_nano(usage, price) if billable and price else 0
        if state == "unknown":
            aside = attempt.hold.nano if attempt.hold else 0
            aside = max(aside, attempt.record.set_aside_nano)
            attempt.cost_nano = max(attempt.cost_nano, aside)
        if attempt.hold:
            tokens = usage.prompt + usage.completion if billable else 0
            attempt.hold.settle(attempt.cost_nano, tokens)
        attempt.seconds = attempt.elapsed
        record = attempt.record
        record.upstream_seconds += attempt.seconds
        record.waits_since = None
        record.cost_nano += attempt.cost_nano
        record.unpriced |= billable and price is None
        self.metrics.count_attempt(attempt.backend.name, state)
        self._keep(entries.settlement(attempt, state, usage, status, error_code))

    def write_request(
        self, record: RequestRecord, status: int, outcome: str, error_code: str
    ) -> None:
        seconds = self.clock() - record.started
        self.metrics.observe_answer(record.cache, seconds)
        self._keep(
            entries.request(record, seconds, status, outcome, error_code),
            # One that reached no provider owes nothing: a flood of requests refused
            # for want of room must not fill the memory instead.
            must_keep=record.attempts > 0,
        )

    def _keep(self, settlement: Json, *, must_keep: bool = True) -> None:
        """Journal what has happened already; it is too late to refuse it."""
        try:
            self.journal.append(settlement, must_keep=must_keep)
        except StorageFull:
            self.unrecorded += 1

    def _now(self) -> str:
        """The time in ISO 8601; its whole seconds are written once."""
        now = self.wall()
        second = int(now)
        if second != self._second:
            self._second = second
            self._written = datetime.fromtimestamp(second, UTC).isoformat()[:19]
        return f"{self._written}.{int((now - second) * 1e6):06d}+00:00"


def saving(usage: Usage, paid_nano: int, catalog: Catalog) -> int:
    """What the baseline tier would have cost for these tokens, less what was paid."""
    baseline = baseline_nano(usage, catalog)
    return 0 if baseline is None else baseline - paid_nano


def saving_of_vectors(usage: Usage, paid_nano: int, backend: Backend | None) -> int:
    """The same against buying them again: no other model could have made them."""
    if backend is None or backend.price is None:
        return 0
    return cost_nano(usage, backend.price) - paid_nano
