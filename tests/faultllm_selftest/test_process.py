"""The upstream as a process of its own."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.faultllm import read_journal

COMMAND = [sys.executable, "-m", "tests.faultllm"]


@pytest.fixture
def process(journal: Path) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "--journal", str(journal)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as running:
        yield running
        running.kill()


def ask(port: int) -> dict[str, object]:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def ready(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    word, port = process.stdout.readline().split()
    assert word == "ready"
    return int(port)


def test_it_serves_journals_and_ends_when_told(
    process: subprocess.Popen[str], journal: Path
) -> None:
    answer = ask(ready(process))
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert answer["model"] == "m"
    [attempt] = read_journal(journal)
    assert (attempt.outcome, attempt.completion_billed) == ("completed", 5)


def test_it_outlives_whoever_read_its_output(
    process: subprocess.Popen[str], journal: Path
) -> None:
    port = ready(process)
    assert process.stdout is not None
    process.stdout.close()
    ask(port)

    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    [attempt] = read_journal(journal)
    assert attempt.outcome == "completed"


def test_what_was_received_is_known_even_after_a_kill(
    process: subprocess.Popen[str], journal: Path
) -> None:
    ask(ready(process))
    process.kill()
    process.wait(10)

    assert [attempt.model for attempt in read_journal(journal)] == ["m"]


def test_it_lists_its_scripts() -> None:
    run = subprocess.run(
        [*COMMAND, "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "fault/stall-after " in run.stdout
