"""Fixtures of the tests that look at the admin's pages in a browser."""

import pytest

from tests.operators import complaints


@pytest.fixture
def said(page) -> list[str]:
    return complaints(page)
