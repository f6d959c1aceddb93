"""A PostgreSQL database of a test's own, on the server of this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.required import missing

SERVER = "postgresql://postgres@127.0.0.1:5432"


@contextmanager
def own_database() -> Iterator[str]:
    """Its address. Without a server the test is skipped, or fails where services are
    required."""
    name = f"of_a_test_{os.getpid()}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True)
    except psycopg.OperationalError:
        missing("No PostgreSQL answers at 127.0.0.1:5432")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{SERVER}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
