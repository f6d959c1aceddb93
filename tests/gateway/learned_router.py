"""Gateways with a trained router, and what it says by hand."""

from dataclasses import replace

import numpy as np
import pytest

from routing.learned.brain import Brain
from routing.learned.features import BUCKETS, CUES
from routing.learned.router import Router
from routing.learned.targets import Target
from tests.harness import three_tiers
from tests.routing.learned.oracle import mixture_by_hand
from tests.routing.learned.small import MODEL


def trained(url: str, *, learning: bool = False, shadow: bool = False, **policy):
    catalog = three_tiers(url, cache_enabled=False, **policy)
    router = Router(4, MODEL, catalog, Target())
    brain = Brain(
        None if shadow else router,
        router if shadow else None,
        learning=learning,
        exploration=policy.get("learned_exploration", 0.0),
    )
    return replace(catalog, brain=brain)


def by_hand(row):
    """What the model expects of each tier: an oracle of a few lines."""
    scale = MODEL.dense.scale
    cues = np.clip((row.cues - scale.mean) / scale.deviation, -4, 4)
    length, shares = (
        cues[CUES.index("characters")],
        np.array(list(mixture_by_hand(row).values())),
    )
    read = (0.1 * cues, 0.05 * length * cues, shares, length * shares)
    for mean, weights in zip(MODEL.means, MODEL.weights, strict=True):
        words = sum(weights[bucket] for bucket in row.buckets)
        counted = np.concatenate(read) @ weights[BUCKETS:]
        yield mean + words / len(row.buckets) ** 0.5 + counted


def told_by_hand(row):
    """The intents that the story of a decision names."""
    told = {slug: v for slug, v in mixture_by_hand(row).items() if v >= 0.05}
    return pytest.approx(told, abs=6e-4)


def step(record: dict, name: str) -> dict:
    [found] = [each for each in record["decisions"] if each["step"] == name]
    return found
