"""The runs of this process: started, followed, cancelled, written down."""

import asyncio
from typing import Self

import structlog

from gateway.errors import GatewayError, ShuttingDown, Unauthorized
from gateway.ledger.books import Caller
from gateway.runtime.runtime import Runtime
from routing.chat import Json
from workflows_app import lease, planner, reader, store
from workflows_app.claims import Claims
from workflows_app.desk import Desk
from workflows_app.errors import CostCeiling, RunCancelled, WorkflowFailed
from workflows_app.executor import Executor
from workflows_app.input_use import depends_on_input
from workflows_app.memo import Memo
from workflows_app.prompt import Inputs
from workflows_app.run import Run
from workflows_app.writer import Writer

log = structlog.get_logger("workflows")
ERRORS = {each.code: each for each in (CostCeiling, RunCancelled)}
MOST_RUNS = 64  # background runs at the same time; more wait in the queue
MOST_BATCHES = 32  # whose answers are remembered at the same time


class Runs:
    """One per process; see `of`. `owner` is its name in the rows it works on."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.desk = Desk(runtime)
        self.owner = lease.owner_name()
        self.writer = Writer()
        self.claims = Claims(self.owner, self.writer)
        self._active: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writes: set[asyncio.Task[None]] = set()
        self._memos: dict[str, Memo] = {}
        self._stopping = False
        self.freed = asyncio.Event()  # there is room for another background run

    @classmethod
    def of(cls, runtime: Runtime) -> Self:
        found: Self | None = runtime.services.get(cls)
        if found is None:
            found = runtime.services[cls] = cls(runtime)
        return found

    @property
    def in_background(self) -> list[Run]:
        """Those under way here that have a row to keep a lease on."""
        active = [self._active[run_id] for run_id in self._tasks]
        return [run for run in active if run.options.mode == "background"]

    @property
    def room(self) -> int:
        """How many more background runs this process takes."""
        return MOST_RUNS - len(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def find(self, run_id: str, scope: str) -> Run | None:
        """A run of this scope that is under way here, or was until just now."""
        run = self._active.get(run_id)
        return run if run and run.caller.scope == scope else None

    async def finish(self, run: Run) -> Run:
        """Start a run and wait for its end; who stops waiting cancels it. Raises
        WorkflowFailed with what the run has."""
        task = self.start(run)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            self.cancel(run.run_id)
            raise
        if error := self.error_of(run):
            raise error
        return run

    def start(self, run: Run) -> asyncio.Task[None]:
        self._active[run.run_id] = run
        task = self._tasks[run.run_id] = asyncio.create_task(self._drive(run))
        # Not at the end of the task: one cancelled before its first step has none.
        task.add_done_callback(lambda task: self._ended(task, run))
        return task

    async def start_in_background(self, run: Run) -> None:
        """Write the run down, so that it outlives this process, then start it, unless
        there are enough."""
        if self.room <= 0:
            return await self.writer.create(store.create, run, "")
        run.status = "running"
        await self.writer.create(store.create, run, self.owner)
        self.start(run)

    async def resume(self, saved: Json) -> None:
        """Go on with a run from its rows. Raises GatewayError when that can't be."""
        caller = self._caller(saved["caller"])
        definition = await asyncio.to_thread(reader.read, saved["text"])
        run = planner.make_run(
            definition,
            Inputs(**saved["inputs"]),
            caller,
            store.options_of(saved["options"]),
            self.desk,
            saved["run_id"],
        )
        run.workflow, run.row_id = saved["workflow"], saved["row_id"]
        if batch := saved["batch"]:
            run.batch, run.memo = batch, self._memo_of(batch)
            run.common = frozenset(definition.order) - depends_on_input(definition)
        store.restore(run, saved["ops"], saved["at_most_nano"])
        if saved["ops"]:  # else it has only waited
            log.info("run_resumed", run_id=run.run_id)
        self.start(run)

    def _caller(self, saved: Json) -> Caller:
        number = saved.get("key_id", 0)
        if not number:
            return store.caller_of(saved, None)
        for key in self.runtime.snapshot.keys.values():
            if key.caller.key_id == number:
                return store.caller_of(saved, key.caller)
        raise Unauthorized("The key that started this run is no longer valid.")

    def _memo_of(self, batch: str) -> Memo:
        self._memos[batch] = self._memos.pop(batch, Memo())  # the newest is last
        while len(self._memos) > MOST_BATCHES:
            del self._memos[next(iter(self._memos))]
        return self._memos[batch]

    def keep_only(self, owned: set[str]) -> None:
        """Let go of runs that another process has taken over, unwritten."""
        for run in self.in_background:
            if run.run_id not in owned:
                log.warning("run_lost", run_id=run.run_id)
                run.lost = True
                self.cancel(run.run_id)

    def cancel(self, run_id: str) -> bool:
        """Stop a run of this process, and the calls it has under way."""
        task = self._tasks.get(run_id)
        return task is not None and task.cancel()

    def error_of(self, run: Run) -> WorkflowFailed | None:
        if not run.error:
            return None
        kind = ERRORS.get(run.error_code, WorkflowFailed)
        return kind(run.error, run.details())

    async def close(self) -> None:
        """The process ends: background runs go back to the queue, others end."""
        if self._stopping:
            return
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the callbacks of those tasks
        await asyncio.gather(*self._writes, return_exceptions=True)
        await self.claims.close()
        await self.writer.close()

    async def _drive(self, run: Run) -> None:
        run.started = self.runtime.clock() - run.before_s
        run.status = "running"
        run.tell("planned", plan=run.plan.to_json())
        writer = self.writer if run.options.mode == "background" else None
        try:
            await Executor(run, self.desk, writer, self.claims).execute()
            run.status = "succeeded"
        except GatewayError as error:
            self._fail(run, error)
        except Exception:
            log.exception("run_failed", run_id=run.run_id)
            self._fail(run, WorkflowFailed("The gateway failed; its log has details."))

    def _ended(self, task: asyncio.Task[None], run: Run) -> None:
        """Tell everybody, and write it down; nobody waits for that."""
        if task.cancelled():
            self._fail(run, RunCancelled("The run was cancelled."))
        stopped = task.cancelled() and self._stopping
        stopped = stopped or run.error_code == ShuttingDown.code
        interrupted = stopped and run.options.mode == "background"
        if interrupted:
            run.status = "queued"
        if run.started:
            run.total_ms = round((self.runtime.clock() - run.started) * 1000)
        run.tell("run_done", status=run.status, error=run.error_json(), **run.report())
        run.hang_up()
        if run.options.mode == "background":
            self.freed.set()
        del self._tasks[run.run_id]
        write = asyncio.create_task(self._write_end(run, interrupted))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    def _fail(self, run: Run, error: GatewayError) -> None:
        run.status = "cancelled" if isinstance(error, RunCancelled) else "failed"
        run.error, run.error_code = error.message, error.code

    async def _write_end(self, run: Run, interrupted: bool) -> None:
        if interrupted and not run.lost:
            await self.writer.persist(store.release, run)
        elif run.options.store and not run.lost:
            await self.writer.persist(store.save_end, run)
        self._active.pop(run.run_id, None)
