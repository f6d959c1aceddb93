"""Addresses where no upstream is, and certificates nobody should accept."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from tests.faultllm import Canary, FaultLLM, blackhole, certificate, closed_port


def test_a_closed_port_refuses() -> None:
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_blackhole_neither_accepts_nor_refuses() -> None:
    with blackhole() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.3)


def test_a_canary_records_what_it_was_told() -> None:
    with (
        Canary() as canary,
        socket.create_connection(("127.0.0.1", canary.port)) as caller,
    ):
        caller.sendall(b"GET /x HTTP/1.1\r\nauthorization: k\r\n\r\n")
        assert caller.recv(100).startswith(b"HTTP/1.1 200 OK")

    [hit] = canary.hits
    assert b"authorization: k" in hit


def test_a_canary_nobody_met_has_no_hits() -> None:
    with Canary() as canary:
        pass

    assert canary.hits == []


async def shake_hands(upstream: FaultLLM, trusted: Path) -> None:
    context = ssl.create_default_context(cafile=trusted)
    _, writer = await asyncio.open_connection(upstream.host, upstream.port, ssl=context)
    writer.close()
    await writer.wait_closed()


async def test_a_trusted_certificate_is_accepted(tmp_path: Path) -> None:
    good = certificate(tmp_path)
    async with FaultLLM(tls=good.server_context()) as upstream:
        assert upstream.url.startswith("https://")
        await shake_hands(upstream, good.file)


@pytest.mark.parametrize(
    ("host", "expired", "reason"),
    [
        ("127.0.0.1", True, "expired"),
        ("other.example", False, "IP address mismatch"),
    ],
)
async def test_a_bad_certificate_is_refused_even_if_trusted(
    tmp_path: Path, host: str, expired: bool, reason: str
) -> None:
    bad = certificate(tmp_path, host, expired=expired)
    async with FaultLLM(tls=bad.server_context()) as upstream:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            await shake_hands(upstream, bad.file)
