"""When a level of the cache switches itself off."""

from gateway.cache.proof import why_off


def test_a_level_is_not_off_for_want_of_evidence():
    assert why_off(0, 1, limit=0.01, enough=300) == ""
    assert why_off(0, 299, limit=0.01, enough=300) == ""
    assert why_off(0, 300, limit=0.01, enough=300) == ""
    assert why_off(1, 1, limit=0.01, enough=300) == ""


def test_a_level_that_cannot_be_shown_to_keep_its_limit_goes_off():
    reason = why_off(1, 300, limit=0.01, enough=300)
    assert reason == (
        "1 of 300 audited hits were wrong: up to 1.57%, above the limit of 1.00%."
    )
    assert why_off(1, 480, limit=0.01, enough=300) == ""


def test_a_level_that_surely_breaks_its_limit_goes_off_early():
    assert "at least 22.36%" in why_off(2, 2, limit=0.01, enough=300)
    assert why_off(2, 200, limit=0.01, enough=300) == ""
