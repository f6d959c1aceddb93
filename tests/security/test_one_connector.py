"""S8: one place connects, and everything goes through it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.providers.http import HttpClient
from tests import ROOT
from tests.faultllm import Canary, FaultLLM
from tests.harness import one_backend, serving
from tests.security.addresses import (
    ask_without_proxy,
    outcome,
)

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
