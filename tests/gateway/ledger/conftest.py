"""An instance's folder with a database file, for tests that need processes of it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from gateway.ledger.journal import Journal
from gateway.ledger.writer import Writer
from tests import ROOT
from tests.gateway.ledger.journals import FOR_EVER
from tests.gateway.ledger.office import Office

SET_UP = """
import sys, django, structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
django.setup()
"""


class Instance:
    """A data folder, and processes that work in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.database = folder / "db.sqlite3"

    def start(self, script: str, *arguments: object) -> subprocess.Popen[str]:
        """Run a Python script as a process of this instance, Django set up."""
        environment = {**os.environ, "LLM_ROUTER_DATA_DIR": str(self.folder)}
        environment.pop("DATABASE_URL", None)
        environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
        code = SET_UP + script
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(sql).fetchall()


@pytest.fixture
def instance(transactional_db: None, tmp_path: Path) -> Iterator[Instance]:
    """A fresh instance; its database is a copy of the test database, made quickly."""
    if connection.vendor != "sqlite":
        pytest.skip("This test needs SQLite's database file.")
    made = Instance(tmp_path)
    connection.ensure_connection()
    with closing(sqlite3.connect(made.database)) as file:
        connection.connection.backup(file)
    yield made


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    yield office
    office.journal.close()


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path, 1 << 30, segment_bytes=2000)
    yield journal
    journal.close()


@pytest.fixture
def writer(journal):
    return Writer(journal, retention_days=lambda: FOR_EVER)
