from random import Random

import numpy as np
import pytest

from routing.learned.labelled import Collector, Labelled, TooLittle
from routing.learned.measure import gains
from routing.learned.train import train
from tests.routing.learned.samples import examples, labelled, small_router


def test_a_router_learns_which_prompts_need_the_strong_tier():
    router = small_router()

    [pair] = router.metrics["pairs"]
    assert (pair["weak"], pair["strong"]) == ("1", "3")
    assert pair["ranking"]["apgr"] > 0.75
    assert router.objections == []
    assert router.metrics["tiers"]["1"]["error"] < 0.1


def test_routers_of_shuffled_labels_are_not_fit_to_decide():
    refused = 0
    for seed in range(5):
        lines = examples(400, seed)
        qualities = [line["quality"] for line in lines]
        Random(seed).shuffle(qualities)
        pairs = zip(lines, qualities, strict=True)
        router = train(labelled([line | {"quality": q} for line, q in pairs]), folds=2)
        refused += any("It does not beat" in text for text in router.objections)

    assert refused >= 4  # of forty one may pass by chance


def test_tiers_may_be_missing_and_have_any_name():
    first = [
        line | {"quality": {"mini": line["quality"]["1"], "max": line["quality"]["3"]}}
        for line in examples(300, seed=1)
    ]
    second = [
        line | {"quality": {"a": line["quality"]["1"], "b": line["quality"]["2"]}}
        for line in examples(300, seed=2)
    ]
    few = [line | {"quality": {"rare": 0.5}} for line in examples(2, seed=3)]

    router = train(labelled(first + second + few), folds=2)

    assert set(router.tiers) == {"mini", "max", "a", "b", "rare"}
    pairs = {(p["weak"], p["strong"]) for p in router.metrics["pairs"]}
    assert pairs == {("mini", "max"), ("a", "b")}
    assert router.metrics["tiers"]["rare"]["rows"] == 2


def test_some_lines_of_other_tiers_do_not_keep_a_router_from_deciding():
    lines = examples(400)
    for line in lines[:60]:  # fewer than can tell anything
        del line["quality"]["3"]
    for line in lines[60:100]:
        del line["quality"]["1"]

    router = train(labelled(lines), folds=2)

    rows = {(p["weak"], p["strong"]): p["rows"] for p in router.metrics["pairs"]}
    assert rows == {("1", "3"): 300, ("1", "2"): 360, ("2", "3"): 340}
    assert router.objections == []


def test_numbered_tiers_keep_their_order_even_when_a_higher_one_is_worse():
    lines = [line | {"quality": {"10": 0.2, "9": 0.8}} for line in examples(60, seed=1)]

    assert train(labelled(lines), folds=2).tiers == ("9", "10")


def test_too_little_to_learn_from_is_told():
    with pytest.raises(TooLittle, match="There are 3 rows; at least 50"):
        labelled(examples(3))
    one = [line | {"quality": {"1": 0.5}} for line in examples(60)]
    with pytest.raises(TooLittle, match="name 1 tiers"):
        labelled(one)
    with pytest.raises(TooLittle, match="There are 0 rows"):
        Collector().labelled()


def test_single_judgements_estimate_the_gain_without_a_bias():
    """Of 20 000 requests with random arms: the mean is that of both answers."""
    random = np.random.default_rng(6)
    count = 20_000
    chance = random.uniform(0.1, 0.9, count)
    strong = random.random(count) < chance
    truth = np.column_stack((np.full(count, 0.3), random.uniform(0.4, 1.0, count)))
    quality = np.where(np.column_stack((~strong, strong)), truth, np.nan)
    propensity = np.where(strong, chance, 1 - chance)
    seen = Labelled(("1", "3"), [], quality, {}, np.ones_like(quality), propensity)
    predicted = np.full((count, 2), 0.6)  # however wrong it is

    estimate = gains((0, 1), predicted, seen).mean()

    assert estimate == pytest.approx((truth[:, 1] - truth[:, 0]).mean(), abs=0.03)


def test_tiers_that_are_equally_good_leave_nothing_to_route_for():
    lines = [line | {"quality": {"1": 0.5, "2": 0.5}} for line in examples(300)]

    router = train(labelled(lines), folds=2)

    assert router.objections == [
        "2 is not better than 1 on the held-out rows: there is nothing to route for."
    ]
