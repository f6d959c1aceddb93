"""How well routers rank: trained here by cross-validation, beside what is published.

    python -m benchmarks.routing --data dev.jsonl.gz [--votes]

Lines are labelled results of real models: {"id", "bench", "task", "prompt", "weak",
"strong", perhaps "mid" and "weak_cost", "mid_cost", "strong_cost"}.
"""

import gzip
import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np

from benchmarks import votes
from routing.classifier import classify
from routing.features import extract
from routing.learned import evaluate, ridge
from routing.learned.brain import Brain
from routing.learned.design import Floats
from routing.learned.evaluate import Curve, interval, resamples
from routing.learned.labelled import HEURISTIC, LENGTH, Collector, Labelled
from routing.learned.router import Router
from routing.learned.targets import Target, Traffic
from routing.learned.train import DEFAULT_INTENTS, Reading, fit, train

# Routers of one pair of models are trained together, as an operator's would be.
GROUPS = (("mmlu", "gsm8k", "routerbench"), ("mix14",))
TIERS = {"1": "weak", "2": "mid", "3": "strong"}
FOLDS = 5
# RouteLLM (arXiv 2406.18665v4): APGR, and the share of strong calls in per cent for
# half and for 80 % of the gap. Their routers saw 55 000 arena votes and what their
# name says; embeddings or a GPU are needed for each request.
PUBLISHED = {
    "mmlu": (
        ("random", 0.500, 50.1, 79.9),
        ("SW ranking, augmented", 0.603, 35.4, 71.6),
        ("matrix factorization, augmented", 0.597, 35.5, 71.4),
        ("causal LLM (Llama-3-8B), augmented", 0.600, 35.5, 70.3),
        ("BERT, augmented", 0.572, 41.3, 72.2),
    ),
    "gsm8k": (
        ("random", 0.497, 50.0, 80.1),
        ("SW ranking, augmented", 0.568, 41.2, 72.2),
        ("matrix factorization, augmented", 0.565, 38.8, 72.6),
        ("causal LLM (Llama-3-8B), augmented", 0.622, 33.6, 63.3),
        ("BERT, augmented", 0.531, 44.8, 79.1),
    ),
}
HEADER = f"{'':38s} {'APGR [95 %]':22s} {'CPT50':>6s} {'CPT80':>6s}   {'q10 APGR':>8s}"


def read(path: Path) -> list[dict]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def collect(rows: Sequence[dict]) -> Labelled:
    collector = Collector()
    for row in rows:
        judged = {tier: row[name] for tier, name in TIERS.items() if name in row}
        collector.add(votes.body(row), judged)
    return collector.labelled()


def by_text(row: dict) -> str:
    return row["prompt"]


def by_task(row: dict) -> str:
    return f"{row['bench']} {row['task']}"


def held_out(rows: Sequence[dict], key: Callable[[dict], str]) -> Floats:
    """What routers that saw no row of the same key predict: rows x tiers."""
    fold = np.array([crc32(key(row).encode()) % FOLDS for row in rows])
    predicted = np.full((len(rows), len(TIERS)), np.nan)
    for number in range(FOLDS):
        model = train(
            collect([r for r, f in zip(rows, fold, strict=True) if f != number]),
            folds=2,
        )
        columns = [list(TIERS).index(tier) for tier in model.tiers]
        for place in np.flatnonzero(fold == number).tolist():
            row = votes.row_of(votes.prompt_of(votes.body(rows[place])))
            predicted[place, columns] = model.expect_one(row)
    return predicted


def gain(rows: Sequence[dict]) -> Floats:
    return np.array([row["strong"] - row["weak"] for row in rows], np.float64)


def line(name: str, score: Floats, true: Floats) -> str:
    curve = Curve(score, true)
    found = curve.ranking()
    spread = np.array([curve.apgr(weight) for weight in resamples(len(true), 0)])
    low, high = interval(spread)
    return (
        f"{name:38s} {found.apgr:.3f} [{low:.3f}, {high:.3f}]   "
        f"{found.cpt50:6.1%} {found.cpt80:6.1%}   {in_ten_steps(score, true):8.3f}"
    )


def in_ten_steps(score: Floats, true: Floats) -> float:
    """APGR by RouteLLM's own protocol: thresholds at the tenths of the scores."""
    steps = np.quantile(score, np.linspace(0, 1, 11))
    chosen = [score >= step for step in steps[:-1]] + [score > steps[-1]]
    share = np.array([each.mean() for each in chosen])
    gained = np.array([true[each].sum() for each in chosen]) / true.sum()
    order = np.argsort(share, kind="stable")
    x, y = share[order], gained[order]
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2 / (x[-1] - x[0]))


def rankings(rows: list[dict]) -> Iterator[str]:
    yield f"Ranking weak against strong, {FOLDS}-fold cross-validation by text."
    for group in GROUPS:
        kept = [row for row in rows if row["bench"] in group]
        if not kept:
            continue
        predicted = held_out(kept, by_text)
        baselines = collect(kept).baselines
        for bench in group:
            part = np.array([row["bench"] == bench for row in kept])
            if part.any():
                yield from part_of(bench, kept, part, predicted, baselines)
        if group == ("mix14",):
            continue
        subjects = [row for row in kept if row["bench"] == "mmlu"]
        other = held_out(subjects, by_task)
        yield "\nmmlu, subjects never seen"
        yield HEADER
        yield line("llm-router", other[:, 2] - other[:, 0], gain(subjects))


def part_of(
    bench: str, rows: list[dict], part: Floats, predicted: Floats, baselines: dict
) -> Iterator[str]:
    kept = [row for row, here in zip(rows, part, strict=True) if here]
    true = gain(kept)
    yield f"\n{bench}, {len(kept)} prompts"
    yield HEADER
    score = predicted[part, 2] - predicted[part, 0]
    yield line("llm-router, labels of the same kind", score, true)
    yield line("the heuristic score", baselines[HEURISTIC][part], true)
    yield line("length of the prompt", baselines[LENGTH][part], true)
    for name, apgr, half, most in PUBLISHED.get(bench, ()):
        shown = f"{half:5.1f}% {most:5.1f}%   {apgr:8.3f}"
        yield f"{'RouteLLM: ' + name:60s}   {shown}"
    if all("mid_cost" in row for row in kept):
        cost = cheapest_for(0.8, predicted[part], kept)
        yield f"80 % of the gap with three tiers costs {cost:.1%} of always the strong"


def cheapest_for(share: float, quality: Floats, rows: Sequence[dict]) -> float:
    """Dollars that recover this share of the gap, relative to always the strong."""
    names = list(TIERS.values())
    paid = np.array([[row[f"{name}_cost"] for name in names] for row in rows])
    true = np.array([[row[name] for name in names] for row in rows])
    traffic = Traffic(
        np.clip(quality, 0, 1), np.tile(paid.mean(axis=0), (len(rows), 1))
    )
    low, high = true[:, 0].mean(), true[:, 2].mean()
    every, costs = np.arange(len(rows)), [1.0]
    for rate in np.geomspace(0.1, 1e4, 400):
        chosen = traffic.choose(rate)
        if true[every, chosen].mean() >= low + share * (high - low):
            costs.append(paid[every, chosen].sum() / paid[:, 2].sum())
    return min(costs)


def speeds(rows: list[dict]) -> Iterator[str]:
    kept = [row for row in rows if row["bench"] in GROUPS[0]][:10_000]
    labelled = collect(kept)
    ordered = labelled.take(ridge.patterns(labelled.quality)[0])
    started = time.perf_counter()
    fit(ordered, Reading(DEFAULT_INTENTS))
    took = time.perf_counter() - started
    yield f"\none fit of {len(kept)} rows: {took:.2f} s"
    here = votes.catalog((1, 2, 3))
    brain, random = Brain(Router(1, train(labelled, 2), here, Target())), Random(1)
    micros = []
    for row in kept[:3000]:
        body = votes.body(row)
        started = time.perf_counter()
        features = extract(body)
        classify(features)
        brain.propose(body, features, [1, 2, 3], 1, random)
        micros.append((time.perf_counter() - started) * 1e6)
    middle, late = np.percentile(micros[300:], (50, 99))
    yield f"a decision, features included: median {middle:.0f} us, p99 {late:.0f} us"


def learning(rows: list[dict]) -> Iterator[str]:
    stream, test = votes.halves([row for row in rows if row["bench"] == "mix14"])
    yield f"\nVotes on one answer each, mix14, {len(stream)} prompts streamed:"
    yield f"APGR of the router that decides, on {len(test)} others (0: the heuristic)"
    heuristic, true = votes.scores(None, test), gain(test)
    for name, flipped in (("votes as they are", 0.0), ("a fifth turned around", 0.2)):
        random = Random(7)

        def voter(quality: float) -> float:
            return 1 - quality if random.random() < flipped else quality  # noqa: B023

        found = {0: votes.apgr(None, test)}
        model = None
        for count, model in votes.stream(stream, 1, 5000, voter):
            found[count] = votes.apgr(model, test)
        shown = "  ".join(f"{count}: {value:.3f}" for count, value in found.items())
        yield f"{name:24s} {shown}"
        learned = votes.scores(model, test)
        against = evaluate.compare(learned, heuristic, true, HEURISTIC)
        low, high = against.low, against.high
        yield f"{'':24s} gained {against.difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--votes", action="store_true", help="also learn from votes")
    options = parser.parse_args()
    try:
        rows = read(options.data)
    except (OSError, ValueError) as error:
        print(f"{options.data}: {error}", file=sys.stderr)
        return 2
    parts = [rankings, speeds, *([learning] if options.votes else [])]
    for part in parts:
        for text in part(rows):
            print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
