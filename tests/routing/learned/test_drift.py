from collections import Counter
from math import log

import numpy as np
import pytest

from routing.learned.drift import ENOUGH, WINDOW, Drift, stability
from routing.learned.router import Router
from routing.learned.targets import Target
from tests.routing.learned.samples import small_router
from tests.routing.learned.test_router import catalog

ROUTER = Router(3, small_router(), catalog(), Target())
TRAFFIC = ROUTER.traffic()
GAINS = (TRAFFIC.quality[:, -1] - TRAFFIC.quality[:, 0]).tolist()
CHOSEN = [ROUTER.tiers[place] for place in TRAFFIC.choose(ROUTER.outlook.rate)]


def seen(gains, tiers) -> Drift:
    drift = Drift()
    for gain, tier in zip(gains, tiers, strict=True):
        drift.note(ROUTER, gain, tier)
    return drift


def test_the_traffic_it_was_measured_with_is_no_drift():
    assert len(GAINS) >= ENOUGH
    assert seen(GAINS, CHOSEN).alarms([ROUTER]) == []


def test_requests_of_another_kind_are_told():
    low = sorted(GAINS)[: len(GAINS) // 3]
    drift = seen(low * 3, CHOSEN[: 3 * len(low)])

    [alarm] = drift.alarms([ROUTER])
    assert "spread unlike those it was measured with" in alarm


def test_a_top_tier_that_gets_more_than_its_target_said_is_told():
    tiers = [3] * (len(CHOSEN) // 2) + CHOSEN[len(CHOSEN) // 2 :]

    [alarm] = seen(GAINS, tiers).alarms([ROUTER])
    share = sum(tier == 3 for tier in tiers) / len(tiers)
    assert f"{share:.0%} belong to the top tier" in alarm
    assert f"{ROUTER.outlook.top_share:.0%} were expected" in alarm


def test_few_requests_and_routers_that_no_longer_decide_are_no_alarm():
    drift = seen([0.9] * (ENOUGH - 1), [3] * (ENOUGH - 1))
    assert drift.alarms([ROUTER]) == []
    drift.note(ROUTER, 0.9, 3)
    assert drift.alarms([ROUTER]) != []
    assert drift.alarms([]) == []
    assert drift.alarms([ROUTER]) == []  # it begins anew


def test_what_is_past_the_window_is_forgotten():
    times = -(-WINDOW // len(GAINS))
    drift = seen([0.9] * ENOUGH + GAINS * times, [3] * ENOUGH + CHOSEN * times)

    assert drift.alarms([ROUTER]) == []


def test_the_stability_index_is_that_of_the_books():
    now, before = Counter({0: 60, 1: 40}), (0.5, 0.5)

    expected = 0.1 * log(0.6 / 0.5) - 0.1 * log(0.4 / 0.5)
    assert stability(now, before) == pytest.approx(expected)


def test_each_tenth_holds_the_share_that_is_said():
    places = Counter(map(ROUTER.tenth, GAINS))

    shares = [places[place] / len(GAINS) for place in range(10)]
    assert shares == pytest.approx(ROUTER.tenths)
    assert np.sum(ROUTER.tenths) == pytest.approx(1)
