"""Fills the database of an instance: `python -m benchmarks.prepare JSON`.

Runs in a process of its own, with the instance's LLM_ROUTER_DATA_DIR, and prints the
secret of an API key.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import django
from django.utils import timezone

DOLLAR = 1_000_000_000  # per million tokens, in nano-USD


@dataclass(frozen=True)
class Setup:
    """What an instance holds when it starts. `policy` are fields of RoutingPolicy."""

    base_url: str
    backends: int = 3
    keys: int = 1
    log_rows: int = 0
    slots: int = 0  # requests at the same time of each backend
    policy: Mapping[str, object] = field(default_factory=dict)

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Setup":
        return cls(**json.loads(text))


def fill(setup: Setup) -> str:
    """Migrate and insert; returns the secret of the key that is used."""
    from django.core.management import call_command

    from gateway.models import ApiKey
    from routing.models import RoutingPolicy

    call_command("migrate", verbosity=0, interactive=False)
    RoutingPolicy.load()
    RoutingPolicy.objects.update(**setup.policy)
    insert_backends(setup)
    others = [
        ApiKey(name=f"key {number}", digest=f"{number:064x}")
        for number in range(1, setup.keys)
    ]
    ApiKey.objects.bulk_create(others, batch_size=1000)
    secret = ApiKey.issue("benchmark")[1]
    if setup.log_rows:
        insert_log_rows(setup.log_rows)
    return secret


def insert_backends(setup: Setup) -> None:
    """Backends take turns in two tiers, each with a price."""
    from routing.models import Backend, Price, Tier

    tiers = [
        Tier.objects.create(rank=1, name="small", max_score=50),
        Tier.objects.create(rank=2, name="large"),
    ]
    backends = Backend.objects.bulk_create(
        Backend(
            name=f"backend-{number}",
            tier=tiers[number % 2],
            provider="openai-compatible",
            model=f"model-{number}",
            base_url=setup.base_url,
            max_in_flight=setup.slots,
        )
        for number in range(setup.backends)
    )
    Price.objects.bulk_create(
        Price(
            backend=backend,
            effective_from=timezone.now(),
            input=backend.tier.rank * DOLLAR,
            output=backend.tier.rank * 5 * DOLLAR,
            cache_read=backend.tier.rank * DOLLAR // 10,
            cache_write=backend.tier.rank * DOLLAR,
        )
        for backend in backends
    )


def insert_log_rows(count: int) -> None:
    """So many rows of the request log, made by the database out of one."""
    from django.db import connection

    from gateway.models import RequestLog

    first = RequestLog.objects.create(
        request_id="first",
        at=timezone.now(),
        scope="key:1",
        endpoint="chat.completions",
        dialect="openai",
        model_asked="auto",
        status=200,
        outcome="ok",
        cache="MISS",
        backend="backend-0",
        decisions=[{"step": "cache", "text": "No stored answer is used."}] * 5,
    )
    fields = RequestLog._meta.concrete_fields
    columns = [field.attname for field in fields if not field.primary_key]
    values = ["'copy-' || n" if name == "request_id" else name for name in columns]
    table = RequestLog._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS "
            "(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s) "
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM numbers, {table} WHERE id = %s",
            [count - 1, first.pk],
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(fill(Setup.load(sys.argv[1])))
