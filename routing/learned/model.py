"""A trained router: weights, scale and what was measured. Data only, never code.

The file is numpy's zip of plain arrays, read without pickle; everything in it is
checked before it is used, for it may come from anywhere.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.learned import features
from routing.learned.design import Dense, Scale
from routing.learned.features import BUCKETS, Row
from routing.learned.intents import Intents, Kind

FORMAT = 2
FORMATS = (1, FORMAT)  # the first one knew no intents
MAX_BYTES = 64 << 20  # unpacked
MAX_TIERS = 64
LARGEST = 1e6  # of any number in it: sums of some thousand stay numbers
MAX_INTENTS = 64
NAMES = (
    "about",
    "weights",
    "means",
    "cue_mean",
    "cue_deviation",
    "sample",
    "sample_tokens",
)


class NotAModel(ValueError):
    """The bytes are no router, or one of another version; the message says which."""


@dataclass(frozen=True, slots=True)
class QualityModel:
    """`tiers` are in the order of rising mean quality, unless they are numbers.

    `sample` holds what was predicted for held-out rows (rows x tiers), and
    `sample_tokens` how long their prompts were: the traffic that targets are solved on.
    """

    tiers: tuple[str, ...]
    means: NDArray[np.float64]
    weights: NDArray[np.float32]  # tiers x (buckets and what `dense` reads)
    dense: Dense
    sample: NDArray[np.float32]
    sample_tokens: NDArray[np.float32]
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A word's weights for all tiers side by side: they are fetched together.
        object.__setattr__(self, "weights", np.asfortranarray(self.weights))

    def predict(self, row: Row) -> NDArray[np.float64]:
        """The expected quality of each tier, from 0 to 1."""
        return np.clip(self.expect_one(row), 0.0, 1.0)

    def expect(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """The same for many rows, unclipped: what is left for others to learn."""
        return np.array([self.expect_one(row) for row in rows])

    def expect_one(
        self, row: Row, read: NDArray[np.float32] | None = None
    ) -> NDArray[np.float64]:
        """`read` is what `dense` reads of the row, where that is known already."""
        dense = self.dense.of(row) if read is None else read
        quality: NDArray[np.float64] = self.weights[:, BUCKETS:] @ dense + self.means
        if count := len(row.buckets):
            words = np.add.reduce(self.weights.T.take(row.buckets, axis=0))
            quality += words / sqrt(count)
        return quality

    def predict_all(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        return np.array([self.predict(row) for row in rows])

    def gain(self, row: Row, weak: int, strong: int) -> float:
        """What the strong tier is expected to give more than the weak one.

        Not clipped, so that no two requests are alike for being very easy.
        """
        expected = self.expect_one(row)
        return float(expected[strong] - expected[weak])

    def renamed(self, places: Mapping[str, int]) -> "QualityModel":
        """Of these columns alone, under these names."""
        columns = list(places.values())
        return replace(
            self,
            tiers=tuple(places),
            means=self.means[columns],
            weights=self.weights[columns],
            sample=self.sample[:, columns],
        )

    @property
    def pair(self) -> tuple[str, str]:
        """The tiers that a plain question for "weak or strong" means."""
        weak, strong = self.metrics.get("pair") or (self.tiers[0], self.tiers[-1])
        return str(weak), str(strong)

    @property
    def objections(self) -> list[str]:
        """Why it must not decide; empty when it beat everything it was measured by."""
        found = self.metrics.get("objections", ["It was never measured."])
        return [str(each) for each in found]

    def dump(self) -> bytes:
        """The same model gives the same bytes."""
        about = {
            "format": FORMAT,
            "features": features.VERSION,
            "intents": written(self.dense.intents),
            "tiers": self.tiers,
            "metrics": self.metrics,
        }
        text = json.dumps(about, sort_keys=True).encode()
        file = io.BytesIO()
        np.savez_compressed(
            file,
            about=np.frombuffer(text, np.uint8),
            weights=self.weights,
            means=self.means,
            cue_mean=self.dense.scale.mean,
            cue_deviation=self.dense.scale.deviation,
            sample=self.sample,
            sample_tokens=self.sample_tokens,
        )
        return file.getvalue()

    @classmethod
    def load(cls, data: bytes) -> "QualityModel":
        """Raises NotAModel, whatever the bytes are."""
        try:
            arrays = read_arrays(data)
            about = json.loads(arrays["about"].astype(np.uint8).tobytes())
            check_version(about)
            model = cls(
                tiers=tuple(map(str, about["tiers"])),
                means=arrays["means"].astype(np.float64),
                weights=arrays["weights"].astype(np.float32),
                dense=Dense(
                    Scale(
                        arrays["cue_mean"].astype(np.float32),
                        arrays["cue_deviation"].astype(np.float32),
                    ),
                    read_intents(about.get("intents")),
                ),
                sample=arrays["sample"].astype(np.float32),
                sample_tokens=arrays["sample_tokens"].astype(np.float32),
                metrics=dict(about["metrics"]),
            )
        except NotAModel:
            raise
        except Exception as error:  # zipfile, numpy and json raise anything at noise
            raise NotAModel(f"This is no router's file: {error}.") from error
        model.check()
        return model

    def check(self) -> None:
        """Shapes that fit together and numbers that are numbers."""
        tiers, cues, scale = len(self.tiers), len(features.CUES), self.dense.scale
        fits = (
            1 <= tiers <= MAX_TIERS
            and len(set(self.tiers)) == tiers
            and self.means.shape == (tiers,)
            and self.weights.shape == (tiers, BUCKETS + self.dense.width)
            and scale.mean.shape == scale.deviation.shape == (cues,)
            and self.sample.shape == (len(self.sample_tokens), tiers)
            and len(self.sample) > 0
        )
        if not fits:
            raise NotAModel("This router's parts don't fit together.")
        parts = (
            *(self.means, self.weights, scale.mean, scale.deviation),
            *(self.sample, self.sample_tokens),
        )
        if not all((np.abs(part) <= LARGEST).all() for part in parts):
            raise NotAModel("This router holds numbers that are none, or too large.")
        if not (scale.deviation > 0).all() or (self.sample_tokens < 0).any():
            raise NotAModel("This router holds numbers that can't be.")
        pair = self.metrics.get("pair") or [self.tiers[0], self.tiers[-1]]
        if not isinstance(pair, list) or [p in self.tiers for p in pair] != [True] * 2:
            raise NotAModel("This router was measured between tiers it doesn't know.")


def read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a file that names exactly ours and unpacks to a bounded size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise NotAModel("This file unpacks to more than a router can be.")
        if {entry.filename for entry in entries} != {f"{name}.npy" for name in NAMES}:
            raise NotAModel("This file holds other things than a router.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in NAMES}


def written(intents: Intents | None) -> list[list[Any]] | None:
    if intents is None:
        return None
    return [[kind.slug, kind.words, kind.cues, kind.bias] for kind in intents.kinds]


def read_intents(found: list[list[Any]] | None) -> Intents | None:
    if found is None:
        return None
    if len(found) > MAX_INTENTS:
        raise NotAModel(f"This router knows more than {MAX_INTENTS} intents.")
    return Intents(
        [
            Kind(place, str(slug), str(words), str(cues), float(bias))
            for place, (slug, words, cues, bias) in enumerate(found)
        ]
    )


def check_version(about: dict[str, Any]) -> None:
    if about["format"] not in FORMATS or about["features"] != features.VERSION:
        raise NotAModel(
            f"This router is of format {about['format']}, features "
            f"{about['features']}; here they are {FORMAT} and {features.VERSION}. "
            "Train it again."
        )
