import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.learned.features import BUCKETS, prompt_of, row_of
from routing.learned.model import NotAModel, QualityModel
from tests.routing.learned.samples import small_router

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
        for place, cue in enumerate(asked.cues):
            scaled = (cue - ROUTER.scale.mean[place]) / ROUTER.scale.deviation[place]
            total += 0.1 * min(4.0, max(-4.0, scaled)) * weights[BUCKETS + place]
        expected.append(min(1.0, max(0.0, total)))

    assert ROUTER.predict(asked) == pytest.approx(expected, abs=1e-5)
    gap = ROUTER.gain(asked, 0, 2)
    assert gap == pytest.approx(expected[2] - expected[0], abs=0.05)
    assert gap > ROUTER.gain(row("say hello to lamp cloud"), 0, 2) + 0.3


@pytest.mark.parametrize(
    "arrays",
    [
        {"extra": np.zeros(1)},
        {"means": np.zeros(2)},
        {"means": np.array([np.nan, 0, 0])},
        {"weights": np.zeros((3, 5), np.float32)},
        {"cue_deviation": np.zeros(len(ROUTER.scale.deviation), np.float32)},
        {"about": np.frombuffer(b"[]", np.uint8)},
        {"about": np.frombuffer(b'{"format": 9, "features": 1}', np.uint8)},
        {"means": np.array(["a", "b", "c"])},
    ],
)
def test_a_file_whose_parts_are_wrong_is_refused(arrays):
    with pytest.raises(NotAModel):
        QualityModel.load(repacked(**arrays))


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
