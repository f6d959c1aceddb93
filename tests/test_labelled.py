"""Tests on labelled data are skipped without it, but not where nothing may be."""

import pytest

from tests.labelled import folder


@pytest.mark.parametrize("named", ["", "/nowhere/at/all"])
def test_a_missing_folder_skips_or_fails_with_a_sentence(monkeypatch, named):
    monkeypatch.setenv("LLM_ROUTER_EVAL_DATA", named)
    monkeypatch.delenv("LLM_ROUTER_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="LLM_ROUTER_EVAL_DATA"):
        folder()

    monkeypatch.setenv("LLM_ROUTER_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="LLM_ROUTER_EVAL_DATA"):
        folder()


def test_a_folder_is_where_it_is_said_to_be(monkeypatch, tmp_path):
    monkeypatch.setenv("LLM_ROUTER_EVAL_DATA", str(tmp_path))

    assert folder() == tmp_path
