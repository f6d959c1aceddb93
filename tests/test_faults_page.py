"""docs/faults.md: no row without a test."""

import ast
import re
from pathlib import Path

import pytest

from tests import ROOT

ROW = re.compile(r"^\| ([UCDRSI]\d+) \| [^|]+ \|([^|]*)\|$", re.M)
ROWS = ROW.findall((ROOT / "docs/faults.md").read_text())
NUMBER = re.compile(r"test_([ucdrsi]\d+)_")


def names_in(file: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = ast.walk(ast.parse(file.read_text()))
    return {node.name for node in found if isinstance(node, functions)}


@pytest.fixture(scope="module")
def numbered() -> set[str]:
    """Rows that tests carry in their names."""
    files = (ROOT / "tests").rglob("test_*.py")
    names = (name for file in files for name in names_in(file))
    return {match[1].upper() for name in names if (match := NUMBER.match(name))}


def test_no_row_is_there_twice():
    rows = [row for row, _ in ROWS]

    assert len(rows) == len(set(rows)) > 90


@pytest.mark.parametrize(("row", "shown"), ROWS, ids=[row for row, _ in ROWS])
def test_every_row_has_a_test(row: str, shown: str, numbered: set[str]):
    named = [entry.strip() for entry in shown.split(",") if entry.strip()]

    assert named or row in numbered
    for entry in named:
        place, _, name = entry.partition("::")
        assert (ROOT / place).exists(), entry
        assert not name or name in names_in(ROOT / place), entry
