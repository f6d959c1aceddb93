"""Bodies, addresses and bytes that are wrong (C5-C14, C17, S12)."""

import json
from pathlib import Path

import httpx
import pytest
from asgiref.sync import sync_to_async

from gateway.ledger import store
from gateway.models import Attempt, RequestLog
from tests.faultllm import FaultLLM
from tests.faults.clients import CHAT, PATH, assert_refused, post, raw
from tests.harness import ask, one_backend, serving, three_tiers


async def test_c5_a_body_that_does_not_come_is_408(upstream: FaultLLM, tmp_path: Path):
    catalog = one_backend(upstream.url, read_timeout_seconds=0.2)
    async with serving(catalog, tmp_path) as gateway:
        answer = await raw(
            gateway,
            f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\n"
            "content-type: application/json\r\ncontent-length: 100\r\n\r\n{".encode(),
        )

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"request_timeout"' in answer


async def test_c6_a_body_over_the_limit_is_413(upstream: FaultLLM, tmp_path: Path):
    async with serving(
        one_backend(upstream.url), tmp_path, max_body_bytes=1000
    ) as gateway:
        fitting = json.dumps({**CHAT, "user": ""}).encode()
        fits = json.dumps({**CHAT, "user": "x" * (1000 - len(fitting))}).encode()
        exactly = await post(gateway, fits)
        over = await post(gateway, fits + b" ")

        async def chunked():
            for _ in range(100):
                yield b" " * 100

        async with httpx.AsyncClient() as client:
            endless = await client.post(
                gateway.url + PATH,
                content=chunked(),
                headers={"content-type": "application/json"},
            )

    assert len(fits) == 1000
    assert exactly.status_code == 200
    assert_refused(over, 413, "request_too_large")
    assert_refused(endless, 413, "request_too_large")
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(f"content-length: {1 << 30}\r\n\r\n", id="announced"),
        pytest.param(
            f"transfer-encoding: chunked\r\n\r\n3e9\r\n{'x' * 1001}\r\n0\r\n\r\n",
            id="there at once",
        ),
    ],
)
async def test_c6_what_is_announced_or_there_at_once_is_413_too(
    upstream: FaultLLM, tmp_path: Path, rest: str
):
    async with serving(
        one_backend(upstream.url), tmp_path, max_body_bytes=1000
    ) as gateway:
        head = f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\n"
        head += "content-type: application/json\r\n"
        answer = await raw(gateway, (head + rest).encode())

    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"request_too_large"' in answer
    assert upstream.attempts == []


async def test_c7_a_compressed_body_is_not_inflated(upstream: FaultLLM, tmp_path: Path):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await post(gateway, b"\x1f\x8b" * 100, content_encoding="gzip")

    assert_refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="c8 deep brackets"),
        pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, id="c8 deep objects"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, id="c8 a level too many"),
        pytest.param(b'{"messages":[],"temperature":NaN}', id="c9 NaN"),
        pytest.param(b'{"messages":[],"temperature":1e400}', id="c9 overflow"),
        pytest.param(b'{"messages":[],"top_p":-Infinity}', id="c9 Infinity"),
        pytest.param(b'{"model":"a","model":"b","messages":[]}', id="c10 twice"),
        pytest.param(
            b'{"messages":[{"role":"user","role":"system","content":"x"}]}',
            id="c10 twice inside",
        ),
        pytest.param(
            b'{"messages":[{"role":"user","content":"\\ud800"}]}', id="c11 surrogate"
        ),
        pytest.param('{"messages":[]}'.encode("utf-16"), id="c12 utf-16"),
        pytest.param(b'\xef\xbb\xbf{"messages":[]}', id="c12 bom"),
        pytest.param(b'{"messages":[{"content":"\xff"}]}', id="c12 not utf-8"),
        pytest.param(b'{"max_tokens":' + b"9" * 5000 + b"}", id="c13 huge number"),
        pytest.param(b'{"seed":' + b"9" * 25 + b"}", id="c13 more than 64 bits"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"{", id="half"),
    ],
)
async def test_c8_to_c13_bad_json_is_400_and_never_reaches_a_provider(
    upstream: FaultLLM, tmp_path: Path, body: bytes
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await post(gateway, body)
        alive = await ask(gateway)

    assert_refused(response, 400, "invalid_json")
    assert alive.status == 200
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", []),
        ("messages", "Hi"),
        ("temperature", True),
        ("temperature", 3),
        ("n", 0),
        ("n", 10**9),
        ("n", 1.5),
        ("max_tokens", -1),
        ("max_tokens", "10"),
        ("max_completion_tokens", 0),
        ("stream", "yes"),
        ("model", "m" * 201),
        ("model", 7),
        ("tools", {}),
        ("stop", 5),
        ("response_format", "json"),
    ],
)
async def test_c13_a_wrong_value_is_400_and_names_its_parameter(
    upstream: FaultLLM, tmp_path: Path, field: str, value: object
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await post(gateway, json.dumps({**CHAT, field: value}).encode())

    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith(field)
    assert upstream.attempts == []


async def test_c11_a_nul_in_a_prompt_is_answered_and_its_row_written(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, "a\x00b")
        (request,) = gateway.records("request")
        (attempt,) = gateway.records("attempt")

    await sync_to_async(store.save)([request], [attempt], may_exist=False)
    row = await RequestLog.objects.aget()
    billed = await Attempt.objects.aget()

    (sent,) = upstream.attempts
    assert sent.body["messages"][0]["content"] == "a\x00b"
    assert reply.status == 200
    # The provider repeats what it is asked.
    assert "a\x00b" in reply.json["choices"][0]["message"]["content"]
    assert (row.request_id, row.status) == (reply.headers["x-request-id"], 200)
    assert billed.attempt_id == sent.attempt_id


@pytest.mark.parametrize(
    "name", ["smаll", "small\u200b", "ｓmall", "SMALL", "\u202esmall"]
)
async def test_c14_a_name_that_only_looks_like_a_model_is_unknown(
    upstream: FaultLLM, tmp_path: Path, name: str
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, model=name)

    assert (reply.status, reply.error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("OPTIONS", PATH, 405),
        ("DELETE", "/v1/models", 405),
        ("POST", PATH + "/", 404),
        ("POST", "/v1/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/%2e%2e/admin", 404),
        ("POST", "/v1//chat/completions", 404),
    ],
)
async def test_c17_unknown_addresses_and_methods_are_json_errors(
    upstream: FaultLLM, tmp_path: Path, method: str, path: str, status: int
):
    async with (
        serving(one_backend(upstream.url), tmp_path) as gateway,
        httpx.AsyncClient() as client,
    ):
        response = await client.request(method, gateway.url + path)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["message"]
    assert ("allow" in response.headers) is (status == 405)
    assert response.headers.get("allow") in (None, "POST", "GET, HEAD")


async def test_c17_head_is_get_without_a_body(upstream: FaultLLM, tmp_path: Path):
    async with (
        serving(one_backend(upstream.url), tmp_path) as gateway,
        httpx.AsyncClient() as client,
    ):
        response = await client.head(f"{gateway.url}/v1/models")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "request_head",
    [
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n"
        "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n"
        "content-length: 6\r\n\r\n",
        "POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity, chunked\r\n"
        "content-length: 3\r\n\r\nabc",
        "POST {path} HTTP/1.1\r\nhost: a\r\nx: y\r\n folded\r\n\r\n",
        "POST {path} HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET {path} HTTP/9.9\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
)
async def test_s12_an_ambiguous_request_is_refused_and_the_connection_closed(
    upstream: FaultLLM, tmp_path: Path, request_head: str
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        twice = request_head.format(path=PATH).encode() * 2
        answer = await raw(gateway, twice, to_end=True)

    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert upstream.attempts == []
