"""Boundary matching against SciPy's Euclidean distance transform, on random and real maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.boundary import boundary_matches
from tests.real import HERE, label_map, real_pngs

ndimage: Any = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")

LARGEST = np.s_[:600, :800]
"""The part of a map that is taken: the transform of every label of a larger one takes long."""


def on_boundary(labels: Labels, counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """By the largest and least label in the cross around, uncounted pixels taking one's own."""
    edge = np.zeros(labels.shape, bool)
    padded, inside = np.pad(labels, 1, mode="edge"), np.pad(counted, 1)
    for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
        window = np.s_[y : y + labels.shape[0], x : x + labels.shape[1]]
        edge |= counted & inside[window] & (padded[window] != labels)
    return edge


def judged(
    truth: Labels, prediction: Labels, radius: float, ignored: int | None
) -> dict[int, list[int]]:
    """What each label's distance transforms say."""
    counted = truth != ignored if ignored is not None else np.ones(truth.shape, bool)
    edges = [on_boundary(labels, counted) for labels in (prediction, truth)]
    found = {}
    for label in np.union1d(prediction[edges[0]], truth[edges[1]]).tolist():
        predicted, true = edges[0] & (prediction == label), edges[1] & (truth == label)
        row = []
        for own, other in ((predicted, true), (true, predicted)):
            near = ndimage.distance_transform_edt(~other) <= radius if other.any() else other
            row += [int(own.sum()), int((own & near).sum())]
        found[label] = row
    return found


def by_kernel(
    truth: Labels, prediction: Labels, radius: float, ignored: int | None
) -> dict[int, list[int]]:
    labels, counts = boundary_matches(truth, prediction, radius, ignored)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize("radius", [0, 1, 2.3, 5, 40])
@pytest.mark.parametrize("seed", range(6))
def test_random_maps(seed: int, radius: float) -> None:
    """Smooth blobs of six labels; the prediction is another threshold of much the same noise."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal((90, 140)), 4)
    other = noise + 0.1 * ndimage.gaussian_filter(rng.standard_normal((90, 140)), 2)
    truth, prediction = (
        np.digitize(values, np.linspace(-0.15, 0.15, 5)).astype(np.uint8)
        for values in (noise, other)
    )
    ignored = seed if seed % 2 else None
    found = by_kernel(truth, prediction, radius, ignored)
    assert len(found) >= 5
    assert found == judged(truth, prediction, radius, ignored)


def predictions(truth: Labels) -> dict[str, Labels]:
    """What models get wrong: borders that are moved, borders of a coarser grid."""
    height, width = truth.shape
    rows, columns = (np.minimum(np.arange(n) // 8 * 8 + 4, n - 1) for n in (height, width))
    return {"moved": np.roll(truth, (3, -2), (0, 1)), "coarse": truth[rows[:, None], columns]}


def boundaries(path: Path) -> int:
    """Compares a part of one map, if it is a label map; returns how many labels have a boundary."""
    whole = label_map(path)
    if whole is None:
        return 0
    truth = np.ascontiguousarray(whole[LARGEST])
    ignored = int(truth.max())
    radius = 0.0075 * float(np.hypot(*truth.shape))
    labels = 0
    for name, prediction in predictions(truth).items():
        found = by_kernel(truth, prediction, radius, ignored)
        assert found == judged(truth, prediction, radius, ignored), (path, name)
        labels += len(found)
    return labels


@pytest.mark.parametrize("folder", ["davis_P", "human_parsing_P", "quintal_rgba"])
def test_real_maps_in_the_repository(folder: str) -> None:
    assert sum(map(boundaries, sorted((HERE / folder).glob("*.png"))[::4])) > 0


def test_other_real_maps(shared: Path) -> None:
    sets = real_pngs(shared / "data", but=HERE)
    labels = {name: sum(map(boundaries, paths[:2])) for name, paths in sets.items()}
    assert sum(found > 0 for found in labels.values()) >= 8
    assert sum(labels.values()) >= 200
