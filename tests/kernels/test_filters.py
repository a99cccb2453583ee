"""Filtering label maps: nothing is lost, and the filter is the one that the rule names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels import reference
from gpuseg.kernels.filters import UP, filter_rows
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import guarded, is_untouched

CONTENTS = ("runs", "few", "identical", "gradient", "noise", "shifted")


def make_labels(
    rng: np.random.Generator, content: str, height: int, width: int
) -> NDArray[np.uint8]:
    labels = rng.integers(0, 256, (height, width), np.uint8)
    if content == "few":
        labels %= 2
    elif content == "identical":
        labels[1:] = labels[0]
    elif content == "gradient":
        labels = (np.arange(height)[:, None] * 3 + np.arange(width)).astype(np.uint8)
    elif content == "runs":
        run = int(rng.integers(2, 30))
        labels = labels.reshape(-1)[: height * width // run + 1].repeat(run)[: height * width]
        labels = np.resize(labels, (height, width))
    elif content == "shifted":  # each row is the one above, changed in a few places
        for y in range(1, height):
            labels[y] = labels[y - 1]
            labels[y, rng.integers(0, width, int(rng.integers(0, 5)))] ^= 1
    return labels


def is_up_smaller(labels: NDArray[np.uint8], y: int) -> bool:
    """The rule in words: runs of None, weighed 3 to 2, exceed those of Up by more than 4 halves.

    And a row that is no noise: runs of Up of more than 4 pixels each.
    """
    none = np.count_nonzero(np.diff(labels[y]))
    up = np.count_nonzero(np.diff(labels[y] - labels[y - 1]))
    return 4 * up < labels.shape[1] and 3 * none > 2 * up + 4


@settings(max_examples=40 if CHECKED else 200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 12),
    width=st.one_of(st.integers(1, 40), st.integers(100, 700)),
    at_once=st.integers(1, 12),
)
@example(seed=0, content="identical", height=3, width=1, at_once=1)
@example(seed=0, content="shifted", height=9, width=255, at_once=4)
def test_the_labels_come_back(
    seed: int, content: str, height: int, width: int, at_once: int
) -> None:
    labels = make_labels(np.random.default_rng(seed), content, height, width)
    blocks = []
    for first in range(0, height, at_once):
        rows = min(at_once, height - first)
        scanlines, around = guarded(rows * (1 + width), 0xA5)
        filter_rows(labels.reshape(-1), width, first, scanlines)
        assert is_untouched(around)
        blocks.append(scanlines.copy())
    data = np.concatenate(blocks)
    assert np.array_equal(reference.unfilter(data, height, width, 1), labels)
    numbers = data.reshape(height, -1)[:, 0].tolist()
    want = [UP if is_up_smaller(labels, y) else 0 for y in range(1, height)]
    assert numbers == [0, *want]


def test_the_rule_where_one_run_more_decides() -> None:
    """Pairs of rows: runs of every number, and changes of every number at every place."""
    width, pairs = 40, []
    for runs in range(16):
        above = np.minimum(np.arange(width) % 2 * 7, 7).astype(np.uint8)
        above[runs:] = above[runs]
        for count in range(1, 4):
            for first in range(width - 2 * count):
                here = above.copy()
                here[first : first + 2 * count : 2] += 3
                pairs += [above, here]
    labels = np.array(pairs)
    scanlines = np.empty(len(labels) * (1 + width), np.uint8)
    filter_rows(labels.reshape(-1), width, 0, scanlines)
    found = scanlines[:: 1 + width][1::2] == UP
    want = np.array([is_up_smaller(labels, y) for y in range(1, len(labels), 2)])
    assert np.array_equal(found, want)
    assert 0.02 < found.mean() < 0.98


@pytest.mark.parametrize(
    ("width", "places", "want"),
    [
        (40, (1, 3, 5, 7, 9), 0),  # 10 runs begin: each change is one of two places
        (40, (1, 3, 5, 7, 39), UP),
        (41, (1, 3, 5, 7, 9), UP),
    ],
)
def test_a_row_is_noise_where_a_run_has_four_pixels(
    width: int, places: tuple[int, ...], want: int
) -> None:
    above = np.arange(width, dtype=np.uint8) % 7
    here = above.copy()
    here[list(places)] += 100
    labels = np.array([above, here])
    scanlines = np.empty(2 * (1 + width), np.uint8)
    filter_rows(labels.reshape(-1), width, 0, scanlines)
    assert scanlines[1 + width] == want
    assert is_up_smaller(labels, 1) == (want == UP)


def test_both_filters_are_chosen() -> None:
    """The property above would hold for nothing but None if the rule never chose Up."""
    labels = np.zeros((5, 20), np.uint8)
    labels[2, 10:] = 1  # one change: no gain
    labels[3:, ::2] = 1  # all changed: as dear as without
    labels[4, 0] = 3
    scanlines = np.empty(5 * 21, np.uint8)
    filter_rows(labels.reshape(-1), 20, 0, scanlines)
    assert scanlines[::21].tolist() == [0, 0, 0, 0, UP]
