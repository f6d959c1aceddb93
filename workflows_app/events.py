"""What happens in a run, for who comes later: from its beginning, then live."""

import asyncio
from collections.abc import AsyncIterator

from gateway.runtime.database import in_database
from routing.chat import Json
from workflows_app import records
from workflows_app.run import ENDED, OP_ENDED, Run, piece_of
from workflows_app.runs import Runs

# Between looks at the rows: seldom while nothing happens.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5


async def what_happens(runs: Runs, run_id: str, scope: str) -> AsyncIterator[Json]:
    """As it happens where this process has the run, from its rows where another has,
    which tells them a moment later."""
    told = Told(run_id)
    run = runs.find(run_id, scope)
    if run and not run.ended:
        async for event in live(run, told):
            yield event
    # Its rows have the end, also when the run went on in another process.
    pause = FIRST_PAUSE
    while found := await in_database(records.happened, run_id, scope, told.ops):
        events = told.news(found)
        for event in events:
            yield event
        if found["status"] in ENDED:
            break
        pause = FIRST_PAUSE if events else min(2 * pause, LONGEST_PAUSE)
        await asyncio.sleep(pause)
    if end := await in_database(records.details, run_id, scope):
        yield {"type": "run_done", **end}


class Told:
    """What one follower has heard of a run."""

    def __init__(self, run_id: str) -> None:
        self.ops: set[str] = set()  # those it knows the end of
        self._run_id = run_id
        self._planned = False
        self._started: set[str] = set()
        # The text of an op's item as it has heard it, and of which attempt.
        self._heard: dict[tuple[str, str], tuple[int, str]] = {}

    def is_new(self, event: Json) -> bool:
        """Of what is told live; notes it."""
        op = event.get("op", "")
        match event["type"]:
            case "planned":
                known, self._planned = self._planned, True
            case "op_started":
                known = op in self._started
                self._started.add(op)
            case "op_delta":
                known = False
                item, attempt = str(event.get("item", "")), event.get("attempt", 1)
                before = self._heard_of(op, item, attempt)
                self._heard[op, item] = attempt, before + event["text"]
            case "op_done":
                known = op in self.ops
                self.ops.add(op)
            case _:
                known = True
        return not known

    def _heard_of(self, op: str, item: str, attempt: int) -> str:
        known, text = self._heard.get((op, item), (0, ""))
        return text if known == attempt else ""

    def news(self, found: Json) -> list[Json]:
        """What the rows tell that it has not heard."""
        events: list[Json] = [{"type": "planned", "plan": found["plan"]}]
        for name, op in found["ops"].items():
            if op["started_ms"] is not None:
                events.append({"type": "op_started", "op": name})
            for item, (attempt, text) in found["said"][name].items():
                events += self._unheard(name, item, attempt, text)
            if op["status"] in OP_ENDED:
                output = found["outputs"].get(name)
                events += self._rest(name, output)
                done = {"type": "op_done", "op": name, "output": output, **op}
                events.append(done)
        return [
            {"run_id": self._run_id, **event} for event in events if self.is_new(event)
        ]

    def _unheard(self, op: str, item: str, attempt: int, text: str) -> list[Json]:
        new = text[len(self._heard_of(op, item, attempt)) :]
        piece = piece_of(item, attempt, new)
        return [{"type": "op_delta", "op": op, **piece}] if new else []

    def _rest(self, op: str, output: object) -> list[Json]:
        """Who has heard the beginning of a text hears all of it."""
        attempt, heard = self._heard.get((op, ""), (0, ""))
        goes_on = heard and isinstance(output, str) and output.startswith(heard)
        return self._unheard(op, "", attempt, str(output)) if goes_on else []


async def live(run: Run, told: Told) -> AsyncIterator[Json]:
    """All but the end of a run that is under way here."""
    queue = run.follow()
    for past in so_far(run):
        queue.put_nowait(past)
    try:
        while (event := await queue.get()) is not None:
            if told.is_new(event):
                yield event
    finally:
        run.unfollow(queue)


def so_far(run: Run) -> list[Json]:
    """What a run would have told a follower who had been there from the start."""
    events: list[Json] = [{"type": "planned", "plan": run.plan.to_json()}]
    for name, state in run.ops.items():
        if state.started_s is not None:
            events.append({"type": "op_started", "op": name})
        if state.status in OP_ENDED:
            facts = state.to_json()
            done = {"type": "op_done", "op": name, "output": state.value, **facts}
            events.append(done)
        elif state.status == "running":
            for item, (attempt, text) in state.said.items():
                piece = piece_of(item, attempt, text)
                events.append({"type": "op_delta", "op": name, **piece})
    return [{"run_id": run.run_id, **event} for event in events]
