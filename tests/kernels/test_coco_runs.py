"""COCO's run lengths and their text, both ways, against pycocotools; and damaged ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.coco_runs import counts_of, text_of
from gpuseg.kernels.reference_outlines import column_runs
from tests import pycocotools_judge

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@st.composite
def masks(draw: st.DrawFn) -> NDArray[np.bool_]:
    height, width = draw(SHAPES)
    size = height * width
    pixels = draw(st.sampled_from([st.booleans(), st.just(True), st.just(False)]))
    return np.array(draw(st.lists(pixels, min_size=size, max_size=size))).reshape(height, width)


@settings(max_examples=200)
@given(mask=masks())
def test_text_is_that_of_pycocotools(mask: NDArray[np.bool_]) -> None:
    text = pycocotools_judge.encoded(mask)
    counts = column_runs(mask)
    assert text_of(counts) == text
    np.testing.assert_array_equal(counts_of(text, mask.size), counts)


def test_no_pixels() -> None:
    assert counts_of(b"", 0).tolist() == []
    assert text_of(np.zeros(0, np.int64)) == b""


@settings(max_examples=200)
@given(counts=st.lists(st.integers(0, 1 << 40), max_size=12))
def test_counts_of_any_size(counts: list[int]) -> None:
    text = text_of(np.array(counts, np.int64))
    assert counts_of(text, sum(counts)).tolist() == counts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"52", "its runs have 7 pixels, and 12 were expected"),
        (b"", "its runs have 0 pixels, and 12 were expected"),
        (b"5<", "its runs have more than 12 pixels"),
        (b"5P", "character 2 of its runs ends within a number"),
        (b"5p", "character 2 of its runs has a character that is none of COCO's"),
        (b"5 7", "character 2 of its runs has a character that is none of COCO's"),
        (b"5\xff7", "character 2 of its runs has a character that is none of COCO's"),
        (b"5O", "character 2 of its runs has a negative count"),
        (b"5003N", "character 5 of its runs has a negative count"),
        (b"5" + b"o" * 40, "character 11 of its runs has a number that is too large"),
        (b"ooooooooO" * 3, "character 9 of its runs has a negative count"),
        (b"oooooooo?" * 3, "its runs have more than 12 pixels"),
    ],
)
def test_a_damaged_text_is_told_of(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        counts_of(text, 12)


@settings(max_examples=300)
@given(text=st.one_of(st.binary(max_size=30), st.text("0123456789OPo`_", max_size=30)))
def test_any_text_has_runs_of_the_image_or_a_fault(text: bytes | str) -> None:
    data = text.encode() if isinstance(text, str) else text
    try:
        counts = counts_of(data, 300)
    except ValueError:
        return
    assert counts.sum() == 300
    assert counts.min(initial=0) >= 0
