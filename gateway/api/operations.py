"""What operators and their machines call: backends, totals, metrics, liveness."""

import asyncio

from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.described import AN_OBJECT, TEXT, Operation
from gateway.api.reply import Reply, json_reply
from gateway.api.schemas import BACKENDS, STATS, STATUS
from gateway.metrics import exposition
from gateway.runtime.totals import stats
from gateway.savings import report


class Backends(GatewayView):
    """`GET /v1/backends`: health, load and latency of each backend."""

    describes = {"get": Operation("Health and load of each backend", answer=BACKENDS)}

    async def get(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        return json_reply(runtime.pool.status(runtime.snapshot.catalog))


class Stats(GatewayView):
    """`GET /stats`: totals of the caller's scope since the beginning."""

    describes = {"get": Operation("Totals of the caller's scope", answer=STATS)}

    async def get(self, request: GatewayRequest) -> Reply:
        scope, totals = self.gateway.caller.scope, self.gateway.runtime.totals
        proof = totals.cache_proof.get(scope, {})
        measured = report(totals.measured.get(scope, {}))
        more = {"cache_proof": proof, "measured_savings": measured}
        return json_reply({**stats(totals.of(scope)), **more})


class Metrics(GatewayView):
    """`GET /metrics`, for Prometheus."""

    describes = {
        "get": Operation("Metrics for Prometheus", answer=TEXT, content="text/plain")
    }

    async def get(self, request: GatewayRequest) -> Reply:
        content, content_type = exposition(self.gateway.runtime)
        return Reply(content, headers=[("content-type", content_type)])


class OpenApi(GatewayView):
    """`GET /v1/openapi.json`: what there is, for programs."""

    describes = {"get": Operation("This document", answer=AN_OBJECT)}

    async def get(self, request: GatewayRequest) -> Reply:
        return Reply(await asyncio.to_thread(write_document))


def write_document() -> bytes:
    # Megabytes that only who asks for the document needs.
    from gateway.api.openapi import document

    return document()


class Health(GatewayView):
    """`GET /health`: the process lives."""

    describes = {"get": Operation("The process lives", answer=STATUS)}

    async def get(self, request: GatewayRequest) -> Reply:
        return json_reply({"status": "ok"})


class Ready(GatewayView):
    """`GET /ready`: send traffic here, or not (503)."""

    describes = {
        "get": Operation(
            "Send traffic here, or not", answer=STATUS, statuses=(200, 503)
        )
    }

    async def get(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        serving = [
            backend
            for backend in runtime.snapshot.catalog.backends
            if backend.state == "enabled" and not backend.misconfigured
        ]
        state = "ready"
        if runtime.draining:
            state = "draining"
        elif not serving:
            state = "no backend can serve"
        # How much is wrong is public, what it is stands in the admin and the log.
        body = {"status": state, "trouble": len(runtime.trouble())}
        return json_reply(body, status=200 if state == "ready" else 503)
