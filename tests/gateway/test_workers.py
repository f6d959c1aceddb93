import os
import subprocess
import sys

from tests import ROOT


def test_a_worker_can_import_the_server_before_django_is_set_up():
    """One of several workers unpickles it first, and would die at every start."""
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", "import gateway.workers"]

    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


SIGNALLED = """
import os, signal, threading
import django
django.setup()
from gateway.serving import uvicorn_config
from gateway.workers import Workers

workers = Workers(uvicorn_config(2), [])
stop = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
stop.start()
workers.should_exit.wait(3600)
workers.handle_signals()
print(workers.should_exit.is_set())
"""


def test_who_keeps_the_workers_hears_of_a_signal_while_it_waits():
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout == "True\n", done.stderr
