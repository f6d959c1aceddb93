"""What our own server lets the application do beyond ASGI's messages.

A body that has arrived whole is there to be taken, and a whole answer goes out in one
write: as messages the two are a third of a cached answer's time. Under another server
the application goes by ASGI alone.

Apart from everything else: a worker imports the server before Django is set up.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

EXCHANGE = "llm_router.exchange"  # its key among the scope's extensions
PHRASES = {each.value: each.phrase for each in HTTPStatus}  # 529 has none
CLOSE = ("connection", "close")
Header = tuple[str, str]
Callback = Callable[[], None] | None
_common: tuple[object, str] = (None, "")


class Exchange:
    """One request and its answer on a connection of uvicorn's.

    `call_when_client_leaves` takes whom to call, None when the request is over.
    """

    __slots__ = ("_cycle", "call_when_client_leaves")

    def __init__(
        self,
        cycle: "RequestResponseCycle",
        call_when_client_leaves: Callable[[Callback], None],
    ) -> None:
        self._cycle = cycle
        self.call_when_client_leaves = call_when_client_leaves

    def take_body(self) -> bytes | None:
        """The body, once; None while some of it is still on its way."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        cycle.message_event.clear()
        cycle.flow.resume_reading()
        return body

    @property
    def may_write(self) -> bool:
        """Not while the client leaves earlier answers unread."""
        return not self._cycle.flow.write_paused

    def answer(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Head and body in one write. Needs `may_write`, and no HEAD request."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        named = [*headers, ("content-length", str(len(body)))]
        if CLOSE in named:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            named.append(CLOSE)
        lines = [f"{name}: {value}\r\n" for name, value in named]
        own = "".join(lines)
        # A value with a line break in it would be a header of its own.
        if own.count("\n") != len(named) or own.count("\r") != len(named):
            raise ValueError("A header's value has a line break.")
        common = common_lines(cycle.default_headers)
        phrase = PHRASES.get(status, "")
        head = f"HTTP/1.1 {status} {phrase}\r\n{common}{own}\r\n".encode("latin-1")
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.transport.write(head + body)
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def common_lines(headers: list[tuple[bytes, bytes]]) -> str:
    """The date, as header lines; uvicorn makes a new list of it each second."""
    global _common
    known, lines = _common
    if known is not headers:
        lines = "".join(f"{n.decode()}: {v.decode()}\r\n" for n, v in headers)
        _common = headers, lines
    return lines
