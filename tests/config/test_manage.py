"""`manage.py`, whatever the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["cache_match", "--input", "pairs"], ["help"]])
def test_a_command_whose_reader_has_left_ends_quietly(
    tmp_path: Path, command: list[str], unbuffered: str
):
    pair = {"id": 1, "a": "Hi", "b": "Hi"}
    (tmp_path / "pairs").write_text(json.dumps(pair))
    left, lines = os.pipe()
    os.close(left)

    told = subprocess.run(
        [sys.executable, ROOT / "manage.py", *command],
        stdout=lines,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(lines)

    assert told.stderr == b""
    assert told.returncode == 141
