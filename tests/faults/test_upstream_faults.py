"""What a client sees, and what the books say, when a provider misbehaves (U1-U25)."""

import asyncio
import ssl
from pathlib import Path

import orjson
import pytest

from routing.catalog import Catalog
from tests.faultllm import Canary, FaultLLM, blackhole, certificate, closed_port
from tests.harness import (
    Gateway,
    Reply,
    ask,
    backend,
    one_backend,
    serving,
    three_tiers,
)

QUICK = {
    "connect_timeout_seconds": 0.3,
    "first_byte_timeout_seconds": 0.3,
    "write_timeout_seconds": 0.3,
    "max_attempts": 2,
}


def two_backends(
    first: str, second: str, first_model: str, **policy: object
) -> Catalog:
    """Two in one tier; the first is cheaper, so it is asked first."""
    one = one_backend(first, first_model, **policy)
    spare = backend("spare", 1, second, price=three_tiers(second).backends[1].price)
    return Catalog(one.tiers, (*one.backends, spare), policy=one.policy)


async def once(
    catalog: Catalog, journal: Path, stream: bool = False
) -> tuple[Reply, list[dict]]:
    """One request, and the attempts the books have of it."""
    async with serving(catalog, journal) as gateway:
        reply = await ask(gateway, stream=stream)
        await gateway.settled()
        return reply, gateway.records("attempt")


def assert_is_error(reply: Reply, status: int, code: str) -> None:
    """I5: JSON in OpenAI's shape, a request id, Retry-After where it belongs."""
    assert (reply.status, reply.error["code"]) == (status, code)
    assert set(reply.json) == {"error"}
    assert set(reply.error) == {"message", "type", "param", "code"}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"]
    if status in (429, 503):
        assert 1 <= int(reply.headers["retry-after"]) <= 120


def assert_ended_badly(reply: Reply) -> None:
    """I6: an error event and no `[DONE]`: truncation never looks like success."""
    assert reply.status == 200
    assert "[DONE]" not in reply.text
    assert reply.error["code"]
    assert '"finish_reason":"stop"' not in reply.text


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
    reply, _ = await once(one_backend("http://nowhere.invalid"), tmp_path)

    assert_is_error(reply, 503, "upstream_unavailable")


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
    assert [a["state"] for a in attempts] == ["unknown"]
    assert len(upstream.attempts) == 1


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


@pytest.mark.parametrize("after", range(1, 8))
async def test_u4_a_stream_that_stalls_ends_with_an_error_and_is_not_cached(
    upstream: FaultLLM, tmp_path: Path, after: int
):
    catalog = one_backend(upstream.url, f"fault/stall-after-{after}", **QUICK)
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=True)
        again = await ask(gateway, stream=True)
        await gateway.settled()
        states = {a["state"] for a in gateway.records("attempt")}

    assert_ended_badly(reply) if reply.status == 200 else assert_is_error(
        reply, 504, "upstream_timeout"
    )
    assert again.headers["x-llm-router-cache"] == "MISS"
    assert states <= {"estimated", "unknown"}


@pytest.mark.parametrize("script", ["rst-after-3", "fin-without-done", "end-after-3"])
async def test_u5_a_stream_without_its_end_is_an_error_however_politely_it_closed(
    upstream: FaultLLM, tmp_path: Path, script: str
):
    catalog = one_backend(upstream.url, f"fault/{script}")
    reply, attempts = await once(catalog, tmp_path, stream=True)

    assert_ended_badly(reply)
    assert [a["state"] for a in attempts] == ["estimated"]


async def cut_at(gateway: Gateway, url: str, byte: int, stream: bool) -> Reply:
    script = f"fault/cut-at-byte-{byte}"
    gateway.serve_catalog(one_backend(url, script, cache_enabled=False))
    return await ask(gateway, stream=stream)


async def sweep(upstream: FaultLLM, journal: Path, stream: bool, step: int) -> None:
    """Cut the connection after every `step`-th byte until an answer is complete."""
    async with serving(one_backend(upstream.url), journal) as gateway:
        whole = await ask(gateway, stream=stream)
        for byte in range(1, 20_000, step):
            reply = await cut_at(gateway, upstream.url, byte, stream)
            if upstream.attempts[-1].bytes_out < byte:
                break
            if reply.status == 200 and stream:
                # The last bytes of HTTP's own framing carry nothing of the answer.
                complete = reply.text.endswith("[DONE]\n\n")
                assert complete or "error" in reply.events[-1]
            elif reply.status == 200:
                assert reply.content
            else:
                assert reply.error["code"] in (
                    "upstream_incomplete",
                    "upstream_unavailable",
                    "bad_upstream_response",
                )
        else:
            pytest.fail("The answer was never complete.")
        await gateway.settled()
        ids = [a["attempt_id"] for a in gateway.records("attempt")]

    assert whole.status == 200
    assert sorted(ids) == sorted(a.attempt_id for a in upstream.attempts)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("stream", [False, True])
async def test_u5_a_cut_anywhere_is_an_error_and_one_row(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    await sweep(upstream, tmp_path, stream, step=53)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
async def test_u5_a_cut_after_every_single_byte(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    await sweep(upstream, tmp_path, stream, step=1)


@pytest.mark.parametrize(
    "framing",
    ["crlf", "cr", "mixed", "nospace", "comments", "bom", "one-byte", "multi-line"],
)
async def test_u6_a_stream_in_odd_clothes_is_the_same_stream(
    upstream: FaultLLM, tmp_path: Path, framing: str
):
    plain, _ = await once(one_backend(upstream.url), tmp_path / "plain", stream=True)
    catalog = one_backend(upstream.url, f"fault/{framing}+unicode")
    odd, _ = await once(catalog, tmp_path / "odd", stream=True)

    assert odd.events[-1] == plain.events[-1] == "[DONE]"
    assert "漢字" in odd.content


async def test_u6_a_line_of_ten_megabytes_is_an_error_not_memory(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/long-line-10")
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.status == 502 or reply.error["code"] == "bad_upstream_response"


@pytest.mark.parametrize("script", ["html-200", "empty-200", "half-json", "bad-gzip"])
async def test_u7_garbage_with_status_200_is_502_never_shown_and_never_cached(
    upstream: FaultLLM, tmp_path: Path, script: str
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.script = [script]
        reply = await ask(gateway)
        again = await ask(gateway)

    assert reply.status == 502
    assert reply.error["code"] in ("bad_upstream_response", "upstream_incomplete")
    assert "<html" not in reply.text
    assert (again.status, again.headers["x-llm-router-cache"]) == (200, "MISS")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", range(7, 8)), ("-5", range(1, 121)), ("1000000000", range(120, 121))]
    + [("soon", range(1, 121)), ("Fri, 01 Jan 2027 00:00:00 GMT", range(120, 121))],
)
async def test_u8_a_rate_limit_comes_with_a_wait_that_makes_sense(
    upstream: FaultLLM, tmp_path: Path, header: str, seconds: range
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.script = [f"retry-after={header}"]
        reply = await ask(gateway)
        status = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert_is_error(reply, 429, "rate_limited")
    assert int(reply.headers["retry-after"]) in seconds
    assert status["status"] == "rate_limited"


async def test_u9_an_overloaded_provider_is_replaced(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/overloaded-529")
    reply, _ = await once(catalog, tmp_path)
    alone, _ = await once(
        one_backend(upstream.url, "fault/overloaded-529"), tmp_path / "alone"
    )

    assert reply.headers["x-llm-router-model"] == "spare"
    assert_is_error(alone, 503, "upstream_overloaded")


async def test_u10_a_storm_of_errors_is_not_multiplied(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.always = "status-500"
        replies = [await ask(gateway, f"Question {n}") for n in range(100)]

    assert {reply.status for reply in replies} <= {502, 503}
    assert upstream.total <= 120


async def test_u11_one_failure_in_five_is_not_seen_by_clients(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/flaky-20")
    async with serving(catalog, tmp_path) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(100)]

    assert sum(reply.status == 200 for reply in replies) >= 99
    assert upstream.total <= 120


@pytest.mark.parametrize("status", [401, 403])
async def test_u12_a_revoked_provider_key_is_never_the_clients_401(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    async with serving(
        one_backend(upstream.url, f"fault/status-{status}"), tmp_path
    ) as gateway:
        reply = await ask(gateway)
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert_is_error(reply, 502, "upstream_auth_error")
    assert reply.headers["x-should-retry"] == "false"
    assert shown["status"] == "misconfigured"
    assert "upstream-key" not in reply.text


async def test_u13_the_clients_own_mistake_is_passed_on_and_harms_nobody(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/status-400")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]
        attempts = gateway.records("attempt")

    assert reply.status == 400
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]
    assert shown["status"] in ("healthy", "starting")
    assert len(upstream.attempts) == 1


async def test_u14_a_prompt_too_long_says_so(upstream: FaultLLM, tmp_path: Path):
    reply, _ = await once(
        one_backend(upstream.url, "fault/context-length-400"), tmp_path
    )

    assert_is_error(reply, 400, "context_length_exceeded")


async def test_u15_an_error_event_before_the_first_word_is_replaced_unseen(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/error-event-at-0")
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.events[-1] == "[DONE]"
    assert reply.headers["x-llm-router-model"] == "spare"


async def test_u15_an_error_event_in_the_middle_ends_the_stream(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/error-event-at-5")
    reply, attempts = await once(catalog, tmp_path, stream=True)

    assert_ended_badly(reply)
    assert [a["state"] for a in attempts] == ["estimated"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("usage-missing", "estimated"),
        ("usage-null", "estimated"),
        ("usage-negative", "estimated"),
        ("usage-absurd", "estimated"),
        ("usage-zero", "billed"),
        ("usage-twice", "billed"),
        ("usage-on-content", "billed"),
    ],
)
async def test_u16_usage_is_taken_as_reported_or_estimated_and_never_summed(
    upstream: FaultLLM, tmp_path: Path, script: str, state: str, stream: bool
):
    reply, attempts = await once(
        one_backend(upstream.url, f"fault/{script}"), tmp_path, stream
    )

    assert reply.status == 200
    (attempt,) = attempts
    assert attempt["state"] == state
    if script == "usage-zero":
        assert attempt["cost_nano"] == 0
    elif state == "billed":
        bill = upstream.attempts[0]
        assert attempt["prompt_tokens"] == bill.prompt_billed
        assert attempt["completion_tokens"] == bill.completion_billed
    else:
        assert 0 < attempt["completion_tokens"] < 100


async def test_u17_a_slow_trickle_is_let_flow_and_kept_alive(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/trickle-150ms", keepalive_seconds=0.05)
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.events[-1] == "[DONE]"
    assert ": keep-alive" in reply.text


@pytest.mark.parametrize("stream", [False, True])
async def test_u18_an_endless_answer_is_cut(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = one_backend(upstream.url, "fault/endless", max_answer_bytes=200_000)
    reply, _ = await once(catalog, tmp_path, stream)

    if stream:
        assert_ended_badly(reply)
    assert reply.error["code"] == "answer_too_large"
    assert len(reply.text) < 400_000


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
    async with serving(one_backend(upstream.url, **QUICK), tmp_path) as gateway:
        while (await ask(gateway)).headers.get("x-llm-router-model"):
            pass
        down = [(await ask(gateway, f"{n}")).status for n in range(5)]
        async with upstream, asyncio.timeout(15):
            while (await ask(gateway)).status != 200:
                await asyncio.sleep(0.1)

    assert set(down) == {503}


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


@pytest.mark.parametrize(
    "script", ["wrong-model-x", "extra-fields", "finish-vendor_reason", "reasoning"]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_u25_what_we_do_not_know_is_passed_on_unchanged(
    upstream: FaultLLM, tmp_path: Path, script: str, stream: bool
):
    reply, _ = await once(
        one_backend(upstream.url, f"fault/{script}"), tmp_path, stream
    )
    direct = await direct_answer(upstream, script, stream)

    assert reply.status == 200
    assert shape(reply) == shape(direct)


async def direct_answer(upstream: FaultLLM, script: str, stream: bool) -> Reply:
    stand_in = Gateway(upstream.url, None, Path())
    options = {"stream_options": {"include_usage": False}} if stream else {}
    return await ask(stand_in, model=f"fault/{script}", stream=stream, **options)


def shape(reply: Reply) -> set[str]:
    """Every field's path, and what doesn't differ between two calls."""
    bodies = reply.events[:-1] if reply.events else [reply.text]
    return {path for body in bodies for path in paths(orjson.loads(body))}


def paths(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {found for key in value for found in paths(value[key], f"{path}.{key}")}
    if isinstance(value, list):
        return {found for item in value for found in paths(item, f"{path}[]")}
    constant = path.endswith(("finish_reason", "role", "object", "model", "type"))
    return {f"{path}={value}" if constant else path}
