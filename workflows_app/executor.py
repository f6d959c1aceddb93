"""Runs the ops of one run: each starts the moment its inputs are there."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.errors import (
    BadRequest,
    Forbidden,
    GatewayError,
    NotFound,
    ShuttingDown,
    StorageFull,
    TooManyRequests,
    UpstreamAuthError,
    UpstreamRefused,
    UpstreamTimeout,
)
from workflows_app import schema
from workflows_app.call import Turn
from workflows_app.caller import OpCaller
from workflows_app.claims import Claims
from workflows_app.definition import Op, Value
from workflows_app.desk import Desk
from workflows_app.errors import Unfit, WorkflowFailed
from workflows_app.prompt import Context, items_of
from workflows_app.run import OpState, Run
from workflows_app.writer import Writer

T = TypeVar("T")
# Trying again changes nothing about these.
FINAL = (
    BadRequest,
    Forbidden,
    NotFound,
    ShuttingDown,
    StorageFull,
    UpstreamAuthError,
    UpstreamRefused,
    WorkflowFailed,
)
# Not the op's failure: the run ends, whatever the op says about errors.
NOT_THE_OPS = (ShuttingDown, StorageFull, WorkflowFailed)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
OPEN = ("waiting", "running")


class Executor:
    """`writer` is told of every op and item that is finished, before anything waits for
    it: what is kept is never paid again."""

    def __init__(
        self,
        run: Run,
        desk: Desk,
        writer: Writer | None,
        claims: Claims,
    ) -> None:
        self.run = run
        self.desk = desk
        self.writer = writer
        self.caller = OpCaller(run, desk, writer, claims)

    async def execute(self) -> None:
        """Raises WorkflowFailed; what is done by then is in the run."""
        tasks: dict[asyncio.Task[None], str] = {}
        try:
            self._start_ready(tasks)
            while tasks:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del tasks[task]
                    task.result()
                self._start_ready(tasks)
                await asyncio.sleep(0)  # what has just started gets in line
                self.desk.gate.pass_on(self.run.run_id)
        finally:
            await cancel_all(list(tasks))
            self.desk.gate.pass_on(self.run.run_id)

    def _start_ready(self, tasks: dict[asyncio.Task[None], str]) -> None:
        for op in self.run.waiting():
            parents = self.run.definition.parents[op.name]
            if all(self.run.ops[parent].status not in OPEN for parent in parents):
                self.run.ops[op.name].status = "running"
                tasks[asyncio.create_task(self._run_op(op))] = op.name

    async def _run_op(self, op: Op) -> None:
        run, state = self.run, self.run.ops[op.name]
        state.started_s, state.said = self._now(), {}
        run.tell("op_started", op=op.name)
        if self.writer:
            self.writer.mark(run, op.name)
        try:
            await self._finish(op, state)
        except BaseException:
            run.tell_end(op.name)
            raise
        run.share_with_twins(op.name)
        if self.writer:
            self.desk.gate.pass_on(run.run_id)  # others may call while this is written
            await self.writer.keep(run, op.name)
        run.tell_end(op.name)

    async def _finish(self, op: Op, state: OpState) -> None:
        try:
            state.value = await self._value(op, op.name)
            state.status = "skipped" if state.value is None else "succeeded"
        except NOT_THE_OPS as error:
            state.status, state.reason = "failed", error.message
            raise
        except asyncio.CancelledError:
            state.status = "cancelled"
            raise
        except GatewayError as error:
            await self._recover(op, state, error)
        finally:
            state.ended_s = self._now()

    async def _recover(self, op: Op, state: OpState, error: GatewayError) -> None:
        """What `on_error` says."""
        state.status, state.reason = "failed", error.message
        if op.on_error == "fail":
            raise WorkflowFailed(f'Op "{op.name}" failed: {error.message}') from error
        if op.on_error == "skip":
            return
        instead = self.run.definition.ops[op.fallback_op]
        try:
            state.value = await self._value(instead, op.name)
        except NOT_THE_OPS:
            raise
        except GatewayError as second:
            state.reason = second.message
            raise WorkflowFailed(
                f'Op "{op.name}" failed: {error.message} Its fallback '
                f'"{instead.name}" failed too: {second.message}'
            ) from second
        state.status = "succeeded"
        state.reason = f"By {instead.name}, because it failed: {error.message}"

    async def _value(self, op: Op, place: str) -> Value:
        """The output of an op in its place in the graph; None when it is skipped."""
        context = Context(self.run.inputs, self.run.outputs())
        parents = self.run.definition.parents[place]
        if parents and all(self.run.ops[name].value is None for name in parents):
            self.run.ops[place].reason = "Everything before it was skipped."
            return None
        if op.when and not op.when.holds(context.value):
            self.run.ops[place].reason = f"Not so: {op.when_text}"
            return None
        if op.map:
            items = items_of(context.value(op.map.over), op.map)
            if len(items) > op.map.max_items:
                raise BadRequest(
                    f"map has {len(items)} items, more than max_items "
                    f"({op.map.max_items})."
                )
            calls = [
                self._item(op, place, context, item, number)
                for number, item in enumerate(items)
            ]
            return list(await together(calls))
        if op.samples > 1:
            calls = [
                self._item(op, place, context, None, number)
                for number in range(op.samples)
            ]
            return vote(await together(calls), op)
        return await self._item(op, place, context, None, 0)

    async def _item(
        self, op: Op, place: str, context: Context, item: str | None, number: int
    ) -> str:
        """One answer, tried again as often as the op allows."""
        key = f"{place}/{op.name}", number
        if key in self.run.kept:
            return self.run.kept[key]
        tried = unfit = 0
        while True:
            turn = Turn(item, number, tried + 1, unfit)
            try:
                text = await self._try(op, place, context, turn)
                break
            except GatewayError as error:
                if tried >= op.retries or is_final(error):
                    raise
                pause = min(FIRST_PAUSE * 2**tried, LONGEST_PAUSE)
                wait = min(error.retry_after or pause, LONGEST_PAUSE)
                unfit += isinstance(error, Unfit)
            tried += 1
            await asyncio.sleep(wait)
        self.run.kept[key] = text
        if self.writer and (op.map or op.samples > 1):
            await self.writer.keep(self.run, place)
        return text

    async def _try(self, op: Op, place: str, context: Context, turn: Turn) -> str:
        try:
            text = await self.caller.call(op, place, context, turn)
        except TimeoutError:
            raise UpstreamTimeout(
                f"It took longer than its timeout_s ({op.timeout_s:g})."
            ) from None
        if op.json_schema is not None:
            if why := schema.mismatch(text, op.json_schema):
                raise Unfit(f"The output does not fit json_schema: {why}")
            text = schema.unfenced(text)
        return text

    def _now(self) -> float:
        return self.desk.runtime.clock() - self.run.started


def is_final(error: GatewayError) -> bool:
    """Trying again is useless: also while a limit of the key has nothing left, unless
    it soon may, as when calls under way give back what was set aside for them."""
    if isinstance(error, TooManyRequests):
        late = (error.retry_after or 0) > LONGEST_PAUSE
        return late or error.should_retry is False
    return isinstance(error, FINAL)


def vote(answers: list[str], op: Op) -> str:
    """The answer most samples agree on; of several, the one that came up first."""

    def counted(answer: str) -> str:
        lines = answer.strip().splitlines() or [""]
        text = lines[-1] if op.vote == "last_line" else answer
        return " ".join(text.split()).casefold().rstrip(".")

    (winner, _), *_ = Counter(map(counted, answers)).most_common(1)
    return next(answer for answer in answers if counted(answer) == winner)


async def together(calls: list[Coroutine[Any, Any, T]]) -> list[T]:
    """All results; the first failure ends the others."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancel_all([task for task in tasks if not task.done()])


async def cancel_all(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
