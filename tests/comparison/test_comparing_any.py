"""Any mask with any label map compares as plain Python over pixels says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.comparison.comparing import Comparer
from gpuseg.comparison.meanings import Standard
from gpuseg.kernels.reference import rgb_to_index
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, PaletteClass
from tests.comparison.test_comparing import LIMIT, compare, write
from tests.making import PALETTE

TWO_AS_ONE = Palette(
    (*PALETTE.classes, PaletteClass(2, "also b", (200, 100, 50))), name="two", ignore_index=9
)
STRANGE = [(1, 2, 3), (224, 224, 192), (255, 0, 255)]


def pairs(pixels: np.ndarray, labels: np.ndarray) -> Iterator[tuple[tuple[int, ...], int]]:
    colours = map(tuple, pixels.reshape(-1, 3).tolist())
    yield from zip(colours, labels.reshape(-1).tolist(), strict=True)


def is_right_by_palette(
    pixels: np.ndarray, labels: np.ndarray, reported: int | None, palette: Palette, allow: bool
) -> bool:
    index = {entry.rgb: entry.index for entry in palette.classes}
    unknown = 0
    for colour, label in pairs(pixels, labels):
        if colour not in index:
            unknown += 1
        elif index[colour] != label:
            return False
    return unknown == reported if reported is not None else allow or not unknown


def is_right_by_itself(
    pixels: np.ndarray, labels: np.ndarray, reported: int | None, plte: bytes, allow: bool
) -> bool:
    """The rule for a palette chunk alone, as the docstring of `verify` gives it."""
    colours = [tuple(plte[at : at + 3]) for at in range(0, len(plte), 3)]
    unsure = {(0, 0, 0), (224, 224, 192)}
    outside = doubtful = spare = 0
    for colour, label in pairs(pixels, labels):
        if label >= len(colours):
            return False
        if colours[label] == colour:
            spare += colour == (224, 224, 192)
        elif colour not in colours:
            outside += 1
        elif colour in unsure:
            doubtful += 1
        else:
            return False
    if reported is None:
        return not doubtful and (allow or not outside)
    return outside + doubtful <= reported <= outside + doubtful + spare


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A mask, its label map, and what was done to them; often nothing."""
    palette = draw(st.sampled_from([PALETTE, TWO_AS_ONE]))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    pixels = palette.colours[rng.integers(0, len(palette), (height, width))]
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        y, x = rng.integers(0, height), rng.integers(0, width)
        pixels[y, x] = STRANGE[rng.integers(0, len(STRANGE))]
    unknown = draw(st.sampled_from(["ignore", "nearest"]))
    labels, strange = rgb_to_index(pixels, palette, IndexOptions(unknown=unknown))
    count = int(strange.sum())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        y, x = rng.integers(0, height), rng.integers(0, width)
        labels[y, x] = draw(st.sampled_from([0, 1, 2, 5, 9, 77, 255]))
    reported = draw(st.sampled_from([None, count, count, count, count + 1, 0]))
    return {"pixels": pixels, "labels": labels, "reported": reported, "palette": palette}


@settings(max_examples=150, deadline=None)
@given(case=cases(), allow=st.booleans())
def test_by_a_palette(case: dict[str, Any], allow: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        palette = case["palette"]
        found = compare(Path(folder), **case, plte=palette.plte(), allow_unknown=allow)
    assert (not found.problem) == is_right_by_palette(**case, allow=allow), found.problem


@settings(max_examples=150, deadline=None)
@given(case=cases(), allow=st.booleans())
def test_by_the_colours_of_the_label_map(case: dict[str, Any], allow: bool) -> None:
    plte = case.pop("palette").plte()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), **case, plte=plte, palette=None, allow_unknown=allow)
    assert (not found.problem) == is_right_by_itself(**case, plte=plte, allow=allow), found.problem


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_both_ways_agree(case: dict[str, Any]) -> None:
    """What the kernels find the same, looking at pixels does, too."""
    reported, palette = case["reported"], case["palette"]
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), case["pixels"], case["labels"], palette.plte(), reported)
        for standard in (Standard.of(palette), Standard()):
            comparer = Comparer(standard, False, LIMIT)
            quick, slow = comparer._by_kernels(*files), comparer._by_pixels(*files)
            assert quick is None or bool(quick.problem) == bool(slow.problem)
