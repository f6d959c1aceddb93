"""Prometheus metrics: counted here per process, or read from the totals of all."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from routing.pricing import NANO_PER_USD, nano_to_usd

if TYPE_CHECKING:
    from gateway.runtime.runtime import Runtime

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
KIND = ("backend", "tier", "cache")


class Metrics:
    """What this process counts itself. Each worker has a series of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.worker = str(os.getpid())
        self.rejected = Counter(
            "llm_router_rejected",
            "Requests turned away before they began.",
            ("reason",),
            registry=self.registry,
        )
        self.attempts = Counter(
            "llm_router_attempts",
            "Calls to providers.",
            ("backend", "state"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "llm_router_request_seconds",
            "Time to the end of an answer.",
            ("cache",),
            buckets=SECONDS,
            registry=self.registry,
        )
        # Finding a series by its labels costs more than counting in it.
        self._attempts: dict[tuple[str, str], Counter] = {}
        self._seconds: dict[str, Histogram] = {}

    def count_attempt(self, backend: str, state: str) -> None:
        series = self._attempts.get((backend, state))
        if series is None:
            series = self.attempts.labels(backend, state)
            self._attempts[backend, state] = series
        series.inc()

    def observe_answer(self, cache: str, seconds: float) -> None:
        series = self._seconds.get(cache)
        if series is None:
            series = self._seconds[cache] = self.seconds.labels(cache)
        series.observe(seconds)


def exposition(runtime: "Runtime") -> tuple[bytes, str]:
    """The page Prometheus reads, and its content type."""
    shown = CollectorRegistry()
    shown.register(runtime.metrics.registry)
    shown.register(RuntimeCollector(runtime))
    return generate_latest(shown), CONTENT_TYPE_LATEST


class RuntimeCollector:
    """Gauges of this process, and counters of the whole instance from its books."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        yield from self._totals()
        runtime, worker = self._runtime, self._runtime.metrics.worker
        cache, shared = runtime.cache.stats(), runtime.shared
        for name, help_text, value in (
            ("in_flight", "Requests under way.", runtime.admission.in_flight),
            ("held_bytes", "Bytes of request bodies.", runtime.admission.held_bytes),
            ("calls_in_flight", "Provider calls under way.", len(runtime.inflight)),
            ("cache_entries", "Answers kept.", cache.entries),
            ("cache_bytes", "Bytes of answers kept.", cache.bytes),
            (
                "redis_up",
                "1 while Redis is asked; 0 while it is out, or none is set.",
                int(bool(shared and shared.state.usable)),
            ),
            (
                "shared_broken",
                "Values found in Redis that were damaged, or not ours.",
                shared.seal.broken if shared else 0,
            ),
            (
                "journal_bytes",
                "Journal not yet stored and deleted.",
                runtime.books.journal.kept_bytes,
            ),
            (
                "unrecorded_attempts",
                "Attempts served without an intent, the disk being full.",
                runtime.books.unrecorded,
            ),
            ("trouble", "Things an operator should look at.", len(runtime.trouble())),
        ):
            gauge = GaugeMetricFamily(
                f"llm_router_{name}", help_text, labels=("worker",)
            )
            gauge.add_metric((worker,), value)
            yield gauge
        yield self._backends(worker)

    def _totals(self) -> Iterator[Metric]:
        kinds = list(self._runtime.totals.by_kind())
        for name, column, divisor, help_text in (
            ("requests", "requests", 1, "Requests answered."),
            ("errors", "errors", 1, "Requests that failed."),
            ("prompt_tokens", "prompt_tokens", 1, "Tokens read."),
            ("completion_tokens", "completion_tokens", 1, "Tokens written."),
            ("spent_usd", "spent_nano", NANO_PER_USD, "Dollars paid to providers."),
        ):
            family = CounterMetricFamily(f"llm_router_{name}", help_text, labels=KIND)
            for kind, sums in kinds:
                family.add_metric(kind, sums[column] / divisor)
            yield family
        # A gauge: an answer dearer than the baseline takes something back.
        saved = GaugeMetricFamily(
            "llm_router_saved_usd", "Dollars saved against the baseline.", labels=KIND
        )
        for kind, sums in kinds:
            saved.add_metric(kind, nano_to_usd(sums["saved_nano"]))
        yield saved

    def _backends(self, worker: str) -> Metric:
        family = GaugeMetricFamily(
            "llm_router_backend_up",
            "1 while a backend takes requests.",
            labels=("worker", "backend", "status"),
        )
        runtime = self._runtime
        for backend in runtime.pool.status(runtime.snapshot.catalog):
            up = backend["status"] in ("healthy", "degraded", "starting")
            family.add_metric((worker, backend["name"], backend["status"]), int(up))
        return family
