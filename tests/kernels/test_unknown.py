"""The search for unknown colours counts and places them exactly."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels.lut import build_lookup
from gpuseg.kernels.unknown import find_unknown
from gpuseg.options import IndexOptions, Order
from gpuseg.palette import Palette
from gpuseg.results import UnknownColour

BLACK_RED = Palette.from_colours([[0, 0, 0], [200, 0, 0]], ignore_index=255)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(0, 9),
    width=st.integers(0, 9),
    run=st.integers(1, 12),
    order=st.sampled_from(["rgb", "bgr"]),
    limit=st.integers(1, 9),
)
def test_against_counting_one_by_one(
    seed: int, height: int, width: int, run: int, order: Order, limit: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.array([0, 200, 7], np.uint8)
    flat = rng.choice(values, (height * width // run + 1, 3)).repeat(run, axis=0)
    mask = flat[: height * width].reshape(height, width, 3)
    counts: Counter[tuple[int, ...]] = Counter()
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    for y in range(height):
        for x in range(width):
            rgb = tuple(mask[y, x].tolist())
            if rgb not in ((0, 0, 0), (200, 0, 0)):
                counts[rgb] += 1
                first.setdefault(rgb, (y, x))
    ranked = sorted(counts, key=lambda rgb: (-counts[rgb], first[rgb]))[:limit]
    expected = [UnknownColour(c, counts[c], first[c][1], first[c][0]) for c in ranked]  # type: ignore[arg-type]
    stored = mask if order == "rgb" else np.ascontiguousarray(mask[..., ::-1])
    lookup = build_lookup(BLACK_RED, IndexOptions(), order)
    colours, unknown, refused = find_unknown(stored, lookup, limit)
    assert list(colours) == expected
    assert unknown == refused == counts.total()


def test_only_refused_colours_are_listed_where_there_are_any() -> None:
    lookup = build_lookup(BLACK_RED, IndexOptions(unknown="nearest", tolerance=5))
    mask = np.array([[[1, 0, 0], [1, 0, 0], [99, 0, 0], [0, 0, 0]]], np.uint8)
    assert find_unknown(mask, lookup) == ((UnknownColour((99, 0, 0), 1, 2, 0),), 3, 1)
    replaced = (UnknownColour((1, 0, 0), 2, 0, 0),)
    assert find_unknown(mask[:, :2], lookup) == (replaced, 2, 0)


def test_replaced_colours_are_listed_under_ignore() -> None:
    lookup = build_lookup(BLACK_RED, IndexOptions(unknown="ignore"))
    mask = np.full((2, 3, 3), 9, np.uint8)
    assert find_unknown(mask, lookup) == ((UnknownColour((9, 9, 9), 6, 0, 0),), 6, 0)


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 4, 3), (4, 0, 3)])
def test_no_pixels(shape: tuple[int, ...]) -> None:
    lookup = build_lookup(BLACK_RED, IndexOptions())
    assert find_unknown(np.zeros(shape, np.uint8), lookup) == ((), 0, 0)
