"""The table holds what the policies say, for every colour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.errors import PaletteError, PaletteSizeError
from gpuseg.kernels.lut import COLOURS, build_lookup, colour_keys, key_colours, largest_square
from gpuseg.options import Depth, IndexOptions
from gpuseg.palette import Palette, PaletteClass, voc_colormap
from tests.strategies import jobs

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


def _entries(palette: Palette, colours: Any, order: Any = "rgb", **options: Any) -> list[int]:
    lookup = build_lookup(palette, IndexOptions(**options), order)
    return lookup.table[colour_keys(np.asarray(colours, np.uint8))].tolist()


def test_keys_are_bytes_in_memory_order() -> None:
    assert int(colour_keys(np.array([1, 2, 3], np.uint8))) == 0x030201
    keys = np.array([0, 0x030201, COLOURS - 1], np.uint32)
    np.testing.assert_array_equal(colour_keys(key_colours(keys)), keys)


@settings(max_examples=12, deadline=None)
@given(job=jobs(), tolerance=st.sampled_from([None, 0, 30.5, 100]), seed=st.integers(0, 2**32))
def test_nearest_is_the_nearest(
    job: tuple[Palette, IndexOptions], tolerance: float | None, seed: int
) -> None:
    """Against brute force, on colours half of which lie at even distances: ties."""
    palette, depth = job[0], job[1].depth
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (600, 3), dtype=np.uint8)
    pairs = palette.colours[rng.integers(0, len(palette), (600, 2))].astype(int)
    colours[::2] = (pairs.sum(axis=1) // 2)[::2]
    steps = colours[:, None].astype(int) - palette.colours[None]
    squared = (steps**2).sum(axis=2)
    nearest = squared.argmin(axis=1)
    best = squared.min(axis=1)
    expected = palette.indices[nearest] | np.where(best > 0, 1 << depth, 0)
    if tolerance is not None:
        expected[best > tolerance**2] = 3 << depth
    entries = _entries(palette, colours, unknown="nearest", tolerance=tolerance, depth=depth)
    assert entries == expected.tolist()


def test_ties_go_to_the_class_named_first() -> None:
    colours = [[10, 0, 0], [0, 0, 0], [5, 5, 0], [5, 0, 5]]
    palette = Palette.from_colours(colours)
    assert _entries(palette, [5, 0, 0], unknown="nearest") == 256 | 0
    turned = Palette.from_colours(colours[::-1])
    assert _entries(turned, [5, 1, 1], unknown="nearest") == 256 | 0


@pytest.mark.parametrize("depth", [8, 16])
def test_flags(depth: Depth) -> None:
    unknown, refused = 1 << depth, 2 << depth
    known, strange = [128, 0, 0], [1, 2, 3]
    assert _entries(VOC, [known, strange], depth=depth) == [1, unknown | refused]
    ignored = _entries(VOC, [known, strange], unknown="ignore", depth=depth)
    assert ignored == [1, unknown | 255]
    table = build_lookup(VOC, IndexOptions(depth=depth)).table
    assert table.shape == (COLOURS,)
    assert table.dtype == (np.uint16 if depth == 8 else np.uint32)
    assert np.count_nonzero(table & unknown == 0) == 21


def test_what_is_further_than_the_tolerance_is_refused() -> None:
    lookup = build_lookup(VOC, IndexOptions(unknown="nearest", tolerance=2))
    keys = colour_keys(np.array([[0, 0, 0], [0, 0, 2], [0, 0, 3]], np.uint8))
    assert (lookup.table[keys] >> 9).tolist() == [0, 0, 1]


def test_order_turns_the_bytes() -> None:
    assert _entries(VOC, [0, 0, 128], order="bgr") == 1
    assert _entries(VOC, [3, 0, 128], order="bgr", unknown="nearest") == 256 | 1


def test_ignoring_into_a_real_class_is_an_error() -> None:
    with pytest.raises(PaletteError, match="ignore index 5 is the class 'class 5'"):
        build_lookup(VOC, IndexOptions(unknown="ignore", ignore_index=5))
    void = Palette((PaletteClass(0, "road", (0, 0, 0)), PaletteClass(255, "void", (9, 9, 9))))
    assert _entries(void, [1, 1, 1], unknown="ignore") == 256 | 255


def test_an_index_that_does_not_fit_is_an_error() -> None:
    palette = Palette((PaletteClass(300, "far", (0, 0, 0)),))
    with pytest.raises(PaletteSizeError, match="indices up to 300"):
        build_lookup(palette, IndexOptions())
    assert _entries(palette, [0, 0, 0], depth=16) == 300


def test_tables_are_kept_and_read_only() -> None:
    first = build_lookup(VOC, IndexOptions())
    assert build_lookup(VOC, IndexOptions()) is first
    assert build_lookup(VOC, IndexOptions(), "bgr") is not first
    assert not first.table.flags.writeable


@pytest.mark.parametrize("square", [0, 1, 2, 3, 5, 6, 7, 1000, 3 * 255**2 - 1])
def test_a_tolerance_of_a_root_reaches_exactly_that_far(square: int) -> None:
    """math.sqrt(3) ** 2 is less than 3: the squares must not be compared as they are."""
    root = math.sqrt(square)
    assert largest_square(root) == square
    assert largest_square(math.nextafter(root, math.inf)) == square
    if square:
        assert largest_square(math.nextafter(root, 0)) == square - 1


def test_no_tolerance_reaches_everything() -> None:
    assert largest_square(None) == largest_square(441.99) == 3 * 255**2
