"""Addresses where no upstream is: closed, unreachable, or a trap."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Self

LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as reserved:
        reserved.bind((LOOPBACK, 0))
        yield reserved.getsockname()[1]


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """A port where connecting neither succeeds nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        address = listener.getsockname()
        # Linux takes backlog + 1 connections and drops what comes after them.
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


class Canary:
    """`with Canary() as canary:` a server that nobody should talk to.

    `hits` has what each connection sent first. It answers 200 with `{}`, so that a
    client that was lured here believes it.
    """

    ANSWER = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"content-length: 2\r\nconnection: close\r\n\r\n{}"
    )

    def __init__(self) -> None:
        self.hits: list[bytes] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._record, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _record(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                self.hits.append(b"")
                peer.settimeout(1)
                self.hits[-1] = peer.recv(65536)
                peer.sendall(self.ANSWER)
