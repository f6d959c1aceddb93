"""What PostgreSQL did, but could not say, is counted once."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import ROOT
from tests.gateway.limits.bank import Bank
from tests.postgresql import own_database

pytestmark = pytest.mark.service

COUNTING = """
import asyncio, django, structlog, sys
structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
django.setup()

from contextlib import suppress
from gateway.limits.counters import CountersDown
from gateway.limits.in_database import DatabaseCounters
from tests.gateway.limits.samples import NOON, mark, settled


async def main():
    counters = DatabaseCounters(lambda: NOON)
    await counters.reserve([mark(40, hold="before")])
    await counters.reserve([mark(20, hold="other")])
    print("lose it", flush=True)
    await asyncio.to_thread(input)
    with suppress(CountersDown):
        await change(counters)
    await settled(counters)
    while not counters.usable:
        await asyncio.sleep(0.02)
    counters.settle([mark(20, hold="other")], [5])  # after what is tried again
    await settled(counters)
    print(*await counters.reserve([mark(0)]), flush=True)
    await counters.close()
"""
SET_ASIDE = """
async def change(counters):
    await counters.reserve([mark(40, hold="lost")])

asyncio.run(main())
"""
SETTLED = """
async def change(counters):
    counters.settle([mark(40, hold="before")], [7])

asyncio.run(main())
"""
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Lossy:
    """Before a PostgreSQL: when told to, it ends the connection that commits. The
    COMMIT arrives before that, or `late`: when another session waits for its locks."""

    def __init__(self, database: str, late: bool) -> None:
        self.database = database
        self.late = late
        self.losing = False
        self.lost = 0
        self.connections: list[asyncio.Task[None]] = []

    def connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        place = urlsplit(self.database)
        from_database, to_database = await asyncio.open_connection(
            place.hostname, place.port
        )
        back = asyncio.create_task(copy(from_database, writer))
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.losing and data.endswith(COMMIT):
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    self.losing = False
                    self.lost += 1
                    await self._lose(data, to_database, from_database, writer)
                    break
                to_database.write(data)
        back.cancel()
        for end in (to_database, writer):
            end.close()
            with suppress(OSError):
                await end.wait_closed()

    async def _lose(
        self,
        commit: bytes,
        to_database: asyncio.StreamWriter,
        from_database: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if self.late:
            writer.close()
            await asyncio.to_thread(self._wait_for_who_waits)
        to_database.write(commit)
        await from_database.read(1)

    def _wait_for_who_waits(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as watch:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while watch.execute(waiting).fetchone() == (0,):
                pass


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("bank")
    with own_database() as address:
        yield Bank(folder, "http://127.0.0.1:1", DATABASE_URL=address)


@pytest.fixture
def bank(migrated: Bank) -> Bank:
    with psycopg.connect(migrated.more["DATABASE_URL"]) as database:
        database.execute("TRUNCATE gateway_limitcounter, gateway_limithold")
    return migrated


def count_after(script: str, bank: Bank, *, late: bool = False) -> str:
    """What the counter stands at after the answer to one COMMIT was lost."""

    async def run() -> str:
        proxy = Lossy(bank.more["DATABASE_URL"], late)
        server = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = urlsplit(proxy.database)._replace(netloc=f"postgres@127.0.0.1:{port}")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", COUNTING + script),
            cwd=ROOT,
            env={
                **bank.environ,
                "DATABASE_URL": url.geturl(),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        try:
            assert await process.stdout.readline() == b"lose it\n"
            proxy.losing = True
            process.stdin.write(b"\n")
            async with asyncio.timeout(120):
                said = await process.stdout.readline()
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        server.close()
        await asyncio.gather(*proxy.connections)
        assert proxy.lost == 1
        return said.decode().strip()

    return asyncio.run(run())


def test_what_was_set_aside_without_an_answer_is_given_back(bank: Bank):
    assert count_after(SET_ASIDE, bank) == "Count(spent=5, reserved=40)"


def test_so_is_what_is_set_aside_after_it_was_given_back(bank: Bank):
    assert count_after(SET_ASIDE, bank, late=True) == "Count(spent=5, reserved=40)"


def test_a_settlement_without_an_answer_is_made_once(bank: Bank):
    assert count_after(SETTLED, bank) == "Count(spent=12, reserved=0)"


def test_so_is_one_that_is_made_while_it_is_made_again(bank: Bank):
    assert count_after(SETTLED, bank, late=True) == "Count(spent=12, reserved=0)"
