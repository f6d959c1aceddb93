"""Labelled prompts as a stream to learn from, one answer judged of each."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np

from routing.catalog import Backend, Catalog, Policy, PriceList, Tier
from routing.classifier import classify
from routing.features import extract
from routing.learned.brain import Brain
from routing.learned.evaluate import OF_MORE_VOTES, OF_VOTES, Curve
from routing.learned.evidence import Evidence, Judgement, labelled
from routing.learned.features import prompt_of, row_of
from routing.learned.model import QualityModel
from routing.learned.router import Router
from routing.learned.targets import Target
from routing.learned.train import train

EVAL_DATA = os.environ.get("LLM_ROUTER_EVAL_DATA", "")
LABELS = {1: "weak", 2: "mid", 3: "strong"}
REFIT_AT = (200, 400, 600, 800, 1000, 1500, 2000, 3000, 4000, 5000)
Voter = Callable[[float], float]


def mix14() -> tuple[list[dict], list[dict]]:
    path = Path(EVAL_DATA) / "routing" / "dev.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return halves([r for r in map(json.loads, file) if r["bench"] == "mix14"])


def halves(rows: list[dict]) -> tuple[list[dict], list[dict]]:
    """Seven tenths to stream, the rest to evaluate on, whole texts at a time."""
    held = [crc32(row["prompt"].encode()) % 10 < 3 for row in rows]
    pairs = list(zip(held, rows, strict=True))
    return [r for h, r in pairs if not h], [r for h, r in pairs if h]


def body(row: dict) -> dict:
    return {"messages": [{"role": "user", "content": row["prompt"]}]}


def endless(rows: list[dict], random: Random) -> Iterator[dict]:
    while True:
        yield from random.sample(rows, len(rows))


def catalog(ranks: tuple[int, ...] = (1, 3), **policy) -> Catalog:
    """Tiers whose answers cost 1, 2 and 12 times as much."""
    dollars = {1: 0.2, 2: 0.4, 3: 2.4}
    prices = {r: PriceList(*[round(dollars[r] * 1e9)] * 2, 0, 0) for r in ranks}
    tiers = tuple(Tier(r, LABELS[r], 30 * r if r < 3 else None) for r in ranks)
    backends = tuple(
        Backend(tier.name, tier.rank, base_url="http://x", price=prices[tier.rank])
        for tier in tiers
    )
    return Catalog(tiers, backends, policy=Policy(learning="auto", **policy))


def stream(
    rows: list[dict], seed: int, votes: int, voter: Voter = float, **policy
) -> Iterator[tuple[int, QualityModel | None]]:
    """After each training: the votes so far and the router that decides then."""
    random, here = Random(seed), catalog(**policy)
    ranks = [tier.rank for tier in here.tiers]
    brain = Brain(learning=True, exploration=here.policy.learned_exploration)
    evidence: list[Evidence] = []
    for row in endless(rows, random):
        features = extract(body(row))
        proposal = brain.propose(body(row), features, ranks, ranks[0], random)
        tier = proposal.tier or ranks[0]
        judged = {tier: Judgement(voter(row[LABELS[tier]]))}
        score = classify(features).value
        features_row = row_of(prompt_of(body(row)))
        evidence.append(Evidence(features_row, tier, proposal.chance, score, judged))
        if len(evidence) in REFIT_AT:
            demands = OF_MORE_VOTES if brain.router else OF_VOTES
            model = train(labelled(evidence, ranks), demands=demands)
            if not model.objections:
                router = Router(len(evidence), model, here, Target())
                brain = Brain(router, None, True)
            yield len(evidence), brain.router and brain.router.model
        if len(evidence) == votes:
            return


def scores(model: QualityModel | None, test: list[dict]) -> np.ndarray:
    """What the strong tier is expected to gain; the heuristic before there is one."""
    if model is None:
        return np.array([classify(extract(body(r))).value for r in test], float)
    return np.array([model.gain(row_of(prompt_of(body(r))), 0, -1) for r in test])


def gains(test: list[dict]) -> np.ndarray:
    return np.array([row["strong"] - row["weak"] for row in test], float)


def apgr(model: QualityModel | None, test: list[dict]) -> float:
    return Curve(scores(model, test), gains(test)).ranking().apgr
