"""What operators and their machines call: backends, totals, metrics, liveness."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from gateway.api.base import GatewayRequest, GatewayView, json_response
from gateway.metrics import exposition
from gateway.runtime.totals import stats


class Backends(GatewayView):
    """`GET /v1/backends`: health, load and latency of each backend."""

    async def get(self, request: GatewayRequest) -> HttpResponseBase:
        runtime = self.gateway.runtime
        return json_response(runtime.pool.status(runtime.snapshot.catalog))


class Stats(GatewayView):
    """`GET /stats`: totals of the caller's scope since the beginning."""

    async def get(self, request: GatewayRequest) -> HttpResponseBase:
        scope = self.gateway.caller.scope
        return json_response(stats(self.gateway.runtime.totals.of(scope)))


class Metrics(GatewayView):
    """`GET /metrics`, for Prometheus."""

    async def get(self, request: GatewayRequest) -> HttpResponseBase:
        content, content_type = exposition(self.gateway.runtime)
        return HttpResponse(content, content_type=content_type)


class Health(GatewayView):
    """`GET /health`: the process lives."""

    async def get(self, request: GatewayRequest) -> HttpResponseBase:
        return json_response({"status": "ok"})


class Ready(GatewayView):
    """`GET /ready`: send traffic here, or not (503)."""

    async def get(self, request: GatewayRequest) -> HttpResponseBase:
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
        return json_response(body, status=200 if state == "ready" else 503)
