from gateway.admin.timeline import Step, timeline


def test_decisions_become_steps_in_order():
    decisions = [
        {"step": "classify", "text": "score 15", "score": 15, "cache_level": "exact"},
        {"step": "choose", "text": "tier 1", "why": ["cheap", "enough"], "n": [1]},
    ]

    assert timeline(decisions) == [
        Step("classify", "score 15", (("score", "15"), ("cache level", "exact"))),
        Step("choose", "tier 1", (("why", "cheap; enough"), ("n", "[1]"))),
    ]


def test_what_has_another_shape_is_shown_as_it_is():
    assert timeline([]) == []
    assert timeline(["plain", {"text": "no step"}, 7]) == [
        Step("", "plain"),
        Step("", "no step"),
        Step("", "7"),
    ]
    assert timeline({"step": "one", "text": "alone"}) == [Step("one", "alone")]
