"""Labelled data, which is no part of the project: a folder has it, or nobody."""

import os
from pathlib import Path

import pytest

from tests.required import missing

MISSING = "LLM_ROUTER_EVAL_DATA names no folder with labelled data"
EVAL_DATA = Path(os.environ.get("LLM_ROUTER_EVAL_DATA", ""))
needs_labelled_data = pytest.mark.usefixtures("labelled_data")


def folder() -> Path:
    """Without it the test is skipped, or fails where services are required."""
    named = os.environ.get("LLM_ROUTER_EVAL_DATA", "")
    if named and Path(named).is_dir():
        return Path(named)
    missing(MISSING)
