"""Child processes: started, waited for, measured through /proc, and stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.machine import pin

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
STOP_SECONDS = 45.0
IDLE_SECONDS = 0.3
IDLE_SHARE = 0.1
IDLE_PATIENCE_SECONDS = 10.0
LISTENING = re.compile(r"listening on (\d+)")


class Server:
    """A running child. Its output is in `log`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def wait_for(self, ready: re.Pattern[str]) -> re.Match[str]:
        """Wait until the output says it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := ready.search(self.log.read_text(errors="replace")):
                return found
            if self.process.poll() is not None:
                raise BenchmarkError(f"A server ended at its start:\n{self.tail()}")
            time.sleep(0.05)
        raise BenchmarkError(f"A server did not start:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def cpu_seconds(self) -> float | None:
        """Processor time used so far, or None where there is no /proc."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return None
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / float(os.sysconf("SC_CLK_TCK"))

    def wait_until_idle(self) -> None:
        """Let it finish what it does behind its answers, such as storing its log."""
        busy = self.cpu_seconds()
        deadline = time.monotonic() + IDLE_PATIENCE_SECONDS
        while busy is not None and time.monotonic() < deadline:
            time.sleep(IDLE_SECONDS)
            before, busy = busy, self.cpu_seconds()
            if busy is not None and busy - before < IDLE_SHARE * IDLE_SECONDS:
                return

    def rss_bytes(self) -> int:
        """Resident memory. Raises BenchmarkError where there is no /proc."""
        try:
            statm = Path(f"/proc/{self.process.pid}/statm").read_text()
        except OSError:
            raise BenchmarkError(
                "Memory is read from /proc, as Linux has it."
            ) from None
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_for_port(server: Server, port: int) -> None:
    """Wait until a server that says nothing takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise BenchmarkError(f"A server did not start:\n{server.tail()}")


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    cpus: frozenset[int],
    environ: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run `command` on these processors until the end of the block.

    Its output goes into `folder`. Without `environ` it inherits ours.
    """
    log = Path(tempfile.mkstemp(suffix=".log", dir=folder)[1])
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, log)
    try:
        pin(process.pid, cpus)
        yield server
    finally:
        server.stop()


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", name, *arguments]
