"""What is stored, counted and read holds on PostgreSQL too."""

import os
import socket
import subprocess
import sys

import pytest

from tests import ROOT
from tests.required import missing

SERVER = ("127.0.0.1", 5432)
ALSO_ON_POSTGRESQL = (
    "tests/gateway/ledger/test_store.py",
    "tests/gateway/ledger/test_store_refusals.py",
    "tests/gateway/ledger/test_replay.py",
    "tests/gateway/ledger/test_writer.py",
    "tests/gateway/limits/test_books.py",
    "tests/gateway/limits/test_counters.py",
    "tests/gateway/runtime/test_refresher.py",
    "tests/gateway/runtime/snapshot",
    "tests/gateway/runtime/test_totals.py",
    "tests/gateway/test_savings.py",
    "tests/gateway/whatif",
    "tests/gateway/admin/dashboard",
    "tests/gateway/admin/test_cache.py",
    "tests/gateway/admin/test_what_if.py",
    "tests/routing/test_triggers.py",
)


@pytest.mark.service
def test_all_of_it_holds_on_postgresql_too():
    try:
        socket.create_connection(SERVER, timeout=2).close()
    except OSError:
        missing("No PostgreSQL answers at 127.0.0.1:5432")
    # A name of its own, so that two runs at the same time don't meet.
    url = f"postgres://postgres@{SERVER[0]}:{SERVER[1]}/llm_router_{os.getpid()}"
    chosen = ["-m", "not service and not slow", "-p", "no:cacheprovider", "-q"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen, *ALSO_ON_POSTGRESQL],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:]
