"""Ragged batches of truths and predictions, for the kernels that count confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels import reference_confusion

Sizes = list[int]


@dataclass
class ConfusionBatch:
    """The arguments of `confuse`; counts are not 0 to begin with, and some are past 32 bits."""

    truth: NDArray[Any]
    prediction: NDArray[Any]
    offsets: NDArray[np.int64]
    slots: NDArray[np.uint16]
    counts: NDArray[np.int64]

    @property
    def dtypes(self) -> tuple[str, str]:
        return self.truth.dtype.str[1:], self.prediction.dtype.str[1:]

    def expected(self) -> NDArray[np.int64]:
        counts = self.counts.copy()
        reference_confusion.confuse(self.truth, self.prediction, self.offsets, self.slots, counts)
        return counts


def random_batch(
    seed: int, sizes: Sizes, bins: int = 9, dtypes: tuple[str, str] = ("u1", "u1")
) -> ConfusionBatch:
    """Runs with noise between them, and indices outside of the table at both its ends."""
    rng = np.random.default_rng(seed)
    total = sum(sizes)
    indices = int(rng.integers(1, bins + 3))
    slots = rng.integers(0, bins, indices).astype(np.uint16)
    truth = _labels(rng, total, indices, dtypes[0])
    prediction = _labels(rng, total, indices, dtypes[1])
    counts = rng.integers(0, 9, (len(sizes), bins, bins))
    counts[rng.random(counts.shape) < 0.2] = (1 << 32) - 1
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return ConfusionBatch(truth, prediction, offsets, slots, counts)


def _labels(rng: np.random.Generator, total: int, indices: int, dtype: str) -> NDArray[Any]:
    length = int(rng.integers(1, 40))
    labels = np.repeat(rng.integers(0, indices, total // length + 1), length)[:total]
    kind = np.iinfo(dtype)
    edges = [-1, -2, 0, indices, indices - 1, 255, 256, 65535, 65536, 1 << 32, kind.min, kind.max]
    edges = [edge for edge in edges if kind.min <= edge <= kind.max]
    labels = np.clip(labels, kind.min, kind.max).astype(dtype)
    noise = rng.random(total) < rng.choice([0.0, 0.05, 0.9])
    labels[noise] = rng.choice(np.array(edges, dtype), int(noise.sum()))
    return labels
