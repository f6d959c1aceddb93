"""S8, S9, S10: the gateway connects where it may and nowhere else, on every path."""

import ast
import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.providers.http import Call, HttpClient, Limits
from gateway.runtime.prober import Prober
from routing.catalog import Catalog
from tests.faultllm import Canary, FaultLLM
from tests.harness import Gateway, ask, one_backend, serving
from tests.instance import ROOT

QUICK = {"connect_timeout_seconds": 2.0, "cache_enabled": False, "max_attempts": 1}
# One address in all the clothes it has: the metadata service of the clouds.
METADATA = [
    "http://169.254.169.254",
    "http://169.254.169.254:80/latest/meta-data",
    "http://169.254.170.2",
    "http://2852039166",
    "http://0xA9FEA9FE",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://0251.0376.0251.0376",
    "http://025177524776",
    "http://169.254.43518",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[::169.254.169.254]",
    "http://[64:ff9b::169.254.169.254]",
    "http://[2002:a9fe:a9fe::]",
    "http://[fd00:ec2::254]",
    "http://[fd20:ce::254]",
    "http://[fe80::1]",
    "http://[fe80::a9fe:a9fe%25lo]",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://\uff11\uff16\uff19.254.169.254",
    "http://169\u3002254\u3002169\u3002254",
]
NOBODY = ["http://0.0.0.0", "http://[::]", "http://224.0.0.1", "http://255.255.255.255"]
LIMITS = Limits(connect=2, first_byte=2, gap=2, total=2, max_bytes=1 << 20)


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


def watch_sockets(http: HttpClient, made: list[str]) -> None:
    """Note each address for which the guard hands out a socket."""
    guard = http.connections.socket_factory

    def noting(info: tuple) -> socket.socket:
        opened = guard(info)
        made.append(info[4][0])
        return opened

    http.connections.socket_factory = noting
    http.side._transport.client.connector._socket_factory = noting


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
    assert said == ["The sidecar did not answer; the heuristic decides alone."]


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


async def outcome(http: HttpClient, url: str, *, fresh: bool = False) -> str:
    call = Call(f"{url}/v1", {}, b"{}")
    try:
        async with http.post(call, LIMITS, fresh=fresh) as response:
            await response.read()
            return str(response.status)
    except Exception as error:
        return getattr(error, "code", repr(error))


async def side_outcome(http: HttpClient, url: str) -> str:
    try:
        await http.side.get(url, timeout=2)
    except Exception:
        return "refused"
    return "connected"


def address(host: str, port: int) -> tuple:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


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


CONSTRUCTORS = {
    "ClientSession",
    "TCPConnector",
    "UnixConnector",
    "AsyncClient",
    "Client",
    "AsyncHTTPTransport",
    "HTTPTransport",
    "AiohttpTransport",
    "create_connection",
    "open_connection",
    "open_unix_connection",
    "HTTPConnection",
    "HTTPSConnection",
    "urlopen",
    "urlretrieve",
    "build_opener",
}
MODULES = {"httpx", "aiohttp", "requests", "urllib3", "http.client", "urllib.request"}
PROVIDERS = ROOT / "gateway" / "providers"
ONE_PATH = (PROVIDERS / "http.py", PROVIDERS / "connections.py")
# Plays a provider and its clients for `make demo`: its addresses are its own.
SIMULATOR = ROOT / "gateway" / "simulator"


def connecting(tree: ast.AST) -> Iterator[str]:
    """Names by which code could reach the network on its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            owner = getattr(getattr(function, "value", None), "id", "")
            shortcut = owner in ("httpx", "requests") and name in (
                "get",
                "post",
                "request",
                "stream",
                "head",
            )
            if name in CONSTRUCTORS or shortcut:
                yield f"{node.lineno}: {owner}.{name}"
            if owner == "socket" and name == "socket":
                yield f"{node.lineno}: socket.socket"


def test_s8_there_is_one_place_that_connects():
    found = []
    for app in ("config", "gateway", "routing", "workflows_app"):
        for path in (ROOT / app).rglob("*.py"):
            if path in ONE_PATH or SIMULATOR in path.parents:
                continue
            calls = connecting(ast.parse(path.read_text()))
            found += [f"{path.relative_to(ROOT)}:{call}" for call in calls]

    # Only the guard itself makes a socket, for the one place.
    assert [line.split(":")[0] for line in found] == ["gateway/providers/addresses.py"]


@pytest.mark.parametrize(
    "code",
    [
        "aiohttp.ClientSession()",
        "httpx.AsyncClient()",
        "httpx.get(url)",
        "urllib.request.urlopen(url)",
        "socket.create_connection(a)",
        "asyncio.open_connection(h, 1)",
        "socket.socket()",
    ],
)
def test_s8_the_check_sees_what_it_is_for(code: str):
    assert list(connecting(ast.parse(code)))


async def test_s8_side_calls_are_guarded_as_completion_calls_are():
    http = HttpClient(allow_private=False)
    session = http.side._transport.client
    with Canary() as canary:
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.post(canary.url, data=b"{}")
        completion = await outcome(http, canary.url)
        hits = canary.hits
    await http.close()

    assert not session.trust_env
    assert type(raised.value.os_error).__name__ == "ForbiddenAddress"
    assert completion == "forbidden_address"
    assert hits == []


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
async def test_s8_no_proxy_of_the_environment_is_asked(
    upstream: FaultLLM, tmp_path: Path, monkeypatch, variable: str
):
    with Canary() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        catalog = one_backend(upstream.url, sidecar_url=upstream.url + "/x")
        async with serving(catalog, tmp_path) as gateway:
            reply = await ask_without_proxy(gateway)
        hits = proxy.hits

    assert reply.startswith(b"HTTP/1.1 200")
    assert hits == []


async def ask_without_proxy(gateway: Gateway) -> bytes:
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"messages":[{"role":"user","content":"Hi"}]}'
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
        b"content-type: application/json\r\nconnection: close\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
    answer = await reader.read()
    writer.close()
    return answer


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


async def probe_once(gateway: Gateway) -> str:
    """The outcome of one probe of the only backend."""
    prober = Prober(gateway.runtime)
    (backend,) = gateway.runtime.snapshot.catalog.backends
    outcome = await prober._ask(backend)
    await prober.close()
    return outcome.name


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

    server = await asyncio.start_server(never_end, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with serving(one_backend(url), tmp_path) as gateway, asyncio.timeout(2):
        outcome = await probe_once(gateway)
    server.close()

    assert outcome == "OK"
