"""One run of a workflow: its state, what it tells its followers, and its report."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.ledger.books import Caller
from gateway.limits.rules import Left
from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app.call import Said, Turn
from workflows_app.definition import Definition, Op, Value
from workflows_app.memo import Memo
from workflows_app.optimizer import Plan
from workflows_app.prompt import Inputs
from workflows_app.spending import Spending

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OpStatus = Literal[
    "waiting",
    "running",
    "succeeded",
    "failed",
    "skipped",
    "cancelled",
    "pruned",
    "merged",
]
ENDED = ("succeeded", "failed", "cancelled")
OP_ENDED = ("succeeded", "failed", "skipped", "cancelled", "merged")


def new_run_id() -> str:
    return f"run_{secrets.token_hex(12)}"


@dataclass(slots=True)
class OpState:
    """What became of an op. Seconds count from the start of the run."""

    status: OpStatus = "waiting"
    value: Value = None
    calls: int = 0
    tier: int | None = None
    backend: str = ""
    cache: str = ""
    cost_nano: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    request_ids: list[str] = field(default_factory=list)
    reason: str = ""
    started_s: float | None = None
    ended_s: float | None = None
    # While it is under way and pieces are asked for: by item, the attempt and its text.
    said: dict[str, tuple[int, str]] = field(default_factory=dict)

    def count(self, said: Said) -> None:
        """Add a call that has ended, well or not."""
        if not (said.request_id or said.cache):
            return  # there was no money for it, so none was made
        self.calls += 1
        self.cost_nano += said.cost_nano
        self.prompt_tokens += said.usage.prompt
        self.completion_tokens += said.usage.completion
        self.cached_tokens += said.usage.cached
        if said.request_id:  # else another run of the batch has it
            self.request_ids.append(said.request_id)
        if said.backend:
            self.backend, self.tier, self.cache = said.backend, said.tier, said.cache
            self.reason = said.reason

    def to_json(self) -> Json:
        return {
            "status": self.status,
            "calls": self.calls,
            "tier": self.tier,
            "backend": self.backend,
            "cache": self.cache,
            "cost_usd": nano_to_usd(self.cost_nano),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cached_tokens": self.cached_tokens,
            "request_ids": self.request_ids,
            "reason": self.reason,
            "started_ms": milliseconds(self.started_s),
            "ended_ms": milliseconds(self.ended_s),
        }


@dataclass(slots=True)
class Options:
    """How a run was asked for, besides its workflow and input."""

    mode: Literal["wait", "follow", "background"] = "wait"
    deltas: bool = False
    store: bool = True
    max_cost_nano: int | None = None
    deadline_s: float | None = None
    ceiling_of: str = ""  # the batch whose runs share max_cost_nano
    same_input: bool = False  # another run of the batch has it too
    webhook: str = ""  # of a background run: an address that is told of its end


class Run:
    def __init__(
        self,
        definition: Definition,
        inputs: Inputs,
        caller: Caller,
        options: Options,
        plan: Plan,
        run_id: str = "",
    ) -> None:
        self.run_id = run_id or new_run_id()
        self.definition = definition
        self.inputs = inputs
        self.caller = caller
        self.options = options
        self.plan = plan
        self.workflow: tuple[str, int] | None = None  # of a stored one: name, version
        self.status: Status = "queued"
        self.error = ""
        self.error_code = ""
        self.memo: Memo | None = None  # what the runs of a batch share
        self.batch = ""
        self.common: frozenset[str] = frozenset()  # ops that are alike in its runs
        self.row_id: int | None = None
        self.lost = False  # another process has it now
        self.started = 0.0  # monotonic
        self.before_s = 0.0  # what an earlier process took for what is kept
        self.total_ms = 0
        in_batch = bool(options.ceiling_of)
        self.spending = Spending(options.max_cost_nano, in_batch=in_batch)
        self.left: dict[str, Left] = {}  # of the key's limits, as last heard
        self.ops = {name: OpState() for name in definition.order}
        for name in plan.pruned:
            self.ops[name].status = "pruned"
        # Items of maps and samples that an earlier process has finished.
        self.kept: dict[tuple[str, int], str] = {}
        self.last_backend: dict[str, str] = {}
        self._followers: list[asyncio.Queue[Json | None]] = []

    @property
    def cost_nano(self) -> int:
        return sum(state.cost_nano for state in self.ops.values())

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def waiting(self) -> Iterator[Op]:
        """The ops that have not begun, in the plan's order."""
        for name in self.plan.order:
            if self.ops[name].status == "waiting":
                yield self.definition.ops[name]

    def shares(self, place: str) -> bool:
        """Do other runs of the batch need the calls of this op?"""
        return self.options.same_input or place in self.common

    def note_limits(self, left: Mapping[str, Left]) -> None:
        """Calls run side by side: within a minute the least that was left counts."""
        for kind, new in left.items():
            known = self.left.get(kind)
            if not known or (new.ends, -new.remaining) > (known.ends, -known.remaining):
                self.left[kind] = new

    def share_with_twins(self, name: str) -> None:
        """Give an op's output to those it was done for."""
        value = self.ops[name].value
        for twin, kept in self.plan.merged.items():
            if kept == name:
                state = self.ops[twin]
                state.value = value
                state.status = "skipped" if value is None else "merged"
                state.reason = f"The same as {kept}, so done once."

    def outputs(self) -> dict[str, Value]:
        return {
            name: state.value
            for name, state in self.ops.items()
            if state.value is not None
        }

    def left_s(self) -> float:
        """Seconds until it is done, by the plan: the longest way still open."""
        return max(
            (
                seconds
                for name, seconds in self.plan.left_s.items()
                if self.ops[name].status in ("waiting", "running")
            ),
            default=0.0,
        )

    def final_output(self) -> Value:
        """The output of the last end op that has one."""
        for name in reversed(self.definition.end_ops):
            if self.ops[name].value is not None:
                return self.ops[name].value
        return ""

    def report(self) -> Json:
        """The reference's five fields, then ours."""
        shown = {name: s for name, s in self.ops.items() if s.status != "pruned"}
        return {
            "outputs": self.outputs(),
            "routing": {n: s.backend for n, s in shown.items() if s.backend},
            "costs": {
                n: nano_to_usd(s.cost_nano) for n, s in shown.items() if s.backend
            },
            "total_ms": self.total_ms,
            "final_output": self.final_output(),
            "run_id": self.run_id,
        }

    def details(self) -> Json:
        name, version = self.workflow or ("", None)
        return {
            "run_id": self.run_id,
            "status": self.status,
            "workflow": name or self.definition.name or None,
            "version": version,
            **self.report(),
            "total_cost_usd": nano_to_usd(self.cost_nano),
            "error": self.error_json(),
            "ops": {name: state.to_json() for name, state in self.ops.items()},
        }

    def error_json(self) -> Json | None:
        if not self.error:
            return None
        return {"message": self.error, "code": self.error_code}

    # --- Followers ------------------------------------------------------------------

    def follow(self) -> "asyncio.Queue[Json | None]":
        """A queue of what happens from now on; None ends it."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._followers.append(queue)
        return queue

    def unfollow(self, queue: "asyncio.Queue[Json | None]") -> None:
        self._followers.remove(queue)

    def hear(self, place: str, turn: Turn, piece: str) -> None:
        """A piece of text, also kept for those who come later."""
        item = str(turn.number) if self.definition.ops[place].map else ""
        said = self.ops[place].said
        attempt, text = said.get(item, (0, ""))
        said[item] = turn.attempt, text + piece if attempt == turn.attempt else piece
        self.tell("op_delta", op=place, **piece_of(item, turn.attempt, piece))

    def tell_end(self, name: str) -> None:
        """That an op has ended, and with it those it was done for."""
        twins = [twin for twin, kept in self.plan.merged.items() if kept == name]
        for each in (name, *twins):
            state = self.ops[each]
            if state.status != "waiting":
                facts = state.to_json()
                self.tell("op_done", op=each, output=state.value, **facts)

    def tell(self, kind: str, **facts: object) -> None:
        for queue in self._followers:
            queue.put_nowait({"type": kind, "run_id": self.run_id, **facts})

    def hang_up(self) -> None:
        for queue in self._followers:
            queue.put_nowait(None)


def piece_of(item: str, attempt: int, text: str) -> Json:
    """What an `op_delta` says: which item's, where there are several; and which try's,
    after one that failed."""
    of_item = {"item": int(item)} if item else {}
    return {"text": text, **of_item, **({"attempt": attempt} if attempt > 1 else {})}


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
