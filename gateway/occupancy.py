"""One server a data folder: two would count budgets and limits past each other."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.ledger.journal import lock_owner

# One that was just told to stop leaves the folder with its address, after this at most.
LEAVING_SECONDS = 3.0


class Occupied(Exception):
    """Another server serves from this folder."""


def occupy(folder: Path) -> Callable[[], None]:
    """Take the folder until what is returned is called, or the process ends.

    The kernel lets go of it at any end, so that nothing stale is left to be cleared.
    """
    path = folder / "serve.lock"
    deadline = time.monotonic() + LEAVING_SECONDS
    while True:
        try:
            descriptor = lock_owner(path)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Occupied(sentence(folder, path)) from None
            time.sleep(0.05)
    with suppress(OSError):  # a full disk keeps nobody from serving what is cached
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
    return release_once(descriptor)


def release_once(descriptor: int) -> Callable[[], None]:
    held = [descriptor]

    def release() -> None:
        while held:
            os.close(held.pop())

    return release


def sentence(folder: Path, path: Path) -> str:
    who = path.read_text(errors="replace").strip()
    named = f" (process {who})" if who.isdecimal() else ""
    return (
        f"Another llm-router{named} serves from {folder}. Stop it, or give this one a "
        "folder of its own in LLM_ROUTER_DATA_DIR; --workers serves on more cores."
    )
