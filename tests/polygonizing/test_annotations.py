"""Annotations of one label map: exactly its pixels again, judged by pycocotools."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.kernels import reference_outlines
from gpuseg.kernels.jit import CHECKED
from gpuseg.polygonizing import annotations
from gpuseg.polygonizing.annotations import Annotations, Instances, annotate
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions
from tests.polygonizing.reading import pixels

few = settings(max_examples=20 if CHECKED else 100, deadline=None)
WAYS = st.fixed_dictionaries(
    {
        "segmentation": st.sampled_from(["polygon", "rle"]),
        "by": st.sampled_from(["component", "class"]),
        "connectivity": st.sampled_from([4, 8]),
        "min_area": st.sampled_from([1, 1, 3]),
        "background": st.sampled_from(["none", 0, 2]),
    }
)


def made(labels: Any, instances: Instances | None = None, **options: Any) -> Annotations:
    chosen = PolygonizeOptions(**options)
    return annotate(np.asarray(labels), instances, Classes.of(None, chosen), chosen)


def parsed(found: Annotations) -> list[dict[str, Any]]:
    every = [json.loads(b"{" + line) for line in found.lines.splitlines()]
    assert len(every) == found.count
    return every


@st.composite
def label_maps(draw: st.DrawFn) -> NDArray[Any]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    labels = np.array([0, 1, 2, 255])[rng.integers(0, 4, shape)]
    labels = np.kron(labels, np.ones((draw(st.integers(1, 3)), 2), np.int64))
    labels = np.where(rng.random(labels.shape) < 0.1, rng.integers(0, 3, labels.shape), labels)
    return labels.astype(draw(st.sampled_from([np.uint8, np.uint16])))


@few
@given(labels=label_maps(), ways=WAYS)
def test_annotations_are_the_regions(labels: NDArray[Any], ways: dict[str, Any]) -> None:
    """In the order of their first pixels; what is small is counted."""
    classes = [i for i in (0, 1, 2) if i != ways["background"]]
    values = np.where(np.isin(labels, classes), labels + 1, 0)
    regions = reference_outlines.regions(values, eight=ways["connectivity"] == 8)
    if ways["by"] == "class":
        first = list(dict.fromkeys(value for value, _ in regions))
        regions = [(value, values == value) for value in first]
    small = [int(mask.sum()) for _, mask in regions if mask.sum() < ways["min_area"]]
    wanted = [(value - 1, mask) for value, mask in regions if mask.sum() >= ways["min_area"]]
    found = made(labels, **ways)
    assert (found.small, found.small_pixels) == (len(small), sum(small))
    assert found.indices == tuple(sorted({index for index, _ in wanted}))
    for one, (index, mask) in zip(parsed(found), wanted, strict=True):
        ys, xs = (each.tolist() for each in np.nonzero(mask))
        box = [min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1]
        assert list(one) == ["category_id", "segmentation", "area", "bbox", "iscrowd"]
        assert (one["category_id"], one["area"], one["bbox"]) == (index, mask.sum(), box)
        assert np.array_equal(pixels(one, *mask.shape), mask)


INSTANCES = np.array([[1, 1, 0, 2, 2, 0], [3, 0, 0, 2, 65535, 0], [1, 0, 0, 2, 65535, 0]])
LABELS = np.array([[4, 4, 4, 4, 4, 0], [5, 5, 0, 4, 4, 0], [4, 5, 0, 5, 0, 0]], np.uint8)


@pytest.mark.parametrize("segmentation", ["polygon", "rle"])
@pytest.mark.parametrize(("kind", "void"), [(np.uint8, 255), (np.uint16, 65535)])
def test_instances(kind: type, void: int, segmentation: Any) -> None:
    """One annotation an instance, whatever its parts; what is none goes as without instances."""
    numbers = Instances(np.where(INSTANCES == 65535, void, INSTANCES).astype(kind), void)
    found = made(LABELS, numbers, background=0, segmentation=segmentation)
    told = []
    for one in parsed(found):
        mask = pixels(one, *LABELS.shape)
        [number] = np.unique(INSTANCES[mask]).tolist()
        told.append((one["category_id"], number, np.argwhere(mask).tolist()))
    assert told == [
        (4, 1, [[0, 0], [0, 1], [2, 0]]),
        (4, 0, [[0, 2]]),
        (4, 2, [[0, 3], [0, 4], [1, 3]]),
        (5, 3, [[1, 0]]),
        (5, 0, [[1, 1], [2, 1]]),
        (5, 2, [[2, 3]]),
    ]
    assert found.void_pixels == 1
    assert found.row() == {"annotations": 6, "void_pixels": 1}


def test_a_label_map_without_a_class() -> None:
    for segmentation in ("polygon", "rle"):
        found = made(np.full((3, 4), 255, np.uint8), segmentation=segmentation)
        assert found == Annotations(b"", 0, 0, 0, 0, ())
    small = made(np.ones((3, 4), np.uint8), min_area=13)
    assert (small.lines, small.row()) == (b"", {"annotations": 0, "small": 1, "small_pixels": 12})


def test_the_largest_index() -> None:
    [one] = parsed(made(np.array([[65535, 255]], np.uint16), segmentation="polygon"))
    assert one["category_id"] == 65535
    assert one["segmentation"] == [[0, 0, 1, 0, 1, 1, 0, 1]]


@pytest.mark.parametrize(("most", "size"), [(100, 160), (170, 179)])
def test_too_much_of_one_label_map(monkeypatch: pytest.MonkeyPatch, most: int, size: int) -> None:
    """Before lines are made, where their number tells."""
    monkeypatch.setattr(annotations, "MOST_BYTES", most)
    with pytest.raises(LabelError, match=rf"makes 2 annotations of {size} .*\(--min-area\)"):
        made(np.array([[1, 2]], np.uint8))
