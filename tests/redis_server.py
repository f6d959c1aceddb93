"""A real Redis of a test's own, which the test may stop, freeze, flush and restart."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.required import missing


class RedisServer:
    """Listens on a Unix socket in `folder`; keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A Unix socket's path may have about 100 characters; a test's folder has more.
        self._socket = Path(f"/tmp/llm-router-{os.getpid()}-{id(self):x}.sock")
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self._socket)]
            + ["--enable-debug-command", "yes"]  # for a sleep that holds it up
            + ["--save", "", "--appendonly", "no", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.01)

    def stop(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait(10)

    def restart(self) -> None:
        """It comes back empty."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Nobody who comes now finds it; it keeps all it has."""
        elsewhere = self._socket.with_suffix(".hidden")
        self._socket.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self._socket)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        missing("redis-server is not installed")
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server._socket.unlink(missing_ok=True)
