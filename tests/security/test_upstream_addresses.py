"""S8, S9, S10: the gateway connects where it may and nowhere else, on every path."""

from pathlib import Path

import pytest

from gateway.providers.http import HttpClient
from tests.faultllm import Canary, FaultLLM
from tests.harness import ask, one_backend, serving
from tests.security.addresses import (
    METADATA,
    NOBODY,
    QUICK,
    address,
    outcome,
    probe_once,
    side_outcome,
    watch_sockets,
)


@pytest.mark.parametrize("url", METADATA + NOBODY)
async def test_s8_forbidden_addresses_are_refused_however_they_are_written(url: str):
    """Nothing answers there in this test either; what counts is who said no."""
    made: list[str] = []
    http = HttpClient(allow_private=True)
    watch_sockets(http, made)
    codes = {await outcome(http, url), await outcome(http, url, fresh=True)}
    side = await side_outcome(http, url)
    await http.close()

    assert codes <= {"forbidden_address", "upstream_unavailable"}
    assert side == "refused"
    assert made == []


async def test_s8_a_backend_at_a_forbidden_address_is_503_free_and_named(
    tmp_path: Path,
):
    catalog = one_backend("http://169.254.169.254", **QUICK)
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)
        (attempt,) = gateway.records("attempt")

    assert (reply.status, attempt["state"]) == (503, "free")
    assert reply.error["code"] == attempt["error_code"] == "forbidden_address"
    assert "169" not in reply.text


async def test_s8_a_sidecar_at_a_forbidden_address_is_done_without(
    upstream: FaultLLM, tmp_path: Path
):
    url = "http://169.254.169.254/classify"
    catalog = one_backend(upstream.url, sidecar_url=url, **QUICK)
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)
        (request,) = gateway.records("request")

    assert reply.status == 200
    said = [d["text"] for d in request["decisions"] if d["step"] == "sidecar"]
    assert said == [
        "The sidecar decides nothing. It can't be reached. The heuristic decides alone."
    ]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "0x7f000001"])
async def test_s8_private_upstreams_can_be_shut_off(name: str):
    with Canary() as canary:
        url = f"http://{name}:{canary.port}"
        shut, opened = HttpClient(allow_private=False), HttpClient(allow_private=True)
        refused = await outcome(shut, url)
        side = await side_outcome(shut, url)
        allowed = await outcome(opened, url)
        hits = len(canary.hits)
        await shut.close()
        await opened.close()

    assert refused == "forbidden_address"
    assert side == "refused"
    assert (allowed, hits) == ("200", 1)


async def test_s8_a_name_that_resolves_elsewhere_the_next_time_is_judged_again():
    answers = ["127.0.0.1", "169.254.169.254"]
    asked = []

    async def rebinding(host: str, port: int) -> list[tuple]:
        asked.append(host)
        return [address(answers[len(asked) - 1], canary.port)]

    with Canary() as canary:  # it closes each connection, so each call opens one
        http = HttpClient(allow_private=True, look_up=rebinding)
        url = "http://rebinding.example"
        first = await outcome(http, url)
        http.connections.forget_names()  # as ten seconds later
        second = await outcome(http, url)
        hits = len(canary.hits)
        await http.close()

    assert (first, second) == ("200", "forbidden_address")
    assert (len(asked), hits) == (2, 1)


async def test_s8_each_address_of_a_name_is_judged_by_itself():
    """The first one is forbidden, and not tried; the second one answers."""
    made: list[str] = []

    async def both(host: str, port: int) -> list[tuple]:
        hosts = ("169.254.169.254", "127.0.0.1")
        return [address(each, canary.port) for each in hosts]

    with Canary() as canary:
        http = HttpClient(allow_private=True, look_up=both)
        watch_sockets(http, made)
        reached = await outcome(http, "http://both.example")
        await http.close()

    assert reached == "200"
    assert made == ["127.0.0.1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_s8_a_redirect_takes_neither_request_nor_key_elsewhere(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    with Canary() as canary:
        script = f"fault/redirect-{status}={canary.url}"
        catalog = one_backend(upstream.url, script, sidecar_url=upstream.url + "/x")
        async with serving(catalog, tmp_path) as gateway:
            reply = await ask(gateway)
            upstream.always = f"redirect-{status}={canary.url}"
            probe = await probe_once(gateway)
        hits = canary.hits

    assert reply.status == 502
    assert probe != "CONNECT_ERROR"  # it was asked, and not believed
    assert hits == []


async def test_s10_images_in_prompts_are_passed_on_and_never_fetched(
    upstream: FaultLLM, tmp_path: Path
):
    with Canary() as canary:
        content = [
            {"type": "text", "text": f"What is on {canary.url}/text ?"},
            {"type": "image_url", "image_url": {"url": f"{canary.url}/a.png"}},
            {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
            {"type": "file", "file": {"file_data": f"{canary.url}/b.pdf"}},
        ]
        async with serving(one_backend(upstream.url), tmp_path) as gateway:
            for stream in (False, True):
                messages = [{"role": "user", "content": content}]
                reply = await ask(gateway, messages=messages, stream=stream)
                assert reply.status == 200
        hits = canary.hits

    assert hits == []
    assert upstream.attempts[0].body["messages"][0]["content"] == content


@pytest.mark.parametrize(
    "field", ["base_url", "api_base", "api_key", "sidecar_url", "headers", "endpoint"]
)
async def test_s8_no_field_of_a_request_moves_the_upstream(
    upstream: FaultLLM, tmp_path: Path, field: str
):
    with Canary() as canary:
        async with serving(one_backend(upstream.url), tmp_path) as gateway:
            given = {"x": canary.url} if field == "headers" else canary.url
            reply = await ask(gateway, **{field: given})
        hits = canary.hits

    assert (reply.status, hits) == (200, [])
    assert upstream.saw_key("upstream-key")
