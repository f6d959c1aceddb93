"""Run a workflow: wait for it, follow it, or come back later."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from gateway.api import render
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.described import AN_OBJECT, EVENT, EXPLAIN, Operation
from gateway.api.reply import Reply, json_reply
from gateway.api.streams import streamed
from gateway.dialects import strict_json
from gateway.errors import NotFound
from gateway.limits.rules import Left
from gateway.runtime.database import in_database
from routing.chat import Json
from workflows_app import lease, planner, records
from workflows_app.errors import WorkflowFailed
from workflows_app.events import what_happens
from workflows_app.request import read_request
from workflows_app.run import Run
from workflows_app.runs import Runs
from workflows_app.shapes import RUN


class WorkflowView(GatewayView):
    """Errors of runs carry what the run has, answers what its calls left of limits."""

    run: Run | None = None

    @property
    def runs(self) -> Runs:
        return Runs.of(self.gateway.runtime)

    @property
    def limits(self) -> Mapping[str, Left] | None:
        return self.run.left if self.run else None

    def error(self, error: Any) -> Reply:
        reply = super().error(error)
        if isinstance(error, WorkflowFailed) and error.report:
            body = {**orjson.loads(reply.body), **without_error(error.report)}
            reply.body = orjson.dumps(body)
        return reply


def without_error(report: Json) -> Json:
    return {name: value for name, value in report.items() if name != "error"}


class Workflows(WorkflowView):
    """`POST /v1/workflows`; with `?explain=1` the plan alone."""

    describes = {
        "post": Operation(
            "Runs a workflow", RUN, AN_OBJECT, EXPLAIN, (200, 202), streams=True
        )
    }

    async def post(self, request: GatewayRequest) -> Reply:
        asked = await read_request(strict_json.loads(request.body))
        desk, caller = self.runs.desk, self.gateway.caller
        run = planner.make_run(
            asked.definition, asked.inputs, caller, asked.options, desk
        )
        run.workflow = asked.stored
        if request.query.get("explain") in ("1", "true"):
            return json_reply({"plan": run.plan.to_json()})
        match asked.options.mode:
            case "background":
                await self.runs.start_in_background(run)
                return json_reply({"run_id": run.run_id, "status": run.status}, 202)
            case "follow":
                return self.follow(run)
        self.run = run
        await self.runs.finish(run)
        return json_reply(run.report())

    def follow(self, run: Run) -> Reply:
        """Events as they happen; the run ends when its follower leaves."""
        queue = run.follow()
        self.runs.start(run)
        run_id, runs = run.run_id, self.runs
        self.gateway.at_end.append(lambda: leave(runs, run_id))
        policy = self.gateway.runtime.snapshot.catalog.policy
        return streamed(as_events(queued(queue)), policy.keepalive_seconds)


def leave(runs: Runs, run_id: str) -> None:
    runs.cancel(run_id)


async def queued(queue: "asyncio.Queue[Json | None]") -> AsyncIterator[Json]:
    while (event := await queue.get()) is not None:
        yield event


async def as_events(happened: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    try:
        async for event in happened:
            yield b"event: " + event["type"].encode() + b"\n" + render.event(event)
        yield render.DONE
    finally:
        await happened.aclose()  # type: ignore[attr-defined]


class OneRun(WorkflowView):
    """`GET /v1/workflows/runs/{run_id}`: how far it is, and what came of it."""

    describes = {"get": Operation("How far a run is", answer=AN_OBJECT)}

    async def get(self, request: GatewayRequest, run_id: str) -> Reply:
        scope = self.gateway.caller.scope
        if run := self.runs.find(run_id, scope):
            return json_reply(run.details())
        found = await in_database(records.details, run_id, scope)
        if found is None:
            raise unknown_run()
        return json_reply(found)


class RunEvents(WorkflowView):
    """`GET /v1/workflows/runs/{run_id}/events`: what has happened, then what happens.

    Whichever process has the run; who stops listening changes nothing for it.
    """

    describes = {
        "get": Operation(
            "What happens in a run", answer=EVENT, content="text/event-stream"
        )
    }

    async def get(self, request: GatewayRequest, run_id: str) -> Reply:
        scope = self.gateway.caller.scope
        if await in_database(records.details, run_id, scope) is None:
            raise unknown_run()
        policy = self.gateway.runtime.snapshot.catalog.policy
        happened = what_happens(self.runs, run_id, scope)
        return streamed(as_events(happened), policy.keepalive_seconds)


class CancelRun(WorkflowView):
    """`POST /v1/workflows/runs/{run_id}/cancel`."""

    describes = {
        "post": Operation("Stops a run", answer=AN_OBJECT, statuses=(200, 202))
    }

    async def post(self, request: GatewayRequest, run_id: str) -> Reply:
        scope = self.gateway.caller.scope
        if self.runs.find(run_id, scope) and self.runs.cancel(run_id):
            return json_reply({"run_id": run_id, "status": "cancelling"}, 202)
        if await in_database(lease.ask_to_cancel, run_id, scope):
            return json_reply({"run_id": run_id, "status": "cancelling"}, 202)
        found = await in_database(records.details, run_id, scope)
        if found is None:
            raise unknown_run()
        return json_reply({"run_id": run_id, "status": found["status"]})


def unknown_run() -> NotFound:
    return NotFound("There is no such run here.", code="run_not_found")
