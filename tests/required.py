"""What a test needs of its machine: without it the test is skipped, but not in CI."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip, or fail where LLM_ROUTER_REQUIRE_SERVICES lets nothing be missing."""
    if os.environ.get("LLM_ROUTER_REQUIRE_SERVICES"):
        pytest.fail(f"{what}, and LLM_ROUTER_REQUIRE_SERVICES says it must not be so.")
    pytest.skip(f"{what}.")
