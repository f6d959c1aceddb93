"""Fixtures every test may use."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.apps import apps
from django.core.serializers import deserialize, serialize
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck, settings

# The same examples in every run, however slow or busy the machine is.
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")

# Before Django reads its settings: nothing of a test touches a real instance.
os.environ["LLM_ROUTER_DATA_DIR"] = mkdtemp(prefix="llm-router-tests-")

from gateway.shared.redis_state import RedisState  # noqa: E402
from routing.catalog import Catalog  # noqa: E402
from tests.faultllm import FaultLLM, ThreadedFaultLLM  # noqa: E402
from tests.harness import serving  # noqa: E402
from tests.labelled import folder  # noqa: E402
from tests.memory_state import MemoryState  # noqa: E402
from tests.operators import chromium_page  # noqa: E402
from tests.postgresql import own_database  # noqa: E402
from tests.redis_server import RedisServer, redis_server  # noqa: E402
from tests.workers import State  # noqa: E402


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:
    """A transactional test empties all tables at its end: what migrations wrote is
    written there again, so that tests may run in any order."""
    app = apps.get_app_config("routing")
    with django_db_blocker.unblock():
        kept = {m: serialize("json", m.objects.all()) for m in app.get_models()}

    def write_again(**about: object) -> None:
        for model, rows in kept.items():
            if not model.objects.exists():
                for row in deserialize("json", rows):
                    row.save()

    post_migrate.connect(write_again, sender=app, weak=False)


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """A real password hash takes a third of a second, as it should."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def labelled_data() -> Path:
    """The folder of labelled data."""
    return folder()


@pytest.fixture
async def upstream() -> AsyncIterator[FaultLLM]:
    """A provider that does what the test says."""
    async with FaultLLM() as server:
        yield server


@pytest.fixture
def page() -> Iterator:
    """A page of a real browser."""
    with chromium_page() as made:
        yield made


@pytest.fixture
def threaded_upstream() -> Iterator[ThreadedFaultLLM]:
    """The same for tests that have no event loop."""
    with ThreadedFaultLLM() as server:
        yield server


@pytest.fixture
def live_gateway(tmp_path: Path) -> Callable[[Catalog], AbstractContextManager[str]]:
    """A gateway in a thread of its own; gives its URL."""

    @contextmanager
    def run(catalog: Catalog) -> Iterator[str]:
        started, stop = threading.Event(), asyncio.Event()
        found: list[tuple[str, asyncio.AbstractEventLoop]] = []

        async def serve() -> None:
            async with serving(catalog, tmp_path / "journal") as gateway:
                found.append((gateway.url, asyncio.get_running_loop()))
                started.set()
                await stop.wait()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert started.wait(20)
        url, loop = found[0]
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(20)

    return run


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL database of the test's own."""
    with own_database() as address:
        yield address


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.service)])
def ways(request: pytest.FixtureRequest) -> State:
    """Ways to one shared state: the dictionary of the tests, and a real Redis."""
    if request.param == "memory":
        memory = MemoryState()
        return lambda: memory
    server: RedisServer = request.getfixturevalue("redis")
    # A machine that is busy with tests may starve it for a while.
    return lambda: RedisState(server.url, timeout=5.0)
