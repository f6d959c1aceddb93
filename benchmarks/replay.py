"""Logs requests and decides them again: `python -m benchmarks.replay COUNT RULES`.

Runs in a process of its own, with the instance's LLM_ROUTER_DATA_DIR; RULES are JSON,
the policy of the preview. Prints the seconds that took, as JSON.
"""

import json
import os
import sys
import time
from dataclasses import replace
from random import Random

import django
from django.utils import timezone

from benchmarks.prepare import Setup, fill

BORDER = 50  # of the tiers that benchmarks.prepare makes
PREVIEWED = 40


def log(count: int) -> None:
    """Requests of many scores and lengths, half of them asked before."""
    from gateway.models import RequestLog

    random, now = Random(1), timezone.now()

    def row(number: int) -> RequestLog:
        score, tokens = random.randrange(5, 90), random.randrange(10, 5000)
        tier = 1 if score <= BORDER else 2
        facts = {
            "key": f"{random.randrange(count // 2):016x}",
            "meaning": f"{random.randrange(count // 2):016x}",
            "tokens": tokens,
            "output": 500,
            "paid": 5000,
        }
        return RequestLog(
            request_id=f"replayed-{number}",
            at=now,
            scope="key:1",
            endpoint="chat.completions",
            dialect="openai",
            model_asked="auto",
            status=200,
            outcome="ok",
            cache="MISS",
            score=score,
            tier=tier,
            backend=f"backend-{tier - 1}",
            prompt_tokens=tokens,
            completion_tokens=200,
            cost_nano=5000,
            facts=facts,
        )

    RequestLog.objects.bulk_create(map(row, range(count)), batch_size=2000)


def compare(count: int, rules: dict[str, object]) -> float:
    """Seconds for all of them, another border and these rules."""
    from gateway.runtime.snapshot import build
    from gateway.whatif.comparison import Comparison
    from gateway.whatif.rows import after, since

    now = timezone.now()
    saved = build(now).catalog
    tiers = (replace(saved.tiers[0], max_score=PREVIEWED), *saved.tiers[1:])
    preview = replace(saved, tiers=tiers, policy=replace(saved.policy, **rules))
    comparison, query, last = Comparison(saved, preview), since(now, days=1), 0
    began = time.perf_counter()
    while found := after(query, last):
        comparison.add(found)
        last = found[-1].pk
    seconds = time.perf_counter() - began
    if comparison.rows != count or not comparison.changed:
        raise SystemExit("Not all requests were decided again.")
    return seconds


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    count, rules = int(sys.argv[1]), json.loads(sys.argv[2])
    fill(Setup("http://127.0.0.1:9"))
    log(count)
    print(json.dumps([compare(count, rules) for _ in range(3)]))


if __name__ == "__main__":
    main()
