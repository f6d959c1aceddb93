"""Opens connections, each to a checked address, and keeps them for the next call."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

import aiohappyeyeballs
from aiohttp import AddrInfoType
from yarl import URL

from gateway.providers.addresses import guarded_socket
from gateway.providers.connection import Connection

KEEPALIVE_SECONDS = 15.0  # shorter than providers', so that we close first
MAX_IDLE = 256  # per origin
HAPPY_EYEBALLS_SECONDS = 0.25  # RFC 8305
DNS_SECONDS = 10.0
MAX_NAMES = 1024
SocketFactory = Callable[[AddrInfoType], socket.socket]
Found = Sequence[AddrInfoType]
LookUp = Callable[[str, int], Coroutine[None, None, Found]]


@dataclass(frozen=True, slots=True)
class Origin:
    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `head` is a POST's first lines, as far as the URL tells."""

    origin: Origin
    head: str


@lru_cache(1024)
def target_of(url: str) -> Target:
    """Raises ValueError when there is no host to connect to."""
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.raw_host or not parsed.port:
        raise ValueError("This is not the address of an HTTP server.")
    origin = Origin(parsed.raw_host, parsed.port, parsed.scheme == "https")
    head = (
        f"POST {parsed.raw_path_qs} HTTP/1.1\r\n"
        f"host: {parsed.host_port_subcomponent}\r\n"
    )
    return Target(origin, head)


@cache
def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connections:
    """Open connections of one event loop, by origin; the latest used goes out first."""

    def __init__(self, *, allow_private: bool, look_up: LookUp) -> None:
        self.socket_factory: SocketFactory = partial(
            guarded_socket, allow_private=allow_private
        )
        self._names = Names(look_up)
        self._idle: dict[Origin, list[tuple[float, Connection]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def take(self, origin: Origin) -> Connection | None:
        """A kept connection, or None."""
        idle = self._idle.get(origin)
        while idle:
            _, connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def open(self, origin: Origin) -> Connection:
        """A new connection. Raises OSError, of which ForbiddenAddress and SSLError are
        kinds."""
        loop = asyncio.get_running_loop()
        found = await self._names.resolve(origin.host, origin.port)
        connected = await aiohappyeyeballs.start_connection(
            found,
            happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS,
            interleave=1,
            loop=loop,
            # Judged here, the address is the one that is connected to.
            socket_factory=self.socket_factory,
        )
        try:
            _, connection = await loop.create_connection(
                Connection,
                sock=connected,
                ssl=tls_context() if origin.tls else None,
                server_hostname=origin.host if origin.tls else None,
            )
        except BaseException:
            connected.close()
            raise
        return connection

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection whose exchange is over, or close it."""
        loop = asyncio.get_running_loop()
        idle = self._idle.setdefault(origin, [])
        if len(idle) >= MAX_IDLE:
            connection.close()
            return
        idle.append((loop.time(), connection))
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEEPALIVE_SECONDS, self._sweep)

    def forget_names(self) -> None:
        """Look every name up again."""
        self._names.forget()

    def close(self) -> None:
        if self._sweeping:
            self._sweeping.cancel()
            self._sweeping = None
        for idle in self._idle.values():
            for _, connection in idle:
                connection.close()
        self._idle.clear()

    def _sweep(self) -> None:
        """Close what has been idle for long."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEEPALIVE_SECONDS
        for origin, idle in list(self._idle.items()):
            # Put back in the order of time, so the oldest stand first.
            while idle and (idle[0][0] <= oldest or not idle[0][1].usable):
                idle.pop(0)[1].close()
            if not idle:
                del self._idle[origin]
        self._sweeping = None
        if self._idle:
            self._sweeping = loop.call_later(KEEPALIVE_SECONDS / 3, self._sweep)


class Names:
    """Addresses of names, looked up once in a while and by one at a time."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._known: dict[tuple[str, int], tuple[float, asyncio.Task[Found]]] = {}

    async def resolve(self, host: str, port: int) -> Found:
        if given := literal(host, port):
            return given
        now = asyncio.get_running_loop().time()
        until, task = self._known.get((host, port), (0.0, None))
        if task is None or until <= now or (task.done() and failed(task)):
            if len(self._known) >= MAX_NAMES:
                self._known.clear()
            task = asyncio.create_task(self._look_up(host, port))
            task.add_done_callback(failed)  # looked at, even if all who waited left
            self._known[host, port] = now + DNS_SECONDS, task
        return await asyncio.shield(task)

    def forget(self) -> None:
        self._known.clear()


def failed(task: asyncio.Task[Found]) -> bool:
    return task.cancelled() or task.exception() is not None


async def look_up(host: str, port: int) -> Found:
    """As the system resolves it; it takes a thread and some milliseconds."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def literal(host: str, port: int) -> Found | None:
    """The address that `host` is, or None when it is a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
