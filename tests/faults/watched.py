"""An instance whose event loop tells which step held it up."""

import subprocess
import sys

from tests import ROOT
from tests.instance import Instance

WORK_SECONDS = 0.2  # of the processor, in one step
WAIT_SECONDS = 2.0


# As `manage.py serve` does, on a loop that measures each step: by the work of its own
# thread, which is the same however busy the machine is, and very long waits as well.
SERVE_WATCHED = f"""
import asyncio, socket, sys, time
import django
django.setup()
from gateway.serving import DrainingServer, uvicorn_config

run = asyncio.Handle._run
def measured(self):
    work, clock = time.thread_time(), time.monotonic()
    run(self)
    work, clock = time.thread_time() - work, time.monotonic() - clock
    if work > {WORK_SECONDS} or clock > {WAIT_SECONDS}:
        sys.stderr.write(f"Held up by {{work:.2f}} s of {{clock:.2f}} s: {{self!r}}\\n")
asyncio.Handle._run = measured

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
asyncio.run(DrainingServer(uvicorn_config(1)).serve(sockets=[listener]))
"""


def serve_watched(instance: Instance) -> subprocess.Popen[str]:
    """The server's process; its first line is its port, its log goes to `log`."""
    with (instance.folder / "log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-c", SERVE_WATCHED],
            cwd=ROOT,
            env={**instance.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def long_steps(instance: Instance) -> list[str]:
    """What held up the loop since it serves."""
    return [line for line in instance.log.splitlines() if "Held up by" in line]
