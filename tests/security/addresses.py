"""Addresses that must never be reached, and ways to try."""

import asyncio
import socket

from gateway.providers.http import Call, HttpClient, Limits
from gateway.runtime.prober import Prober
from tests.harness import Gateway

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


def watch_sockets(http: HttpClient, made: list[str]) -> None:
    """Note each address for which the guard hands out a socket."""
    guard = http.connections.socket_factory

    def noting(info: tuple) -> socket.socket:
        opened = guard(info)
        made.append(info[4][0])
        return opened

    http.connections.socket_factory = noting
    http.side._transport.client.connector._socket_factory = noting


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


async def probe_once(gateway: Gateway) -> str:
    """The outcome of one probe of the only backend."""
    prober = Prober(gateway.runtime)
    (backend,) = gateway.runtime.snapshot.catalog.backends
    outcome = await prober._ask(backend)
    await prober.close()
    return outcome.name
