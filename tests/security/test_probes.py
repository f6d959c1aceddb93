"""Probes go where completion calls go, and nowhere else."""

import asyncio
from pathlib import Path

import pytest

from routing.catalog import Catalog
from tests.conversations import listening
from tests.faultllm import FaultLLM
from tests.harness import one_backend, serving
from tests.security.addresses import (
    QUICK,
    probe_once,
)

BAD_NAMES = [
    "http://xn--0.example",
    "http://a..b",
    "http://" + "a" * 70 + ".example",
    "http://0251.0376.0251.0376",
    "http://\uff11\uff16\uff19.254.169.254",
]


@pytest.mark.parametrize("url", BAD_NAMES)
async def test_s8_a_name_that_is_none_costs_its_own_probe_and_no_others(
    tmp_path: Path, url: str
):
    async with serving(one_backend(url, **QUICK), tmp_path) as gateway:
        assert await probe_once(gateway) == "CONNECT_ERROR"


async def test_a_probe_of_a_provider_that_lives_finds_it_alive(
    upstream: FaultLLM, tmp_path: Path
):
    catalog: Catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        assert await probe_once(gateway) == "OK"
    assert upstream.probes == 1


async def test_i8_a_probe_does_not_read_an_answer_without_end(tmp_path: Path):
    async def never_end(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 1000)
            await asyncio.sleep(0.05)

    async with (
        listening(never_end) as url,
        serving(one_backend(url), tmp_path) as gateway,
        asyncio.timeout(2),
    ):
        outcome = await probe_once(gateway)

    assert outcome == "OK"
