"""Requests are made to fit their model, and what was changed is told."""

import copy

import pytest

from gateway.dialects.fitting import fit
from routing.catalog import Backend

PLAIN = Backend("b", 1, "anthropic", "m")
STRICT = Backend("b", 1, "anthropic", "m", capabilities="-sampling")
SHORT = Backend("b", 1, "anthropic", "m", max_output_tokens=4096)


def fitted(body, backend):
    body = copy.deepcopy(body)
    return body, fit(body, backend)


@pytest.mark.parametrize("backend", [PLAIN, SHORT, STRICT])
def test_what_fits_is_left_alone(backend):
    body = {"max_tokens": 4096, "messages": [], "stop": ["x"]}

    assert fitted(body, backend) == (body, ())


def test_a_model_without_sampling_is_sent_none_and_it_is_told():
    body = {"temperature": 0, "top_p": 0.5, "top_k": 3, "messages": []}
    left, notes = fitted(body, STRICT)

    assert left == {"messages": []}
    assert notes == (
        "b takes no temperature: it was left out.",
        "b takes no top_p: it was left out.",
        "b takes no top_k: it was left out.",
    )
    assert fitted(body, PLAIN) == (body, ())


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_limit_beyond_the_model_is_lowered(field):
    left, notes = fitted({field: 64_000}, SHORT)

    assert left == {field: 4096}
    assert notes == (f"b writes 4096 tokens at most: {field} was 64000.",)


@pytest.mark.parametrize(
    ("budget", "left"), [(60_000, 2048), (4096, 2048), (4095, 4095)]
)
def test_a_budget_to_think_leaves_room_for_the_answer(budget, left):
    thinking = {"type": "enabled", "budget_tokens": budget}
    body, _ = fitted({"max_tokens": 64_000, "thinking": thinking}, SHORT)

    assert body["thinking"] == {"type": "enabled", "budget_tokens": left}
    assert thinking["budget_tokens"] == budget


def test_other_thinking_has_no_budget_to_shorten():
    for thinking in ({"type": "adaptive"}, None):
        body, _ = fitted({"max_tokens": 64_000, "thinking": thinking}, SHORT)
        assert body["thinking"] == thinking
