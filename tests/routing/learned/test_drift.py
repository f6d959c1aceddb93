from collections import Counter
from dataclasses import replace
from math import log

import numpy as np
import pytest

from routing.catalog import PriceList
from routing.learned.drift import ENOUGH, WINDOW, Recent, alarms, newest, stability
from routing.learned.promise import Border, Promise
from routing.learned.promised import PromisedRouter
from routing.learned.router import Estimate, Router
from routing.learned.targets import Target
from tests.routing.learned.samples import small_router
from tests.routing.learned.small import catalog

MODEL = small_router()
ROUTER = Router(3, MODEL, catalog(), Target())
TRAFFIC = ROUTER.traffic()
GAINS = (TRAFFIC.quality[:, -1] - TRAFFIC.quality[:, 0]).tolist()
CHOSEN = [ROUTER.tiers[place] for place in TRAFFIC.choose(ROUTER.outlook.rate)]


def tenth(gain: float) -> int:
    low, high = Estimate(1, 0.0, 1.0, 0.0), Estimate(3, gain, 1.0, 0.0)
    return ROUTER.place((low, high), 1).tenth


def seen(gains, tiers) -> Recent:
    return Recent(Counter(map(tenth, gains)), sum(tier == 3 for tier in tiers))


def told(recent: Recent) -> list[str]:
    return list(alarms(ROUTER, recent))


def test_the_traffic_it_was_measured_with_is_no_drift():
    assert len(GAINS) >= ENOUGH
    assert told(seen(GAINS, CHOSEN)) == []


def test_requests_of_another_kind_are_told():
    low = sorted(GAINS)[: len(GAINS) // 3]

    [alarm] = told(seen(low * 3, CHOSEN[: 3 * len(low)]))
    assert "spread unlike those it was measured with" in alarm


def test_a_top_tier_that_gets_more_than_its_target_said_is_told():
    tiers = [3] * (len(CHOSEN) // 2) + CHOSEN[len(CHOSEN) // 2 :]

    [alarm] = told(seen(GAINS, tiers))
    share = sum(tier == 3 for tier in tiers) / len(tiers)
    assert f"{share:.0%} belong to the top tier" in alarm
    assert f"{ROUTER.outlook.top_share:.0%} were expected" in alarm


def test_few_requests_are_no_alarm():
    assert told(seen([0.9] * (ENOUGH - 1), [3] * (ENOUGH - 1))) == []
    assert told(seen([0.9] * ENOUGH, [3] * ENOUGH)) != []


def test_hours_are_taken_whole_from_the_newest_until_they_hold_enough():
    hours = iter([Recent(Counter({9: n}), n) for n in (1, WINDOW - 2, 5, 7)])

    assert newest(hours) == Recent(Counter({9: WINDOW + 4}), WINDOW + 4)
    assert next(hours).requests == 7  # and are not read further
    assert newest([]).requests == 0


def test_what_a_router_is_solved_anew_on_begins_anew():
    def basis(target=ROUTER.target, version=3, seen=None, **backends) -> str:
        return Router(version, MODEL, catalog(**backends), target, seen).basis

    part = replace(ROUTER.seen, tokens=ROUTER.seen.tokens + 1)
    worse = Target("max_worse", 0.1)
    borders = [Border("1", gain, 9, 0, 0.1, 1.0) for gain in (0.1, 0.2)]
    promises = [Promise(0.1, 0.95, "3", (border,)) for border in borders]
    promised = [
        PromisedRouter(3, MODEL, catalog(), worse, promise=each).basis
        for each in promises
    ]

    assert basis() == ROUTER.basis
    others = {
        basis(price=PriceList(1, 2, 3, 4)),
        basis(target=Target("max_loss", 0.03)),
        basis(version=4),
        basis(seen=part),
        *promised,
    }
    assert len(others | {ROUTER.basis}) == 7


def test_the_stability_index_is_that_of_the_books():
    now, before = Counter({0: 60, 1: 40}), (0.5, 0.5)

    expected = 0.1 * log(0.6 / 0.5) - 0.1 * log(0.4 / 0.5)
    assert stability(now, before) == pytest.approx(expected)


def test_each_tenth_holds_the_share_that_is_said():
    places = Counter(map(tenth, GAINS))

    shares = [places[place] / len(GAINS) for place in range(10)]
    assert shares == pytest.approx(ROUTER.tenths)
    assert np.sum(ROUTER.tenths) == pytest.approx(1)
