"""What a model name means, and which tier a score leads to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.catalog import Alias, Backend, Catalog, Policy, Tier
from routing.chat import ChatRequest
from routing.classifier import Score
from routing.tiers import (
    Choice,
    PinNotAllowed,
    Route,
    UnknownModel,
    choose,
    combined,
    resolve,
)

TIERS = (Tier(1, "small", 30), Tier(2, "medium", 70), Tier(3, "large"))
BACKENDS = (
    Backend("haiku", tier=1, model="claude-haiku-4-5"),
    Backend("sonnet", tier=2, model="claude-sonnet-4-6"),
    Backend("sonnet-eu", tier=3, model="claude-sonnet-4-6"),
    Backend("opus", tier=3, model="claude-opus-4-6"),
)
ALIASES = (
    Alias("gpt-4o-mini", tier=1),
    Alias("gpt-4*", tier=2),
    Alias("claude-opus-4-6", tier=1),
    Alias("best", backend="opus"),
)


def catalog(tiers=TIERS, **policy):
    return Catalog(tiers, BACKENDS, ALIASES, Policy(**policy))


def ask(model="auto", **fields):
    return ChatRequest(body={}, scope="local", request_id="r", model=model, **fields)


def bounds(chat, where=None):
    route = resolve(chat, where or catalog())
    return route.floor, route.ceiling, route.backend, route.pinned


@pytest.mark.parametrize("name", ["auto", ""])
def test_auto_is_routed_freely(name):
    assert bounds(ask(name)) == (1, 3, "", False)


def test_a_backends_name_pins_it():
    assert bounds(ask("sonnet")) == (2, 2, "sonnet", True)


def test_tier_n_pins_the_tier():
    assert bounds(ask("tier-2")) == (2, 2, "", True)


@pytest.mark.parametrize(
    ("model", "ceiling"),
    [
        ("claude-haiku-4-5", 1),
        ("claude-sonnet-4-6", 3),  # at two tiers: the higher one
        ("gpt-4o-mini", 1),
        ("gpt-4-turbo", 2),
        ("best", 3),
    ],
)
def test_a_models_name_is_a_ceiling_by_default(model, ceiling):
    assert bounds(ask(model)) == (1, ceiling, "", False)


def test_an_upstream_models_name_beats_an_alias():
    assert bounds(ask("claude-opus-4-6")) == (1, 3, "", False)


def test_aliases_are_tried_in_order_and_their_case_matters():
    assert bounds(ask("gpt-4o-mini")) == (1, 1, "", False)
    with pytest.raises(UnknownModel):
        resolve(ask("GPT-4"), catalog())


def test_by_policy_a_name_pins():
    where = catalog(client_model="pin")

    assert bounds(ask("gpt-4-turbo"), where) == (2, 2, "", True)
    assert bounds(ask("best"), where) == (3, 3, "opus", True)
    assert bounds(ask("auto"), where) == (1, 3, "", False)


def test_by_policy_a_name_is_ignored_but_a_backends_name_is_not():
    where = catalog(client_model="route")

    assert bounds(ask("gpt-4-turbo"), where) == (1, 3, "", False)
    assert bounds(ask("opus"), where) == (3, 3, "opus", True)


def test_the_pin_header_overrides_the_name():
    assert bounds(ask("gpt-4-turbo", pin="opus")) == (3, 3, "opus", True)
    assert bounds(ask("never-heard-of", pin="tier-1")) == (1, 1, "", True)


@pytest.mark.parametrize("name", ["llama-9", "tier-4", "tier-", "tier-01", "Sonnet"])
def test_an_unknown_name_is_told_what_there_is_and_what_to_do(name):
    with pytest.raises(UnknownModel) as caught:
        resolve(ask(name), catalog())

    assert caught.value.name == name
    assert "auto, tier-1, tier-2, tier-3, haiku, sonnet" in str(caught.value)
    assert "alias" in str(caught.value)


def test_an_unknown_pin_is_an_error_too():
    with pytest.raises(UnknownModel, match="'gpt-4-turbo'"):
        resolve(ask(pin="gpt-4-turbo"), catalog())


def test_bounds_win_over_a_name():
    assert bounds(ask("best", max_tier=2)) == (1, 2, "", False)
    assert bounds(ask("gpt-4o-mini", min_tier=2)) == (2, 2, "", False)
    assert bounds(ask(min_tier=2, max_tier=9)) == (2, 3, "", False)


@pytest.mark.parametrize(
    "chat",
    [
        ask("opus", max_tier=2),
        ask("tier-1", min_tier=2),
        ask(pin="haiku", min_tier=3),
        ask(min_tier=3, max_tier=2),
        ask(min_tier=4),
    ],
)
def test_a_pin_outside_the_bounds_is_refused(chat):
    with pytest.raises(PinNotAllowed, match="allowed here"):
        resolve(chat, catalog())


def test_bounds_between_two_ranks_take_the_ranks_inside():
    sparse = Catalog((Tier(1, "a", 30), Tier(5, "b", 70), Tier(9, "c")))

    assert bounds(ask(min_tier=2, max_tier=8), sparse) == (5, 5, "", False)


def test_an_empty_catalog_has_a_route_to_nowhere():
    route = resolve(ask(), Catalog())

    assert choose(Score(5, ()), route, Catalog()) == Choice(
        0, ("No tier is configured.",)
    )


FREE = Route(1, 3)


def chosen(value, route=FREE, where=None, min_tier=1, win_rate=None):
    score = Score(value, (), min_tier)
    return choose(score, route, where or catalog(), win_rate).tier


@pytest.mark.parametrize(
    ("value", "tier"), [(0, 1), (30, 1), (31, 2), (70, 2), (71, 3), (100, 3)]
)
def test_thresholds(value, tier):
    assert chosen(value) == tier


def test_any_number_of_tiers():
    limits = [10, 20, 30, 40, None]
    five = tuple(Tier(i + 1, f"t{i}", limit) for i, limit in enumerate(limits))

    assert [chosen(v, Route(1, 5), catalog(five)) for v in (5, 15, 25, 35, 45)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert chosen(99, Route(1, 1), catalog((Tier(1, "only"),))) == 1


def test_tools_force_the_second_tier_but_never_above_the_ceiling():
    assert chosen(5, min_tier=2) == 2
    assert chosen(99, min_tier=2) == 3
    assert chosen(5, Route(1, 1), min_tier=2) == 1
    assert chosen(5, Route(1, 1), catalog((Tier(1, "only"),)), min_tier=2) == 1


def test_floors_and_ceilings_move_the_tier_and_say_so():
    low = choose(Score(99, ()), Route(1, 2, reasons=("It was named.",)), catalog())
    high = choose(Score(5, ()), Route(3, 3), catalog())

    assert low.tier == 2
    assert low.reasons == (
        "It was named.",
        "Score 99 is above every other tier's limit: tier 3.",
        "Lowered to tier 2, the highest allowed.",
    )
    assert high.tier == 3
    assert high.reasons == (
        "Score 5 is at most 30: tier 1.",
        "Raised to tier 3, the lowest allowed.",
    )


def test_a_pin_needs_no_score_and_ignores_tools():
    assert chosen(99, Route(1, 1, pinned=True), min_tier=2) == 1


def test_a_cold_start_can_send_everything_to_the_baseline():
    cold = catalog(cold_start="baseline")

    assert chosen(5, where=cold) == 3
    assert chosen(5, Route(1, 2), cold) == 2
    assert chosen(5, where=catalog(cold_start="baseline", baseline_tier=2)) == 2


def test_the_sidecar_decides_by_the_combined_score():
    where = catalog(learned_threshold=0.5, sidecar_weight=0.7)

    assert chosen(100, where=where, win_rate=0.0) == 2  # 0.30
    assert chosen(0, where=where, win_rate=0.3) == 1  # 0.21
    assert chosen(50, where=where, win_rate=0.5) == 3  # 0.50
    assert chosen(0, where=where, win_rate=0.0, min_tier=2) == 2


@pytest.mark.parametrize(
    ("win_rate", "tier"),
    [(0.0, 1), (0.2999, 1), (0.3, 2), (0.4999, 2), (0.5, 3), (1.0, 3)],
)
def test_three_tiers_split_at_six_tenths_of_the_threshold_and_at_it(win_rate, tier):
    assert combined(win_rate, 0, threshold=0.5, weight=1.0, tiers=3) == tier


def test_more_tiers_share_the_middle_evenly():
    places = [combined(p / 100, 0, 1.0, 1.0, 4) for p in (59, 61, 79, 81, 99, 100)]

    assert places == [1, 2, 2, 3, 3, 4]


def test_two_tiers_split_at_the_threshold_and_one_takes_all():
    assert combined(0.49, 0, 0.5, 1.0, 2) == 1
    assert combined(0.5, 0, 0.5, 1.0, 2) == 2
    assert combined(0.9, 0, 0.5, 1.0, 1) == 1


@given(
    st.floats(0, 1),
    st.integers(0, 100),
    st.floats(0.01, 1),
    st.floats(0, 1),
    st.integers(1, 10),
)
@settings(max_examples=100)
def test_every_combination_has_a_place(win_rate, heuristic, threshold, weight, tiers):
    place = combined(win_rate, heuristic, threshold, weight, tiers)

    assert 1 <= place <= tiers
    assert combined(1.0, 100, threshold, weight, tiers) >= place
