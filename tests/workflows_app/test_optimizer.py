from dataclasses import replace

from routing.catalog import Catalog
from tests.harness import PRICES, TIERS, backend
from workflows_app.definition import Definition
from workflows_app.estimates import Facts, Latencies
from workflows_app.optimizer import plan
from workflows_app.prompt import Inputs
from workflows_app.reader import read

CATALOG = Catalog(
    TIERS,
    tuple(
        backend(name, tier, "http://127.0.0.1:9")
        for tier, name in enumerate(("small", "medium", "large"), 1)
    ),
)


def facts(**changes: object) -> Facts:
    return replace(Facts(CATALOG, Latencies(), Inputs("Which one?")), **changes)


def mcqa() -> Definition:
    """16 ops as in Helium's example of multiple choice questions: experts of two kinds
    look at the question, some of them by the same prompt, and two of the opinions are
    asked for and never used."""
    ops: dict[str, dict] = {"question": {"prompt": "Restate it.", "temperature": 0}}
    roles = ["doctor", "lawyer", "doctor", "engineer", "lawyer"]
    for number, role in enumerate(roles):
        ops[f"expert{number}"] = {
            "template": f"As a {role}: {{{{question}}}}",
            "input_ops": ["question"],
            "temperature": 0,
        }
        ops[f"check{number}"] = {
            "template": f"Is this right? {{{{expert{number}}}}}",
            "input_ops": [f"expert{number}"],
            "temperature": 0.7,
        }
    for unused in ("style", "tone"):
        ops[unused] = {"prompt": f"Judge the {unused}.", "input_ops": ["expert0"]}
    for number in range(2):
        ops[f"vote{number}"] = {
            "prompt": "Vote.",
            "temperature": 1,
            "input_ops": [f"check{n}" for n in range(5)],
        }
    ops["answer"] = {"prompt": "Answer.", "input_ops": ["vote0", "vote1"]}
    return read({"end_ops": ["answer"], "ops": ops})


def test_the_plan_of_16_ops_has_12():
    definition = mcqa()
    assert len(definition.order) == 16

    found = plan(definition, facts())

    assert len(found.order) == 12
    assert set(found.pruned) == {"style", "tone"}
    assert found.merged == {"expert2": "expert0", "expert4": "expert1"}
    # Votes and checks are sampled: each is meant to have an answer of its own.
    assert {"vote0", "vote1", "check0", "check2"} <= set(found.order)


def two(first: dict, second: dict) -> dict[str, str]:
    ops = {"a": {"prompt": "x", **first}, "b": {"prompt": "x", **second}}
    return plan(read({"end_ops": ["a", "b"], "ops": ops}), facts()).merged


def test_equal_ops_merge_at_temperature_0_or_when_they_say_so():
    zero = {"temperature": 0}

    assert two(zero, zero) == {"b": "a"}
    assert two({"dedupe": True}, {"dedupe": True}) == {"b": "a"}
    for other in (
        {},
        {"temperature": 0.1},
        {"temperature": 0, "max_tokens": 5},
        {"temperature": 0, "tier": 2},
        {"temperature": 0, "system": "y"},
        {"temperature": 0, "samples": 2},
        {"temperature": 0, "cache": "off"},
        {"temperature": 0, "dedupe": False},
        {"temperature": 0, "json_schema": {"type": "object"}},
        {"temperature": 0, "inputs": {"query": False}},
    ):
        assert two(zero, other) == {}, other


def test_twins_of_twins_merge_and_names_in_blocks_keep_ops_apart():
    zero = {"temperature": 0}
    ops = {
        "a": {"prompt": "x", **zero},
        "b": {"prompt": "x", **zero},
        "by_value_a": {"prompt": "{{a}}", "input_ops": ["a"], **zero},
        "by_value_b": {"prompt": "{{b}}", "input_ops": ["b"], **zero},
        "by_name_a": {"prompt": "y", "input_ops": ["a"], **zero},
        "by_name_b": {"prompt": "y", "input_ops": ["b"], **zero},
    }

    found = plan(read({"end_ops": list(ops), "ops": ops}), facts())

    assert found.merged == {"b": "a", "by_value_b": "by_value_a"}


CHAIN = {
    "end_ops": ["c"],
    "ops": {
        "a": {"prompt": "x", "max_tokens": 300},
        "b": {"prompt": "x", "max_tokens": 300, "input_ops": ["a"]},
        "c": {"prompt": "x", "max_tokens": 300, "input_ops": ["a", "b"]},
        "side": {"prompt": "x", "max_tokens": 10, "output_ops": ["last"]},
        "last": {"prompt": "x", "max_tokens": 10, "input_ops": ["side"]},
    },
}
CHAIN["end_ops"] = ["c", "last"]


def test_the_critical_path_is_the_longest_way():
    definition = read(CHAIN)

    found = plan(definition, facts())

    assert found.critical_path == ("a", "b", "c")
    assert found.makespan_s == 3 * (0.5 + 300 / 80)
    assert found.left_s["b"] < found.left_s["a"]


def test_measured_times_replace_estimates():
    definition = read(CHAIN)
    latencies = Latencies()
    signatures = plan(definition, facts()).signatures
    latencies.add(signatures["side"], 1, 60.0)

    found = plan(definition, facts(latencies=latencies))

    assert found.critical_path == ("side", "last")
    assert found.makespan_s > 60


def test_a_deadline_raises_only_ops_of_the_critical_path_that_get_faster():
    definition = read(CHAIN)
    latencies = Latencies()
    signatures = plan(definition, facts()).signatures
    for name in ("a", "b", "c", "side", "last"):
        latencies.add(signatures[name], 1, 4.0)
        latencies.add(signatures[name], 2, 1.0)
        latencies.add(signatures[name], 3, 1.0)

    found = plan(definition, facts(latencies=latencies), deadline_s=9.5)
    most = plan(definition, facts(latencies=latencies), deadline_s=0.1)
    poor = plan(definition, facts(latencies=latencies), deadline_s=9.5, max_cost_nano=1)

    assert found.meets_deadline and found.makespan_s == 9.0
    assert set(found.floors.values()) == {2} and len(found.floors) == 1
    assert not most.meets_deadline
    assert not poor.meets_deadline and poor.floors == {}


def test_what_is_cached_costs_no_time_and_no_money():
    definition = read(CHAIN)
    every = frozenset(definition.order)

    found = plan(definition, facts(cached=every))

    assert found.makespan_s == 0
    assert found.cost_nano == (0, 0, 0)
    assert set(found.cached) == every


def test_the_cost_is_a_range_from_prices_and_limits():
    definition = read({"end_ops": ["a"], "ops": {"a": {"prompt": "x", "tier": 3}}})

    low, expected, high = plan(definition, facts()).cost_nano

    assert 0 < low <= expected <= high
    assert high >= 4096 * PRICES[3].output // 1_000_000
    cheap = read({"end_ops": ["a"], "ops": {"a": {"prompt": "x", "tier": 1}}})
    assert plan(cheap, facts()).cost_nano[2] < low + high


def test_the_most_it_costs_has_long_outputs_and_the_ops_that_stand_in():
    ops = {
        "a": {"prompt": "x", "tier": 1, "max_tokens": 8000, "retries": 0},
        "b": {
            "prompt": "y",
            "tier": 3,
            "max_tokens": 10,
            "retries": 0,
            "input_ops": ["a"],
        },
    }
    alone = {"end_ops": ["b"], "ops": ops}
    b = {**ops["b"], "on_error": "fallback_op", "fallback_op": "c"}
    c = {"prompt": "z", "tier": 3, "max_tokens": 5000, "retries": 1}
    helped = {"end_ops": ["b"], "ops": {**ops, "b": b, "c": c}}

    most = plan(read(alone), facts()).cost_nano[2]
    most_helped = plan(read(helped), facts()).cost_nano[2]

    assert most >= (8000 * PRICES[1].output + 8000 * PRICES[3].input) // 1_000_000
    assert most_helped >= most + 2 * 5000 * PRICES[3].output // 1_000_000


def test_the_least_it_costs_is_without_what_a_condition_may_skip():
    ops = {
        "a": {"prompt": "x", "tier": 1},
        "b": {"prompt": "y", "tier": 3, "input_ops": ["a"], "when": "a"},
        "c": {"prompt": "z", "tier": 3, "input_ops": ["b"]},
    }

    low = plan(read({"end_ops": ["c"], "ops": ops}), facts()).cost_nano[0]
    first = plan(read({"end_ops": ["a"], "ops": ops}), facts()).cost_nano[0]

    assert 0 < low == first


def test_ops_that_begin_alike_are_a_group():
    long = "The same long rules. " * 300
    ops = {f"o{n}": {"prompt": long + "{{input}}" + str(n)} for n in range(3)}
    ops["short"] = {"prompt": "Short."}

    found = plan(read({"end_ops": list(ops), "ops": ops}), facts())

    assert found.prefix_groups == (("o0", "o1", "o2"),)
