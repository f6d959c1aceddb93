"""Row 10, preview: how long it takes to decide the requests of the log once more."""

import json
import subprocess
import tempfile

from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.instance import environment
from benchmarks.processes import ROOT, module
from benchmarks.report import Bar, Measure

REQUESTS = 100_000
SECONDS = Bar(5.0, "lower")
PREVIEWS = {
    "another border": {},
    "another border and lifetime": {"cache_ttl_seconds": 9999.0},
}


def measure(bench: Bench) -> list[Measure]:
    return [
        Measure(
            "10 preview",
            f"{REQUESTS:,} requests, {name}",
            seconds(bench, rules),
            unit="s",
            bar=SECONDS,
        )
        for name, rules in PREVIEWS.items()
    ]


def seconds(bench: Bench, rules: dict[str, float]) -> list[float]:
    folder = tempfile.mkdtemp(prefix="preview-", dir=bench.folder)
    done = subprocess.run(
        module("benchmarks.replay", str(REQUESTS), json.dumps(rules)),
        cwd=ROOT,
        env={**environment(), "LLM_ROUTER_DATA_DIR": folder},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BenchmarkError(f"Nothing was decided again:\n{done.stderr[-1500:]}")
    return [float(each) for each in json.loads(done.stdout.splitlines()[-1])]
