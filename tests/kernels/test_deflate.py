"""Deflating label maps: zlib finds the filtered scanlines again, in no more bytes than its own."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gpuseg.kernels import blocks, deflate, runs
from gpuseg.kernels.deflate import deflate_labels, deflate_scanlines
from gpuseg.kernels.filters import filter_rows
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import guarded, is_untouched
from tests.kernels.test_filters import CONTENTS, make_labels
from tests.pngs import zlib_stream
from tests.real import HERE, real_pngs


def filtered(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scanlines by the rule, uint8 (H, 1 + W)."""
    height, width = labels.shape
    lines = np.empty((height, 1 + width), np.uint8)
    filter_rows(labels.reshape(-1), width, 0, lines.reshape(-1))
    return lines


def inflated(stream: bytes) -> bytes:
    """All of one stream, whose Adler-32 zlib checks."""
    inflater = zlib.decompressobj()
    data = inflater.decompress(stream)
    assert inflater.eof
    assert not inflater.unused_data
    return data


def check(labels: NDArray[np.uint8]) -> bytes:
    lines = filtered(labels)
    stream = deflate_labels(labels)
    assert inflated(stream) == lines.tobytes()
    assert deflate_scanlines(lines) == stream
    return stream


@settings(max_examples=30 if CHECKED else 200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 12),
    width=st.one_of(st.integers(1, 140), st.integers(200, 900)),
)
@example(seed=0, content="identical", height=1, width=1)
@example(seed=0, content="identical", height=3, width=65)
@example(seed=0, content="few", height=2, width=64)
def test_labels_are_their_filtered_scanlines(
    seed: int, content: str, height: int, width: int
) -> None:
    check(make_labels(np.random.default_rng(seed), content, height, width))


@settings(max_examples=30 if CHECKED else 200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 9),
    row=st.integers(2, 200),
    longest=st.sampled_from([1, 3, 4, 300, 700]),
)
def test_any_bytes_are_scanlines(seed: int, height: int, row: int, longest: int) -> None:
    """Whatever the first one is, and runs that go on from row to row."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest + 1, height * row)
    lines = rng.integers(0, 256, height * row, np.uint8).repeat(lengths)[: height * row]
    lines = lines.reshape(height, row)
    assert inflated(deflate_scanlines(lines)) == lines.tobytes()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 257, 258, 259, 260, 261, 262, 516, 517, 520])
def test_runs_of_every_kind(length: int) -> None:
    """Matches of 3 to 258 bytes, and what is left of longer runs."""
    for before in (b"", b"\1"):
        data = before + bytes([7]) * length + b"\2"
        lines = np.frombuffer(data, np.uint8)[None]
        assert inflated(deflate_scanlines(lines)) == data


def test_lengths_of_matches() -> None:
    """RFC 1951, 3.2.5: the first and the last length of some symbols."""
    table = blocks.MATCHES.T.tolist()
    assert [table[n] for n in (3, 4, 10)] == [[257, 0, 0], [258, 0, 0], [264, 0, 0]]
    assert [table[n] for n in (11, 12, 13)] == [[265, 0, 1], [265, 1, 1], [266, 0, 1]]
    assert [table[n] for n in (19, 34, 35, 66)] == [
        [269, 0, 2], [272, 3, 2], [273, 0, 3], [276, 7, 3],
    ]  # fmt: skip
    assert [table[n] for n in (131, 162, 227, 257)] == [
        [281, 0, 5], [281, 31, 5], [284, 0, 5], [284, 30, 5],
    ]  # fmt: skip
    assert table[258] == [285, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "shape", "size"),
    [
        ("noise", (300, 400), (119_000, 123_000)),  # a block after each 16,384 runs
        ("zeros", (9000, 1000), (8_700, 9_000)),  # and after each 4 MiB
        ("zeros", (1, 9_000_000), (8_700, 9_000)),
        ("halves", (2, 5_000_000), (9_700, 10_000)),
        ("noise", (1, 5_000_000), (5_000_000, 5_080_000)),  # rows are never cut
    ],
)
def test_several_blocks(kind: str, shape: tuple[int, int], size: tuple[int, int]) -> None:
    labels = np.zeros(shape, np.uint8)
    if kind == "noise":
        labels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if kind == "halves":
        labels[:, shape[1] // 2 :] = 255
    assert labels.size > min(runs.MOST, runs.COVERED)
    assert size[0] < len(check(labels)) < size[1]


@pytest.mark.parametrize("shape", [(65, 256), (1, 2 * runs.COVERED + 100_000)])
def test_memory_is_as_large_as_it_must_be(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    """Each byte is a run; a row that begins with one run less than a block brings the most."""
    odd = np.arange(shape[0] * shape[1]).reshape(shape) % 2
    lines = (2 * np.random.default_rng(0).integers(0, 128, shape) + odd).astype(np.uint8)
    memory = deflate._Memory(shape[1])
    memory.out, around_out = guarded(memory.out.size, 0)
    found, around_runs = guarded(memory.runs.nbytes, 0)
    memory.runs = found.view(np.uint64)
    monkeypatch.setattr(deflate, "_memory", lambda row: memory)
    assert inflated(deflate_scanlines(lines)) == lines.tobytes()
    assert is_untouched(around_out)
    assert is_untouched(around_runs)
    if shape[0] > 1:
        assert memory.runs[-1], "the last place is used"


def test_memory_for_very_wide_rows_is_not_kept() -> None:
    check(np.zeros((2, 100), np.uint8))
    kept = deflate._kept.memory
    check(np.zeros((1, deflate.KEPT + 1), np.uint8))
    assert deflate._kept.memory is kept
    check(np.zeros((1, 2000), np.uint8))
    assert deflate._kept.memory.row >= 2001


def test_all_lengths_of_codes() -> None:
    """Bytes as rare as can be: codes of up to 15 bits."""
    counts = [1, 1]
    while sum(counts) < runs.MOST - 1000:
        counts.append(counts[-1] + counts[-2])
    rare = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    lines = np.column_stack([rare, np.full(rare.size, 200, np.uint8)])
    assert inflated(deflate_scanlines(lines)) == lines.tobytes()


@pytest.mark.parametrize("content", CONTENTS)
def test_as_few_bytes_as_zlib(content: str) -> None:
    labels = make_labels(np.random.default_rng(1), content, 120, 150)
    theirs = zlib_stream(filtered(labels).tobytes(), level=1, strategy=zlib.Z_RLE)
    assert len(check(labels)) <= 1.015 * len(theirs) + 100


def test_as_few_bytes_as_zlib_on_real_masks() -> None:
    """Those are small: what stands before the runs counts."""
    masks = real_pngs(HERE)["quintal_rgba"]
    ours = theirs = 0
    for path in masks:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB")).astype(np.uint32) @ [1, 256, 65536]
        labels = np.unique(pixels, return_inverse=True)[1].reshape(pixels.shape).astype(np.uint8)
        ours += len(check(labels))
        theirs += len(zlib_stream(filtered(labels).tobytes(), level=1, strategy=zlib.Z_RLE))
    assert ours <= 1.005 * theirs


def test_threads_do_not_share_memory() -> None:
    maps = [make_labels(np.random.default_rng(k), "runs", 90, 200 + k) for k in range(8)]
    alone = [deflate_labels(labels) for labels in maps]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            assert list(pool.map(deflate_labels, maps)) == alone
