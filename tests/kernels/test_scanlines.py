"""The kernels that undo filters and look up labels, against the specification."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.errors import BrokenMaskError
from gpuseg.kernels import reference, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.helpers import environment
from tests.kernels.scanline_cases import (
    CONTENTS,
    STRANGE,
    Case,
    encode,
    expected,
    guarded,
    is_untouched,
    make_pixels,
    run,
)
from tests.pngs import pack

HERE = Path(__file__).parent
CUTS = st.lists(st.integers(1, 8), max_size=4)
few = settings(max_examples=30 if CHECKED else 250, deadline=None)


@st.composite
def cases(draw: st.DrawFn, widths: st.SearchStrategy[int]) -> Case:
    """Images of few rows, the filter chosen anew for each row, or one for all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    channels = draw(st.sampled_from([1, 3, 4]))
    height, width = draw(st.integers(1, 9)), draw(widths)
    pixels = make_pixels(rng, draw(st.sampled_from(CONTENTS)), height, width, channels)
    number = draw(st.sampled_from([None, 0, 1, 2, 3, 4]))
    numbers = rng.integers(0, 5, height) if number is None else np.full(height, number)
    return Case(pixels, encode(pixels, numbers))


def check(case: Case, cuts: list[int]) -> None:
    """Labels and pixels of a case without faults are those of the specification."""
    width, channels = case.shape
    height = len(case.lines)
    bytes_ = reference.unfilter(case.lines.tobytes(), height, width * channels, channels)
    assert np.array_equal(bytes_.reshape(case.pixels.shape), case.pixels)
    verdict, want = expected(case)
    assert verdict == scanlines.DONE
    verdict, labels = run(case, cuts)
    assert verdict == scanlines.DONE
    assert np.array_equal(labels, want)
    verdict, pixels = run(case, cuts, pixels=True)
    assert verdict == scanlines.DONE
    assert np.array_equal(pixels, case.pixels[..., :3])


@few
@given(case=cases(st.integers(1, 70)), cuts=CUTS)
def test_labels_and_pixels_are_those_of_the_specification(case: Case, cuts: list[int]) -> None:
    check(case, cuts)


@settings(few, max_examples=15 if CHECKED else 40)
@given(case=cases(st.integers(500, 2100)), cuts=CUTS)
def test_wide_images(case: Case, cuts: list[int]) -> None:
    check(case, cuts)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("content", CONTENTS)
def test_every_filter_after_every_other(content: str, channels: int) -> None:
    """In one block and in blocks of a row: what a row leaves for the next depends on both."""
    rng = np.random.default_rng([channels, CONTENTS.index(content)])
    pairs = np.array([(a, b) for a in range(5) for b in range(5)]).reshape(-1)
    pixels = make_pixels(rng, content, len(pairs), 29, channels)
    for start in (0, 1):
        case = Case(pixels[start:], encode(pixels[start:], pairs[start:]))
        for cuts in ([], list(range(1, len(pairs)))):
            check(case, cuts)


@few
@given(case=cases(st.integers(1, 70)), cuts=CUTS, data=st.data())
def test_faults_are_told_where_they_come(case: Case, cuts: list[int], data: st.DataObject) -> None:
    """Of several the first counts; a fault at the very last pixel is told, too."""
    pixels = case.pixels.copy()
    height, width, channels = pixels.shape
    lines = case.lines.copy()
    rows, columns = st.integers(0, height - 1), st.sampled_from([0, width // 2, width - 1])
    faults = ["unknown", "filter"] + ["alpha"] * (channels == 4)
    for fault in data.draw(st.lists(st.sampled_from(faults), max_size=3, unique=True)):
        y, x = data.draw(rows), data.draw(columns)
        if fault == "filter":
            lines[y, 0] = data.draw(st.integers(5, 255))
        elif fault == "unknown":
            pixels[y, x, :3] = STRANGE[: min(3, channels)]
        else:
            pixels[y, x, 3] = data.draw(st.integers(0, 254))
    numbers = lines[:, 0]
    faulty = encode(pixels, np.minimum(numbers, 4)).copy()
    faulty[:, 0] = numbers
    broken = Case(pixels, faulty)
    want, entries = expected(broken)
    verdict, labels = run(broken, cuts)
    assert verdict == want
    if verdict == scanlines.DONE:
        assert np.array_equal(labels, entries)
    verdict, _ = run(broken, cuts, pixels=True)
    clear = bool(channels == 4 and (pixels[..., 3] < 255).any())
    faults_here = {scanlines.BAD_FILTER} if numbers.max() > 4 else set()
    faults_here |= {scanlines.TRANSPARENT} if clear else set()
    assert verdict in (faults_here or {scanlines.DONE})


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("place", [(0, 0), (0, -1), (2, 5), (-1, 0), (-1, -1)])
def test_one_pixel_of_a_fault(number: int, place: tuple[int, int]) -> None:
    for channels, alpha, verdict in (
        (1, 0, scanlines.UNKNOWN),
        (3, 0, scanlines.UNKNOWN),
        (4, 255, scanlines.UNKNOWN),
        (4, 254, scanlines.TRANSPARENT),
    ):
        pixels = np.full((4, 17, channels), 255, np.uint8)
        pixels[place] = (*STRANGE, alpha)[:channels] if verdict == scanlines.UNKNOWN else alpha
        case = Case(pixels, encode(pixels, np.full(4, number)))
        assert run(case, [])[0] == run(case, [1, 2, 3])[0] == verdict
        clear = verdict == scanlines.TRANSPARENT
        assert run(case, [], pixels=True)[0] == (verdict if clear else scanlines.DONE)


def test_the_specification_refuses_what_it_does_not_know() -> None:
    with pytest.raises(BrokenMaskError, match="filter 5"):
        reference.unfilter(bytes([0, 1, 5, 1]), 2, 1, 1)
    with pytest.raises(ValueError, match="reshape"):
        reference.unfilter(bytes(7), 2, 3, 1)


def test_the_specification_by_hand() -> None:
    """Worked out on paper: Sub, Up, Average rounds down, Paeth takes left, above, corner."""
    lines = bytes([1, 10, 5, 250, 2, 1, 1, 1, 3, 0, 0, 0, 4, 1, 200, 250])
    rows = reference.unfilter(lines, 4, 3, 1)
    # row 3: (0 + 11) // 2 = 5, (5 + 16) // 2 = 10, (10 + 10) // 2 = 10
    # row 4: above 5 + 1; guess 6 + 10 - 5 = 11: above 10 + 200; guess 210 + 10 - 10: left
    assert rows.tolist() == [[10, 15, 9], [11, 16, 10], [5, 10, 10], [6, 210, 204]]


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 31, 64])
def test_unpack(bits: int, width: int) -> None:
    positions = np.random.default_rng(width).integers(0, 1 << bits, (5, width), np.uint8)
    packed = pack(positions, bits)
    packed[:, -1] |= 0xFF >> (width * bits - 1) % 8 + 1  # what pads a row means nothing
    labels, around = guarded(5 * width + scanlines.MARGIN, 0xA5)
    table = np.arange(255, -1, -1, dtype=np.uint16)
    assert scanlines.unpack(packed, bits, table, width, labels) == scanlines.DONE
    assert np.array_equal(labels[: 5 * width].reshape(5, width), 255 - positions)
    assert is_untouched(around)
    for position in range(1 << bits):
        flagged = table.copy()
        flagged[position] |= 256
        verdict = scanlines.unpack(packed, bits, flagged, width, labels)
        if (positions == position).any():
            assert verdict == scanlines.UNKNOWN
        elif width * bits % 8 == 0:  # else it may be seen in the bits that pad a row
            assert verdict == scanlines.DONE


@pytest.mark.slow
def test_with_every_subscript_checked(tmp_path: Path) -> None:
    """Without the checks, a word read past its buffer would mostly go unnoticed."""
    checks = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    checks["NUMBA_OPT"] = "0"  # the same subscripts, compiled in half the time
    names = (
        *("test_scanlines.py", "test_filters.py", "test_huffman.py", "test_deflate.py"),
        *("test_copying.py", "test_border.py", "test_boundary.py", "test_counting.py"),
        *("test_confusion.py", "test_positions.py", "test_polygons.py"),
        *("test_painting_runs.py", "test_coco_runs.py", "bounds.py"),
    )
    files = [HERE / name for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *files],
        env=environment(**checks),
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
