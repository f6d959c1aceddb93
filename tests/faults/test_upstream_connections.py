"""Providers that can't be reached, say nothing, or send elsewhere
(U1-U3, U19, U20, U22, U24).
"""

import asyncio
import ssl
from pathlib import Path

import pytest

from routing.health import PANIC_SECONDS
from tests.faultllm import Canary, FaultLLM, blackhole, certificate, closed_port
from tests.faults.outcomes import (
    QUICK,
    assert_is_error,
    once,
    two_backends,
)
from tests.harness import (
    Clock,
    ask,
    one_backend,
    serving,
)


@pytest.mark.parametrize("stream", [False, True])
async def test_u1_a_provider_that_refuses_connections_is_503_and_free(
    tmp_path: Path, stream: bool
):
    with closed_port() as port:
        reply, attempts = await once(
            one_backend(f"http://127.0.0.1:{port}"), tmp_path, stream
        )

    assert_is_error(reply, 503, "upstream_unavailable")
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]


async def test_u1_a_name_that_does_not_resolve_is_503(tmp_path: Path):
    reply, attempts = await once(one_backend("http://nowhere.invalid"), tmp_path)

    assert_is_error(reply, 503, "upstream_unavailable")
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]


async def test_u1_another_backend_takes_over_unseen(upstream: FaultLLM, tmp_path: Path):
    with closed_port() as port:
        catalog = two_backends(f"http://127.0.0.1:{port}", upstream.url, "small")
        reply, attempts = await once(catalog, tmp_path)

    assert reply.status == 200
    assert [a["state"] for a in attempts] == ["free", "billed"]


async def test_u2_a_black_hole_costs_no_more_than_the_connect_timer(tmp_path: Path):
    with blackhole() as port:
        catalog = one_backend(f"http://127.0.0.1:{port}", **QUICK)
        reply, attempts = await once(catalog, tmp_path)

    assert_is_error(reply, 503, "upstream_unavailable")
    assert [a["state"] for a in attempts] == ["free"]


@pytest.mark.parametrize("stream", [False, True])
async def test_u3_silence_after_the_request_is_504_and_not_paid_for_twice(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = two_backends(
        upstream.url, upstream.url, "fault/stall-before-headers", **QUICK
    )
    reply, attempts = await once(catalog, tmp_path, stream)

    assert_is_error(reply, 504, "upstream_timeout")
    assert reply.headers["x-should-retry"] == "false"
    (attempt,) = attempts
    assert attempt["state"] == "unknown"
    assert attempt["cost_nano"] > 0  # it may be billed, so it counts as spent
    assert len(upstream.attempts) == 1


async def test_u3_a_whole_answer_has_its_time_from_the_request_on(
    upstream: FaultLLM, tmp_path: Path
):
    patient = QUICK | {"first_byte_timeout_seconds": 600}
    catalog = one_backend(upstream.url, "fault/stall-before-headers", **patient)
    async with serving(catalog, tmp_path) as gateway, asyncio.timeout(20):
        reply = await ask(gateway)

    assert_is_error(reply, 504, "upstream_timeout")


async def test_u3_the_policy_may_allow_a_second_try(upstream: FaultLLM, tmp_path: Path):
    catalog = two_backends(
        upstream.url,
        upstream.url,
        "fault/stall-before-headers",
        retry_ambiguous=True,
        **QUICK,
    )
    reply, attempts = await once(catalog, tmp_path)

    assert reply.status == 200
    assert [a["state"] for a in attempts] == ["unknown", "billed"]


async def test_u19_a_kept_connection_closed_under_us_is_replaced_unseen(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/close-on-reuse", cache_enabled=False)
    async with serving(catalog, tmp_path) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(4)]
        await gateway.settled()
        attempts = gateway.records("attempt")

    assert [reply.status for reply in replies] == [200] * 4
    billed = [a for a in upstream.attempts if a.billed]
    assert sum(a["state"] == "billed" for a in attempts) == len(billed) == 4
    assert sorted(a["attempt_id"] for a in attempts) == sorted(
        a.attempt_id for a in upstream.attempts
    )
    lost = [a for a in attempts if a["state"] != "billed"]
    assert {(a["state"], a["cost_nano"]) for a in lost} == {("free", 0)}


async def test_u19_the_second_try_takes_no_kept_connection(
    upstream: FaultLLM, tmp_path: Path
):
    """Of two that are kept both are about to be closed."""
    catalog = one_backend(upstream.url, "fault/close-on-reuse", cache_enabled=False)
    async with serving(catalog, tmp_path) as gateway:
        upstream.script = ["hold", "hold"]
        asked = [asyncio.create_task(ask(gateway, f"Question {n}")) for n in range(2)]
        await upstream.until(lambda: upstream.holding == 2)
        upstream.release()
        await asyncio.gather(*asked)
        reply = await ask(gateway, "Question 2")

    assert reply.status == 200
    assert upstream.total == 2 + 2
    assert upstream.connections == 2 + 1


@pytest.mark.parametrize("byte", [1, 20])
async def test_u19_a_new_connection_closed_without_an_answer_is_not_tried_again(
    upstream: FaultLLM, tmp_path: Path, byte: int
):
    """Nobody knows whether the provider did the work."""
    script = f"fault/cut-at-byte-{byte}"
    reply, attempts = await once(
        two_backends(upstream.url, upstream.url, script), tmp_path
    )

    assert_is_error(reply, 502, "upstream_incomplete")
    assert reply.headers["x-should-retry"] == "false"
    assert [a["state"] for a in attempts] == ["unknown"]
    assert upstream.total == 1


async def test_u20_a_redirect_is_never_followed(upstream: FaultLLM, tmp_path: Path):
    with Canary() as canary:
        script = f"fault/redirect-302={canary.url}"
        reply, _ = await once(one_backend(upstream.url, script), tmp_path)

    assert_is_error(reply, 502, "bad_upstream_response")
    assert canary.hits == []


async def test_u22_backends_that_all_went_down_are_noticed_when_they_come_back(
    tmp_path: Path,
):
    upstream = FaultLLM()
    async with upstream:
        pass  # now its port is known, and closed
    clock = Clock()
    catalog = one_backend(upstream.url, "fault/hold", **QUICK)
    async with serving(catalog, tmp_path, clock=clock) as gateway:
        down = [await ask(gateway, f"{n}") for n in range(7)]
        async with upstream:
            clock.now += PANIC_SECONDS
            trial = asyncio.create_task(ask(gateway))
            await upstream.until(lambda: upstream.holding == 1)
            meanwhile = await ask(gateway, "Another")
            upstream.release()
            back = await trial
        attempts = gateway.records("attempt")

    for reply in (*down, meanwhile):
        assert_is_error(reply, 503, "upstream_unavailable")
    # Two told that it was down; nobody tried it again before its time.
    assert [a["state"] for a in attempts] == ["free", "free", "billed"]
    assert back.status == 200


@pytest.mark.parametrize("trouble", ["other-host", "expired"])
async def test_u24_a_bad_certificate_is_502_and_the_key_stays_here(
    tmp_path: Path, trouble: str
):
    host = "other.example" if trouble == "other-host" else "127.0.0.1"
    made = certificate(tmp_path, host, expired=trouble == "expired")
    async with FaultLLM(tls=made.server_context()) as upstream:
        reply, attempts = await once(one_backend(upstream.url), tmp_path / "journal")

    assert isinstance(made.server_context(), ssl.SSLContext)
    assert_is_error(reply, 502, "upstream_tls")
    assert [a["state"] for a in attempts] == ["free"]
    assert upstream.attempts == []
