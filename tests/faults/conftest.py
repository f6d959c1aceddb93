"""Instances and providers in processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.faultllm import ThreadedFaultLLM
from tests.faults.running import Running
from tests.instance import Instance


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path_factory.mktemp("operations"), upstream.url)
        key = instance.manage("create_key", "first").stdout.strip()
        with instance.serving(
            "--workers", "2", "--config", str(instance.config)
        ) as url:
            made = Running(instance, upstream, url, key, workers=2)
            made.everywhere("/ready")  # also the slower one has started
            yield made
            for client in made.kept.values():
                client.close()


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A fault upstream in a process of its own: its URL, and its journal."""
    journal = tmp_path / "oracle.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faultllm", "--port", "0", "--journal", journal],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = process.stdout.readline().split()[1]
    yield f"http://127.0.0.1:{port}", journal
    process.terminate()
    process.wait(10)
    process.stdout.close()
