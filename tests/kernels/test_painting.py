"""Coloured label maps as scanlines: exactly those of the specification, which hold their pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.rgb_png import rgb_png
from gpuseg.codecs.streams import deflate
from gpuseg.kernels.jit import CHECKED
from gpuseg.kernels.painting import filter_colours
from gpuseg.kernels.reference import unfilter
from gpuseg.kernels.reference_painting import filtered_colours
from tests.kernels.test_filters import CONTENTS, make_labels
from tests.real import HERE, label_map, real_pngs

MARK = Fingerprint(bytes(16))
WORDS = np.random.default_rng(0).integers(0, 1 << 24, 256).astype(np.uint32)
WORDS[7:9] = WORDS[5], 0  # two labels of one colour, and black
COLOURS = np.ascontiguousarray(WORDS.astype("<u4").view(np.uint8).reshape(256, 4)[:, :3])


def lines_of(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By the kernel, uint8 (H, 1 + 3 * W)."""
    height, width = labels.shape
    lines = np.full(height * (1 + 3 * width), 99, np.uint8)
    filter_colours(labels, WORDS, lines)
    return lines.reshape(height, -1)


def check(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lines = lines_of(labels)
    height, width = labels.shape
    assert np.array_equal(lines, filtered_colours(labels, COLOURS))
    found = unfilter(lines.reshape(-1), height, 3 * width, 3).reshape(height, width, 3)
    assert np.array_equal(found, COLOURS[labels])
    return lines


@settings(max_examples=40 if CHECKED else 150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 9),
    width=st.integers(1, 150),
)
@example(seed=0, content="identical", height=1, width=1)
@example(seed=0, content="few", height=2, width=64)
@example(seed=0, content="few", height=3, width=65)
def test_the_specification(seed: int, content: str, height: int, width: int) -> None:
    check(make_labels(np.random.default_rng(seed), content, height, width))


def test_every_filter_is_taken() -> None:
    rows = ["012340123400000", "012340123400000", "555555555555555", "012340123400000"]
    rows += ["012340123466666"]
    labels = np.array([[int(x) for x in row] for row in rows], np.uint8)
    for times in (1, 7, 30):
        found = check(labels.repeat(times, axis=1))
        assert found[:, 0].tolist() == [1, 2, 1, 1, 4]


def test_borders_that_go_straight_cost_nothing() -> None:
    """Left to right and down, by Paeth: what is left are the corners."""
    labels = np.full((60, 200), 1, np.uint8)
    labels[20:40, 50:150] = 2
    labels[30:, 160:] = 3
    left = check(labels)[:, 1:].reshape(60, 200, 3).any(axis=2)
    assert [y for y in range(60) if left[y].any()] == [0, 20, 30, 40]
    assert left[1:].sum() <= 6


@pytest.mark.parametrize("content", ["noise", "few"])
def test_large_ones(content: str) -> None:
    check(make_labels(np.random.default_rng(1), content, 90, 500))


def encoded(labels: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """As we write it and as Pillow does by default."""
    height, width = labels.shape
    buffer = io.BytesIO()
    Image.fromarray(COLOURS[labels]).save(buffer, "PNG")
    return rgb_png(width, height, deflate(lines_of(labels)), MARK), buffer.getvalue()


def check_sets(sets: dict[str, list[Path]]) -> None:
    """Pillow sees the colours, and all files of a set take no more than a tenth above its own."""
    for name, paths in sets.items():
        ours = theirs = 0
        for labels in map(label_map, paths[:: -(-len(paths) // 4)]):
            if labels is None or labels.size < 1 << 14:
                continue
            mine, pillows = encoded(labels)
            with Image.open(io.BytesIO(mine)) as image:
                assert image.mode == "RGB"
                assert np.array_equal(np.array(image), COLOURS[labels]), name
            ours, theirs = ours + len(mine), theirs + len(pillows)
        assert ours <= 1.1 * theirs, (name, ours, theirs)


def test_real_label_maps() -> None:
    check_sets(real_pngs(HERE))


def test_label_maps_of_the_other_sets(shared: Path) -> None:
    check_sets(real_pngs(shared / "data", but=HERE))
