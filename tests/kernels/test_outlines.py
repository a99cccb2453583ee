"""Outlines of regions: the kernels follow their specification, judged by pycocotools and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as pycocotools

from gpuseg.errors import MaskSizeError
from gpuseg.kernels import outline_runs, outlines, reference_outlines
from gpuseg.kernels.jit import CHECKED
from gpuseg.kernels.outline_rings import points_text, rings
from gpuseg.kernels.outline_runs import group_runs
from gpuseg.kernels.outlines import AREA, BEFORE, BOTTOM, LEFT, OWNER, VALUE, padded, trace
from tests import pycocotools_judge

few = settings(max_examples=40 if CHECKED else 250, deadline=None)
SAME = np.arange(65536).astype(np.uint16)


@st.composite
def images(draw: st.DrawFn) -> NDArray[Any]:
    """Few values: noise, blocks, blocks with specks, and one region full of holes."""
    side = st.one_of(st.integers(1, 4), st.integers(1, 24))
    shape = draw(side), draw(side)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    top, kind = draw(st.sampled_from([2, 3, 5])), draw(st.sampled_from("nbsh"))
    values = rng.integers(0, top, shape)
    if kind in "bs":
        values = np.kron(values, np.ones((3, 4), np.int64))
    if kind in "sh":
        noise = rng.integers(0, top, values.shape)
        values = np.where(rng.random(values.shape) < 0.2, noise, 1 if kind == "h" else values)
    return values.astype(draw(st.sampled_from([np.uint8, np.uint16])))


@few
@given(image=images(), eight=st.booleans())
def test_regions_are_those_of_the_specification(image: NDArray[Any], eight: bool) -> None:
    found = trace(padded(image, SAME), eight=eight)
    points, starts = rings(found)
    wanted = reference_outlines.regions(image, eight=eight)
    own = [k for k, loop in enumerate(found.loops) if loop[BEFORE] < 0]
    assert len(own) == len(wanted)
    for k, (value, mask) in zip(own, wanted, strict=True):
        ring, loop = points[starts[k] : starts[k + 1]], found.loops[k]
        assert (loop[VALUE], loop[AREA], loop[OWNER]) == (value, mask.sum(), k)
        ys, xs = np.nonzero(mask)
        box = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        assert tuple(loop[LEFT : BOTTOM + 1]) == box
        assert np.array_equal(reference_outlines.covered(ring, image.shape), mask)
        assert (ring != np.roll(ring, 1, 0)).any(1).all()  # no corner twice
    for k in set(range(len(found.loops))) - set(own):
        assert starts[k] == starts[k + 1]
        assert found.loops[k, AREA] < 0
        assert found.loops[found.loops[k, OWNER], VALUE] == found.loops[k, VALUE]


@few
@given(image=images(), eight=st.booleans())
def test_polygons_are_exact_for_pycocotools(image: NDArray[Any], eight: bool) -> None:
    height, width = image.shape
    found = trace(padded(image, SAME), eight=eight)
    points, starts = rings(found)
    drawn = np.zeros(image.shape, np.int64)
    for k, loop in enumerate(found.loops):
        if loop[BEFORE] >= 0:
            continue
        ring = [
            float(number) for number in points_text(points[starts[k] : starts[k + 1]]).split(b",")
        ]
        mask = pycocotools_judge.polygon(ring, height, width)
        assert mask.sum() == loop[AREA]
        drawn += mask * int(loop[VALUE])
    assert np.array_equal(drawn, image)


@few
@given(image=images(), eight=st.booleans())
def test_runs_are_those_of_the_specification(image: NDArray[Any], eight: bool) -> None:
    found = trace(padded(image, SAME), eight=eight)
    wanted = reference_outlines.regions(image, eight=eight)
    own = np.flatnonzero(found.loops[:, BEFORE] < 0)
    groups = np.searchsorted(own, found.loops[:, OWNER])
    lengths, starts = group_runs(found, groups, len(own), image.shape)
    for k, (_, mask) in enumerate(wanted):
        runs = lengths[starts[k] : starts[k + 1]]
        assert np.array_equal(runs, reference_outlines.column_runs(mask))
        told = {"size": list(mask.shape), "counts": runs.tolist()}
        packed = pycocotools.frPyObjects(told, *mask.shape)
        assert packed == pycocotools.encode(np.asfortranarray(mask.astype(np.uint8)))


@few
@given(image=images())
def test_runs_of_classes(image: NDArray[Any]) -> None:
    """Regions of one value together, and some in no group."""
    found = trace(padded(image, SAME), eight=False)
    groups = np.where(found.loops[:, VALUE] == 1, -1, found.loops[:, VALUE])
    lengths, starts = group_runs(found, groups, 6, image.shape)
    for value in (0, 2, 3, 4, 5):
        runs = lengths[starts[value] : starts[value + 1]]
        wanted = reference_outlines.column_runs((image == value) & (image > 0))
        assert np.array_equal(runs, wanted)


@pytest.mark.parametrize("eight", [False, True])
def test_components_are_those_of_opencv(eight: bool) -> None:
    """A larger image, for which memory grows on the way: noise, whose outlines cross each other."""
    image = np.random.default_rng(3).integers(0, 3, (150, 170)).astype(np.uint8)
    loops = trace(padded(image, SAME), eight=eight).loops
    for value in (1, 2):
        mask = (image == value).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8 if eight else 4)
        own = loops[(loops[:, VALUE] == value) & (loops[:, BEFORE] < 0)]
        boxes = np.column_stack([own[:, LEFT : LEFT + 2], own[:, 6:8] - own[:, 4:6], own[:, AREA]])
        assert sorted(boxes.tolist()) == sorted(stats[1:].tolist())


def test_a_table_says_which_labels_have_outlines() -> None:
    image = np.array([[5, 7, 7], [255, 5, 300]], np.uint16)
    table = np.zeros(65536, np.uint16)
    table[[5, 300]] = 2, 65535
    loops = trace(padded(image, table), eight=True).loops
    assert loops[:, [VALUE, AREA]].tolist() == [[2, 2], [65535, 1]]
    assert not len(trace(padded(image, np.zeros(65536, np.uint16)), eight=True).loops)


def test_instances_part_what_has_one_label() -> None:
    labels = np.array([[1, 1, 0], [1, 1, 2]], np.uint8)
    instances = np.array([[7, 65535, 9], [7, 0, 0]], np.uint16)
    loops = trace(padded(labels, SAME, instances), eight=False).loops
    found = [(value >> 16, value & 65535, area) for value, area in loops[:, [VALUE, AREA]].tolist()]
    assert found == [(1, 7, 2), (1, 65535, 1), (1, 0, 1), (2, 0, 1)]


def test_a_hole_in_a_hole() -> None:
    image = np.ones((9, 9), np.uint8)
    image[1:8, 1:8], image[2:7, 2:7], image[3:6, 3:6], image[4, 4] = 2, 1, 2, 1
    found = trace(padded(image, SAME), eight=False)
    points, starts = rings(found)
    assert found.loops[:, AREA].tolist() == [32, 24, -49, 16, -25, 8, -9, 1, -1]
    first = points[starts[0] : starts[1]].tolist()
    assert first == [
        [0, 0], [9, 0], [9, 9], [0, 9], [0, 1], [1, 1], [1, 8], [8, 8], [8, 1], [1, 1], [0, 1],
    ]  # fmt: skip


def test_points_as_text() -> None:
    points = np.array([[0, 10], [2147483647, 9], [100, 99]], np.int32)
    assert points_text(points) == b"0,10,2147483647,9,100,99"


def test_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "MOST_PIXELS", 5)
    with pytest.raises(MaskSizeError, match="has 6 pixels, and outlines are made of 5 at most"):
        padded(np.zeros((2, 3), np.uint8), SAME)


def test_too_many_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    image = padded(np.indices((20, 20)).sum(0).astype(np.uint8) % 2, SAME)
    monkeypatch.setattr(outlines, "_FEW", 400)
    monkeypatch.setattr(outlines, "MOST_CORNERS", 800)
    assert len(trace(image, eight=False).corners) == 800
    monkeypatch.setattr(outlines, "MOST_CORNERS", 799)
    assert len(trace(image, eight=False).corners) == 800
    monkeypatch.setattr(outlines, "MOST_CORNERS", 400)
    with pytest.raises(MaskSizeError, match="more than 400 corners; is it noise"):
        trace(image, eight=False)


def test_too_many_places_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = trace(padded(np.ones((2, 3), np.uint8), SAME), eight=False)
    monkeypatch.setattr(outline_runs, "MOST_CHANGES", 6)
    assert group_runs(found, np.zeros(1, np.int64), 1, (2, 3))[0].tolist() == [0, 6]
    monkeypatch.setattr(outline_runs, "MOST_CHANGES", 5)
    with pytest.raises(MaskSizeError, match="begin and end in 6 places, and 5 are the most"):
        group_runs(found, np.zeros(1, np.int64), 1, (2, 3))
