"""Streams that stall, end early, never end, or look odd (U4-U6, U15, U17, U18, U25)."""

from pathlib import Path

import orjson
import pytest

from tests.faultllm import FaultLLM
from tests.faults.outcomes import (
    QUICK,
    assert_ended_badly,
    assert_is_error,
    once,
    two_backends,
)
from tests.harness import (
    Gateway,
    Reply,
    ask,
    one_backend,
    serving,
)


@pytest.mark.parametrize("after", range(1, 8))
async def test_u4_a_stream_that_stalls_ends_with_an_error_and_is_not_cached(
    upstream: FaultLLM, tmp_path: Path, after: int
):
    catalog = one_backend(upstream.url, f"fault/stall-after-{after}", **QUICK)
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=True)
        again = await ask(gateway, stream=True)
        await gateway.settled()
        states = [a["state"] for a in gateway.records("attempt")]

    assert_ended_badly(reply) if reply.status == 200 else assert_is_error(
        reply, 504, "upstream_timeout"
    )
    assert again.headers["x-llm-router-cache"] == "MISS"
    # The first chunk says nothing yet, and nobody knows what came after it.
    assert states == ["unknown" if after == 1 else "estimated"] * 2


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


INCOMPLETE = (502, "upstream_incomplete")


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
                assert complete or reply.error["code"] == INCOMPLETE[1]
            elif reply.status == 200:
                assert reply.content
            else:
                assert (reply.status, reply.error["code"]) == INCOMPLETE
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
    ["crlf", "cr", "mixed", "nospace", "comments", "ids", "bom", "one-byte"]
    + ["multi-line", "multi-line+crlf+one-byte", "multi-line+mixed+bom+one-byte"],
)
async def test_u6_a_stream_in_odd_clothes_is_the_same_stream(
    upstream: FaultLLM, tmp_path: Path, framing: str
):
    catalog = one_backend(upstream.url, "fault/unicode")
    plain, _ = await once(catalog, tmp_path / "plain", stream=True)
    async with FaultLLM() as other:
        catalog = one_backend(other.url, f"fault/unicode+{framing}")
        odd, _ = await once(catalog, tmp_path / "odd", stream=True)

    assert "漢字" in odd.content
    assert [told(event) for event in odd.events] == [
        told(event) for event in plain.events
    ]


def told(event: str) -> object:
    """All of a chunk but the model's name, which is the script's."""
    return event if event == "[DONE]" else {**orjson.loads(event), "model": ""}


async def test_u6_events_that_nothing_separates_are_an_error(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/no-blank-line")
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.error["code"] == "upstream_incomplete"
    assert "[DONE]" not in reply.text


async def test_u6_a_line_of_ten_megabytes_is_an_error_not_memory(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/long-line-10")
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.status == 502 or reply.error["code"] == "bad_upstream_response"


@pytest.mark.parametrize("events", [0, 1])  # the first one only says who speaks
async def test_u15_an_error_event_before_the_first_word_is_replaced_unseen(
    upstream: FaultLLM, tmp_path: Path, events: int
):
    script = f"fault/error-event-at-{events}"
    catalog = two_backends(upstream.url, upstream.url, script)
    async with serving(catalog, tmp_path) as gateway:
        replies = [await ask(gateway, f"{n}", stream=True) for n in range(3)]
        failed = [a for a in gateway.records("attempt") if a["state"] == "free"]
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert {reply.events[-1] for reply in replies} == {"[DONE]"}
    assert {reply.headers["x-llm-router-model"] for reply in replies} == {"spare"}
    assert {a["error_code"] for a in failed} == {"upstream_error"}
    assert shown["status"] == "degraded"  # it counts as a failure like any other


async def test_u15_an_error_event_in_the_middle_ends_the_stream(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/error-event-at-5")
    reply, attempts = await once(catalog, tmp_path, stream=True)

    assert_ended_badly(reply)
    assert reply.error["code"] == "upstream_error"
    assert [a["state"] for a in attempts] == ["estimated"]


async def test_u17_a_slow_trickle_is_let_flow_and_kept_alive(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(
        upstream.url,
        "fault/trickle-150ms",
        keepalive_seconds=0.05,
        write_timeout_seconds=1,  # of a gap, which all of them together exceed
    )
    reply, _ = await once(catalog, tmp_path, stream=True)

    assert reply.events[-1] == "[DONE]"
    assert ": keep-alive" in reply.text


async def test_u17_a_trickle_without_end_is_cut_at_the_end_of_its_time(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(
        upstream.url, "fault/trickle-100ms+endless", stream_max_seconds=0.5
    )
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway, stream=True)
        await gateway.settled()
        (attempt,) = gateway.records("attempt")
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert_ended_badly(reply)
    assert (reply.error["code"], attempt["state"]) == ("upstream_timeout", "estimated")
    assert shown["in_flight"] == 0


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
    assert upstream.attempts[0].bytes_out < 32 << 20  # and not read to its end


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
