import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.learned.features import BUCKETS, CUES, prompt_of, row_of
from routing.learned.intents import Intents, Kind
from routing.learned.model import NotAModel, QualityModel
from routing.learned.train import DEFAULT_INTENTS, train
from tests.routing.learned.samples import examples, labelled, small_router

ROUTER = small_router()
DATA = ROUTER.dump()


def row(text):
    return row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))


def repacked(**arrays: np.ndarray) -> bytes:
    """The router's file with some arrays replaced or added."""
    with np.load(io.BytesIO(DATA)) as found:
        kept = dict(found)
    file = io.BytesIO()
    np.savez(file, **{**kept, **arrays})
    return file.getvalue()


def by_hand(asked) -> list[float]:
    """Cues, cues by length, shares of intents, and those by length."""
    scale = ROUTER.dense.scale
    scaled = [
        min(4.0, max(-4.0, (cue - mean) / deviation))
        for cue, mean, deviation in zip(
            asked.cues, scale.mean, scale.deviation, strict=True
        )
    ]
    length = scaled[CUES.index("characters")]
    shares = list(DEFAULT_INTENTS.mixture(asked))
    cues = [0.1 * each for each in scaled]
    by_length = [0.05 * length * each for each in scaled]
    return [*cues, *by_length, *shares, *(length * each for each in shares)]


def test_a_router_read_back_is_the_same_router():
    again = QualityModel.load(DATA)

    assert again.dump() == DATA
    for text in ("", "derive the integral of rivers", "\u4f60\u597d"):
        assert (again.predict(row(text)) == ROUTER.predict(row(text))).all()


def test_training_twice_gives_the_same_bytes():
    assert small_router().dump() == DATA


def test_a_prediction_can_be_recomputed_by_hand():
    asked = row("derive the integral of lamp cloud")
    expected = []
    for tier in range(3):
        weights = ROUTER.weights[tier].astype(float)
        total = ROUTER.means[tier]
        for bucket in asked.buckets:
            total += weights[bucket] / len(asked.buckets) ** 0.5
        read = by_hand(asked)
        assert len(weights) == BUCKETS + len(read)
        total += sum(weights[BUCKETS + place] * each for place, each in enumerate(read))
        expected.append(min(1.0, max(0.0, total)))

    assert ROUTER.predict(asked) == pytest.approx(expected, abs=1e-5)
    gap = ROUTER.gain(asked, 0, 2)
    assert gap == pytest.approx(expected[2] - expected[0], abs=0.05)
    assert gap > ROUTER.gain(row("say hello to lamp cloud"), 0, 2) + 0.3


def about(**changes: object) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(DATA)) as found:
        told = json.loads(found["about"].tobytes())
    text = json.dumps({**told, **changes}).encode()
    return {"about": np.frombuffer(text, np.uint8)}


def test_a_router_from_before_there_were_intents_reads_the_cues_alone():
    known = BUCKETS + len(CUES)
    weights = ROUTER.weights[:, :known]
    old = QualityModel.load(repacked(weights=weights, **about(format=1, intents=None)))
    asked = row("derive the integral of lamp cloud")

    expected = ROUTER.means + weights[:, BUCKETS:] @ by_hand(asked)[: len(CUES)]
    words = weights[:, asked.buckets].sum(axis=1) / len(asked.buckets) ** 0.5
    assert old.expect_one(asked) == pytest.approx(expected + words, abs=1e-5)
    assert QualityModel.load(old.dump()).expect_one(asked) == pytest.approx(
        old.expect_one(asked)
    )


def test_a_router_keeps_the_intents_it_was_trained_with():
    mine = Intents([Kind(7, "greeting", "hello, say", "tools 1", 0.5)])
    router = train(labelled(examples(400)), folds=2, intents=mine)

    again = QualityModel.load(router.dump())

    assert [(kind.slug, kind.words, kind.cues, kind.bias) for kind in mine.kinds] == [
        (kind.slug, kind.words, kind.cues, kind.bias)
        for kind in again.dense.intents.kinds
    ]
    asked = row("say hello to lamp cloud")
    assert (again.predict(asked) == router.predict(asked)).all()


@pytest.mark.parametrize(
    "intents",
    [
        [["a", "", "", 0.0]] * 65,
        [["a", "", "", 0.0]],  # weights of ten others are there
        [["a", "one two three", "", 0.0]],
        [["a", "", "no such cue 1", 0.0]],
        [["a", "", "", float("nan")]],
        [["a"]],
        "intents",
    ],
)
def test_intents_that_are_none_are_refused(intents):
    with pytest.raises(NotAModel):
        QualityModel.load(repacked(**about(intents=intents)))


@pytest.mark.parametrize(
    "arrays",
    [
        {"extra": np.zeros(1)},
        {"means": np.zeros(2)},
        {"means": np.array([np.nan, 0, 0])},
        {"weights": np.zeros((3, 5), np.float32)},
        {"cue_deviation": np.zeros(len(ROUTER.dense.scale.deviation), np.float32)},
        {"about": np.frombuffer(b"[]", np.uint8)},
        {"about": np.frombuffer(b'{"format": 9, "features": 1}', np.uint8)},
        {"means": np.array(["a", "b", "c"])},
        {"means": np.full(3, 1e30)},
        {"weights": np.full_like(ROUTER.weights, 3e38)},
    ],
)
def test_a_file_whose_parts_are_wrong_is_refused(arrays):
    with pytest.raises(NotAModel):
        QualityModel.load(repacked(**arrays))


@pytest.mark.parametrize("pair", [5, "13", ["1"], ["1", "x"], ["1", "2", "3"]])
def test_a_file_that_was_measured_between_other_tiers_is_refused(pair):
    router = replace(ROUTER, metrics=ROUTER.metrics | {"pair": pair})
    with pytest.raises(NotAModel, match="tiers it doesn't know"):
        QualityModel.load(router.dump())


def test_a_file_with_code_in_it_is_refused():
    with pytest.raises(NotAModel):
        QualityModel.load(repacked(means=np.array([print, 0, 0], dtype=object)))


def test_a_file_that_unpacks_to_a_giant_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.npy", b"\0" * (65 << 20))

    with pytest.raises(NotAModel, match="more than a router can be"):
        QualityModel.load(file.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_refused_or_harmless(place, noise):
    damaged = DATA[:place] + noise + DATA[place + len(noise) :]
    try:
        router = QualityModel.load(damaged)
    except NotAModel:
        return
    assert np.isfinite(router.predict(row("hello"))).all()


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused(data):
    with pytest.raises(NotAModel):
        QualityModel.load(data)
