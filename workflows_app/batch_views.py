"""Run a workflow on many inputs: `POST /v1/workflows/batch` and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gateway.api.base import GatewayRequest
from gateway.api.described import AN_OBJECT, EXPLAIN, Operation
from gateway.api.described import whole as a_whole
from gateway.api.reply import Reply, json_reply
from gateway.api.streams import streamed
from gateway.asgi import guard
from gateway.asgi.routes import JSONL
from gateway.dialects import strict_json
from gateway.errors import BadRequest, NotFound
from gateway.runtime.database import in_database
from routing.chat import Json
from workflows_app import batch, lease, records, store
from workflows_app.batch import Batch
from workflows_app.prompt import Inputs
from workflows_app.request import find_definition, read_options
from workflows_app.shapes import BATCH
from workflows_app.views import WorkflowView, as_events

NUMBERS = ("max_cost_usd", "deadline_s")
FIELDS = {"workflow", "inputs", "jsonl", "mode", "stream", "max_cost_usd", "deadline_s"}
LOOK_SECONDS = 0.1
LOOK_PER_RUN = 1e-4  # a large batch is looked at less often
PAGE = 100
PAGES = {"after": a_whole(0, 10**6), "limit": a_whole(0, 1000)}


class Batches(WorkflowView):
    """`POST /v1/workflows/batch`; with `?explain=1` the plan and its cost alone."""

    describes = {
        "post": Operation(
            "Runs a workflow on many inputs",
            BATCH,
            AN_OBJECT,
            EXPLAIN,
            (200, 202),
            streams=True,
        )
    }

    async def post(self, request: GatewayRequest) -> Reply:
        lines = guard.media_type_of(self.gateway.headers) in JSONL
        how = from_query(request.query) if lines else None
        body, every = await asyncio.to_thread(read, request.body, how)
        options = read_options(body)
        mode = options.mode
        definition, stored = await find_definition(body.get("workflow"))
        caller = self.gateway.caller
        made = await batch.make(definition, every, caller, options, self.runs.desk)
        if request.query.get("explain") in ("1", "true"):
            return json_reply({"plan": made.plan})
        for run in made.runs:
            run.workflow = stored
        await self.runs.writer.create(
            store.create_batch, made.batch_id, made.runs, made.limit_nano
        )
        self.runs.freed.set()
        if mode == "background":
            total = len(made.runs)
            short = {"batch_id": made.batch_id, "status": "running", "total": total}
            return json_reply({**short, "plan": made.plan}, 202)
        scope = caller.scope
        events = progress(made, scope)
        if mode == "follow":
            policy = self.gateway.runtime.snapshot.catalog.policy
            return streamed(as_events(events), policy.keepalive_seconds)
        results = [each async for each in events if each["type"] == "run_done"]
        state = await in_database(records.batch_state, made.batch_id, scope)
        results.sort(key=lambda each: each["index"])
        shown = [{k: v for k, v in each.items() if k != "type"} for each in results]
        return json_reply({**(state or {}), "results": shown})


def from_query(query: Mapping[str, str]) -> Json:
    """What is said beside the lines of a body that has an input on each."""
    found: Json = {name: value for name, value in query.items() if name != "explain"}
    for name in NUMBERS:
        if name in found:
            try:
                found[name] = float(found[name])
            except ValueError:
                raise BadRequest(f"{name} must be a number.", param=name) from None
    if "stream" in found:
        found["stream"] = found["stream"] in ("1", "true")
    for name in ("inputs", "jsonl"):
        if name in found:
            raise BadRequest(f"{name} is the body here.", param=name)
    return found


def read(content: bytes, beside: Json | None = None) -> tuple[Json, list[Inputs]]:
    """What is asked and its inputs; it may be large, so in a thread. `beside` is what
    the address says where the body has nothing but inputs, one on a line."""
    if beside is not None:
        body = {**beside, "jsonl": text_of(content)}
    else:
        body = strict_json.loads(content)
    for name in body:
        if name not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise BadRequest(f"There is no {name!r} here, only {known}.", param=name)
    return body, batch.read_all_inputs(body)


def text_of(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: {error.reason}.") from None


async def progress(made: Batch, scope: str) -> AsyncIterator[Json]:
    """Each run as it ends; who stops listening cancels the rest."""
    yield {"type": "planned", "batch_id": made.batch_id, "plan": made.plan}
    told: set[int] = set()
    try:
        while len(told) < len(made.runs):
            await asyncio.sleep(max(LOOK_SECONDS, len(made.runs) * LOOK_PER_RUN))
            for result in await in_database(
                records.new_results, made.batch_id, frozenset(told), PAGE
            ):
                told.add(result["index"])
                yield {"type": "run_done", **result}
    finally:
        if len(told) < len(made.runs):
            cancelling = in_database(lease.cancel_batch, made.batch_id, scope)
            await asyncio.shield(asyncio.ensure_future(cancelling))
    state = await in_database(records.batch_state, made.batch_id, scope)
    yield {"type": "batch_done", **(state or {})}


class OneBatch(WorkflowView):
    """`GET /v1/workflows/batches/{batch_id}`: how far it is, and results page by page
    (`?after=INDEX&limit=N`)."""

    describes = {"get": Operation("How far a batch is", answer=AN_OBJECT, query=PAGES)}

    async def get(self, request: GatewayRequest, batch_id: str) -> Reply:
        scope = self.gateway.caller.scope
        state: Any = await in_database(records.batch_state, batch_id, scope)
        if state is None:
            raise unknown_batch()
        after = whole(request, "after", -1, 10**6)
        limit = whole(request, "limit", PAGE, 1000)
        results = await in_database(records.batch_results, batch_id, after, limit)
        return json_reply({**state, "results": results})


def whole(request: GatewayRequest, name: str, default: int, most: int) -> int:
    value = request.query.get(name, "")
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value[:9]) > most:
        raise BadRequest(f"{name} must be a number up to {most}.", param=name)
    return int(value[:9])


class CancelBatch(WorkflowView):
    """`POST /v1/workflows/batches/{batch_id}/cancel`."""

    describes = {"post": Operation("Stops a batch", answer=AN_OBJECT, statuses=(202,))}

    async def post(self, request: GatewayRequest, batch_id: str) -> Reply:
        scope = self.gateway.caller.scope
        if await in_database(records.batch_state, batch_id, scope) is None:
            raise unknown_batch()
        await in_database(lease.cancel_batch, batch_id, scope)
        return json_reply({"batch_id": batch_id, "status": "cancelling"}, 202)


def unknown_batch() -> NotFound:
    return NotFound("There is no such batch here.", code="batch_not_found")
