import os
import subprocess
import sys
from pathlib import Path

from tests import ROOT


def test_a_start_without_its_database_says_so_in_a_sentence(tmp_path: Path):
    environ = {
        **os.environ,
        "LLM_ROUTER_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://postgres@127.0.0.1:1/nowhere",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--addr", "127.0.0.1:0"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: A start needs the database: ")
    assert "Traceback" not in done.stderr
