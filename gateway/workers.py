"""Several processes that serve, and the one that keeps them: who dies is replaced."""

import multiprocessing
import os
import select
import signal
import socket
import threading
from collections.abc import Callable

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from gateway.serving import DrainingServer

log = structlog.get_logger("server")
LOOK_SECONDS = 0.2  # between two looks for a signal while workers end


class Worker(Process):
    """One of several processes, with a server that drains."""

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        threading.Thread(target=stop_with_parent, daemon=True).start()
        super().target(sockets)

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = DrainingServer(config=self.config)
        return self._server


def stop_with_parent() -> None:
    """Without it nobody would replace a worker, and a new start could not listen."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


class Wakeful(threading.Event):
    """An event whose wait a signal ends too: what it asks for is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self._heard, self._signals = socket.socketpair()
        self._heard.setblocking(False)
        self._signals.setblocking(False)
        signal.set_wakeup_fd(self._signals.fileno(), warn_on_full_buffer=False)

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set() and select.select([self._heard], [], [], timeout)[0]:
            self._heard.recv(4096)
        return self.is_set()


class Workers(Multiprocess):
    """Keeps so many workers alive; one that dies is replaced, and the new one brings
    its journal into the database."""

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket.socket],
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._leave = leave  # makes room for the next server
        hang_up = signal.getsignal(signal.SIGHUP)
        super().__init__(config, sockets)
        self.should_exit = Wakeful()  # uvicorn would look every half a second
        if hang_up is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def handle_hup(self) -> None:
        self.handle_term()

    def handle_ttin(self) -> None:
        """uvicorn's would start a worker that does not drain."""

    handle_ttou = handle_ttin

    def terminate_all(self) -> None:
        super().terminate_all()
        # While this process has it too, connections nobody accepts would wait in it.
        for each in self.sockets:
            each.close()
        self._leave()

    def join_all(self) -> None:
        """A second SIGINT may come to this process alone, and is for the workers."""
        for each in self.processes:
            while each.process.is_alive():
                each.process.join(LOOK_SECONDS)
                if signal.SIGINT in self.signal_queue:
                    self.signal_queue.clear()
                    self._interrupt()

    def _interrupt(self) -> None:
        for each in self.processes:
            if each.process.is_alive() and each.pid is not None:
                os.kill(each.pid, signal.SIGINT)

    def init_processes(self) -> None:
        self.processes += [self._start() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        for number, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE and not self._serves():
                self.should_exit.set()  # it would fail in the same way every time
                return
            log.warning("worker_replaced", pid=process.pid, exitcode=process.exitcode)
            self.processes[number] = self._start()

    def _serves(self) -> bool:
        """Is there a worker that has started? It goes on with what it knows, while
        the newest configuration lets nobody start."""
        seconds = self.config.timeout_worker_healthcheck
        alive = [each for each in self.processes if each.process.is_alive()]
        return any(each.is_ready(timeout=seconds) for each in alive)

    def _start(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker
