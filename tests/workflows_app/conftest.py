"""A gateway with three tiers, and a way to run workflows on it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.db import connection, connections

from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, serving, three_tiers
from workflows_app.runs import Runs

Run = Callable[..., Awaitable[Reply]]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Path:
    """An empty database with all tables, as a file."""
    path = tmp_path_factory.mktemp("database") / "migrated.sqlite3"

    def migrate() -> None:
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()

    with kept_in(path, django_db_blocker):
        thread = Thread(target=migrate)  # whose connection is its own
        thread.start()
        thread.join()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path, django_db_blocker) -> Iterator[Path]:
    """A database in a file, for threads that write at the same time: the tables of
    one in memory are locked without waiting. Reach it through `in_database`."""
    path = tmp_path / "db.sqlite3"
    shutil.copy(migrated, path)
    with kept_in(path, django_db_blocker):
        yield path


@contextmanager
def kept_in(path: Path, django_db_blocker) -> Iterator[None]:
    """Connections of new threads go to this file."""
    settings = connections.settings["default"]
    before, settings["NAME"] = settings["NAME"], str(path)
    try:
        with django_db_blocker.unblock():
            yield
    finally:
        settings["NAME"] = before


@pytest.fixture
async def gateway(
    upstream: FaultLLM, tmp_path: Path, database: Path
) -> AsyncIterator[Gateway]:
    async with serving(three_tiers(upstream.url), tmp_path / "journal") as running:
        yield running
        await Runs.of(running.runtime).close()


@pytest.fixture
def run(gateway: Gateway) -> Run:
    async def post(
        workflow: object, input: object = "Hi", query: str = "", **fields: Any
    ) -> Reply:
        return await run_on(gateway, workflow, input, query, **fields)

    return post


async def run_on(
    gateway: Gateway,
    workflow: object,
    input: object = "Hi",
    query: str = "",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Reply:
    """One POST /v1/workflows, read to its end."""
    body = {"input": input, "workflow": workflow, **fields}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(
            f"{gateway.url}/v1/workflows{query}", json=body, headers=headers
        )
    return Reply(answer.status_code, answer.headers, answer.text)
