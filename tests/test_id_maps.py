"""Ids of colours, against NumPy."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gpuseg.errors import MaskError
from gpuseg.id_maps import MOST, read_id_map


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 40), st.just(3))),
    st.integers(0, 1 << 32),
    st.sampled_from([1, 255, 256, MOST]),
)
def test_ids_counts_and_numbers(
    tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray, seed: int, top: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "ids.png"
    Image.fromarray(pixels).save(path)
    found = read_id_map(str(path), 1 << 20)
    wide = pixels.astype(np.uint32)
    ids = wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16
    known, counts = np.unique(ids, return_counts=True)
    assert found.size == pixels.shape[1::-1]
    assert dict(zip(found.ids.tolist(), found.counts.tolist(), strict=True)) == dict(
        zip(known.tolist(), counts.tolist(), strict=True)
    )
    numbers = np.random.default_rng(seed).integers(0, top + 1, found.ids.size)
    numbers[0] = top  # so that the type is that of the largest
    number_of = dict(zip(found.ids.tolist(), numbers.tolist(), strict=True))
    expected = np.vectorize(number_of.get)(ids)
    numbered = found.numbered(numbers.tolist())
    assert numbered.dtype == (np.uint8 if top < 256 else np.uint16)
    assert np.array_equal(numbered, expected)


def test_threads_do_not_share(tmp_path: Path) -> None:
    """One id, another number in each thread, at once."""
    path = tmp_path / "ids.png"
    Image.fromarray(np.full((64, 64, 3), 7, np.uint8)).save(path)
    barrier = threading.Barrier(8)
    found = []

    def look(number: int) -> None:
        image = read_id_map(str(path), 1 << 20)
        barrier.wait()
        found.extend((image.numbered([number]) == number).all() for _ in range(50))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 400


def test_an_image_of_one_frame_and_8_bits_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "ids.webp"
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    Image.fromarray(pixels).save(path, lossless=True)
    assert np.array_equal(read_id_map(str(path), 1 << 20).pixels, pixels)
    Image.fromarray(pixels).save(path, lossless=False)
    with pytest.raises(MaskError, match="WEBP is lossy"):
        read_id_map(str(path), 1 << 20)
