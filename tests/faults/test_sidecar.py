"""Whatever the sidecar does, requests are answered (R16)."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.sidecar import FAILURES_TO_PAUSE
from routing.catalog import Catalog
from routing.learned.brain import Brain
from routing.learned.router import Router
from routing.learned.targets import Target
from tests import ROOT
from tests.conversations import listening
from tests.faultllm import FaultLLM, closed_port
from tests.harness import Gateway, Reply, ask, serving, three_tiers
from tests.routing.learned.samples import small_router


@dataclass
class FakeSidecar:
    """A classifier that says what the test says. `asked` has what it was sent."""

    url: str
    answer: bytes = b'{"strong_win_rate": 0.5}'
    status: int = 200
    headers: str = ""
    pause: float = 0.0  # before each byte, and before the first one
    asked: list[dict] | None = None


@asynccontextmanager
async def fake_sidecar() -> AsyncIterator[FakeSidecar]:
    fake = FakeSidecar("", asked=[])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
        fake.asked.append(json.loads(await reader.readexactly(size)))
        response = f"HTTP/1.1 {fake.status} X\r\ncontent-length: {len(fake.answer)}\r\n"
        response += f"{fake.headers}connection: close\r\n\r\n"
        await send(writer, response.encode() + fake.answer)

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        step = 1 if fake.pause else len(data)
        for start in range(0, len(data), step):
            await asyncio.sleep(fake.pause)
            writer.write(data[start : start + step])
            await writer.drain()

    async with listening(serve) as url:
        fake.url = f"{url}/classify"
        yield fake


def tiers_with(url: str, sidecar_url: str, budget_seconds: float = 20) -> Catalog:
    """The budget is long, so that a busy machine makes no sidecar look slow."""
    return three_tiers(
        url, sidecar_url=sidecar_url, sidecar_budget_seconds=budget_seconds
    )


async def decided(gateway: Gateway, text: str = "Hi") -> tuple[Reply, list[str]]:
    """The answer, and what the sidecar's step and the tier's step said."""
    reply = await ask(gateway, text)
    decisions = gateway.records("request")[-1]["decisions"]
    return reply, [d["text"] for d in decisions if d["step"] in ("sidecar", "tier")]


def alone(problem: str) -> str:
    return f"The sidecar decides nothing. {problem} The heuristic decides alone."


NO_RATE = alone("What it said is no strong_win_rate from 0 to 1.")
NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0.5",
    b"<html>",
    b"\xff\xfe\x00",
    b'{"strong_win_rate": null}',
    b'{"strong_win_rate": "0.5"}',
    b'{"strong_win_rate": true}',
    b'{"strong_win_rate": [0.5]}',
    b'{"strong_win_rate": NaN}',
    b'{"strong_win_rate": Infinity}',
    b'{"strong_win_rate": -0.01}',
    b'{"strong_win_rate": 1.01}',
    b'{"strong_win_rate": 1e999}',
    b'{"strong_win_rate": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"strong_win_rate"' + b": 0.5}" * 2,
    b'{"win_rate": 0.5}',
]


@pytest.mark.parametrize("answer", NONSENSE)
async def test_r16_a_sidecar_that_talks_nonsense_is_not_listened_to(
    upstream: FaultLLM, tmp_path: Path, answer: bytes
):
    async with fake_sidecar() as sidecar:
        sidecar.answer = answer
        catalog = tiers_with(upstream.url, sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    assert (reply.status, reply.headers["x-llm-router-tier"]) == (200, "1")
    assert said == [NO_RATE, "Score 5 is at most 30: tier 1."]
    assert len(sidecar.asked) == 1


@pytest.mark.parametrize("status", [204, 302, 400, 404, 500, 503])
async def test_r16_a_sidecar_that_fails_is_done_without(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    async with fake_sidecar() as sidecar:
        sidecar.status = status
        sidecar.headers = f"location: {upstream.url}\r\n"
        sidecar.answer = b"" if status == 204 else sidecar.answer
        catalog = tiers_with(upstream.url, sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    answered = NO_RATE if status == 204 else alone(f"It answered {status}.")
    assert (reply.status, said[0]) == (200, answered)
    assert upstream.strays == 0


@pytest.mark.parametrize("pause", [60.0, 0.02])
async def test_r16_a_slow_sidecar_costs_no_more_than_its_budget(
    upstream: FaultLLM, tmp_path: Path, pause: float
):
    """Silent, or a byte at a time, which would take two seconds."""
    async with fake_sidecar() as sidecar:
        sidecar.pause = pause
        catalog = tiers_with(upstream.url, sidecar.url, budget_seconds=0.05)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)
            (record,) = gateway.records("request")

    assert (reply.status, said[0]) == (200, alone("It did not answer within 50 ms."))
    assert record["overhead_ms"] < 1000


async def test_r16_a_sidecar_that_is_down_is_left_alone_for_a_while(
    upstream: FaultLLM, tmp_path: Path
):
    async with fake_sidecar() as sidecar:
        sidecar.status = 500
        catalog = tiers_with(upstream.url, sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            for number in range(FAILURES_TO_PAUSE + 5):
                reply, said = await decided(gateway, f"Question {number}")

    paused = alone("It failed too often and is left alone for a while.")
    assert (reply.status, said[0]) == (200, paused)
    assert len(sidecar.asked) == FAILURES_TO_PAUSE


async def test_r16_nobody_at_the_sidecars_address(upstream: FaultLLM, tmp_path: Path):
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/classify"
        catalog = tiers_with(upstream.url, url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway)

    assert (reply.status, said[0]) == (200, alone("It can't be reached."))


@pytest.mark.parametrize(
    ("win_rate", "tier"),
    # 0.7 x win rate + 0.3 x 0.05 against 0.6 x 0.5 and 0.5.
    [(0, 1), (0.4, 1), (0.41, 2), (0.69, 2), (0.7, 3), (1, 3)],
)
async def test_r16_a_sidecar_that_works_decides_with_the_heuristic(
    upstream: FaultLLM, tmp_path: Path, win_rate: float, tier: int
):
    async with fake_sidecar() as sidecar:
        sidecar.answer = json.dumps({"strong_win_rate": win_rate}).encode()
        catalog = tiers_with(upstream.url, sidecar.url)
        async with serving(catalog, tmp_path) as gateway:
            reply, said = await decided(gateway, "What is 2+2?")

    assert reply.headers["x-llm-router-tier"] == str(tier)
    assert said[0].startswith("The sidecar gives the strong model a win rate of")
    assert "against the threshold 0.5" in said[1]
    assert sidecar.asked == [{"prompt": "What is 2+2?"}]


async def test_a_sidecar_that_fails_leaves_it_to_a_trained_router_and_says_so(
    upstream: FaultLLM, tmp_path: Path
):
    async with fake_sidecar() as sidecar:
        sidecar.answer = b'{"strong_win_rate": NaN}'
        catalog = tiers_with(upstream.url, sidecar.url)
        router = Router(7, small_router(), catalog, Target())
        async with serving(replace(catalog, brain=Brain(router)), tmp_path) as gateway:
            reply = await ask(gateway, "derive the integral of lamp cloud")
            (record,) = gateway.records("request")

    steps = {decision["step"]: decision for decision in record["decisions"]}
    assert reply.headers["x-llm-router-tier"] == "3"
    assert steps["sidecar"]["source"] == "router"
    assert steps["sidecar"]["text"].endswith("The router decides alone.")
    assert steps["router"]["router"] == 7


async def test_the_example_in_the_docs_is_a_sidecar(upstream: FaultLLM, tmp_path: Path):
    page = (ROOT / "docs" / "routing.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    script = tmp_path / "sidecar.py"
    script.write_text(code)
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, "0", stdout=asyncio.subprocess.PIPE
    )
    try:
        url = (await process.stdout.readline()).decode().strip()
        catalog = tiers_with(upstream.url, url)
        async with serving(catalog, tmp_path / "journal") as gateway:
            easy = await ask(gateway, "Hello")
            hard = await ask(gateway, "Prove that this algorithm ends")
            records = gateway.records("request")
    finally:
        process.kill()
        await process.wait()

    tiers = [reply.headers["x-llm-router-tier"] for reply in (easy, hard)]
    rates = [
        decision["win_rate"]
        for record in records
        for decision in record["decisions"]
        if decision["step"] == "sidecar" and decision["source"] == "sidecar"
    ]
    assert (tiers, rates) == (["1", "3"], [0.2, 1.0])
