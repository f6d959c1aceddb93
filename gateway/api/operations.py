"""What operators and their machines call: backends, totals, metrics, liveness."""

from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.reply import Reply, json_reply
from gateway.metrics import exposition
from gateway.runtime.totals import stats


class Backends(GatewayView):
    """`GET /v1/backends`: health, load and latency of each backend."""

    async def get(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        return json_reply(runtime.pool.status(runtime.snapshot.catalog))


class Stats(GatewayView):
    """`GET /stats`: totals of the caller's scope since the beginning."""

    async def get(self, request: GatewayRequest) -> Reply:
        scope, totals = self.gateway.caller.scope, self.gateway.runtime.totals
        proof = totals.cache_proof.get(scope, {})
        return json_reply({**stats(totals.of(scope)), "cache_proof": proof})


class Metrics(GatewayView):
    """`GET /metrics`, for Prometheus."""

    async def get(self, request: GatewayRequest) -> Reply:
        content, content_type = exposition(self.gateway.runtime)
        return Reply(content, headers=[("content-type", content_type)])


class Health(GatewayView):
    """`GET /health`: the process lives."""

    async def get(self, request: GatewayRequest) -> Reply:
        return json_reply({"status": "ok"})


class Ready(GatewayView):
    """`GET /ready`: send traffic here, or not (503)."""

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
