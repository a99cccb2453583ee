"""Colour masks written by the direct path are what other readers find in them."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.colour_masks import encode_colour_mask, read_colour_mask
from gpuseg.errors import BrokenMaskError, MaskSizeError
from tests.making import mask

MARK = Fingerprint(b"0123456789abcdef", 7)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    run=st.sampled_from([1, 3, 40]),
    values=st.sampled_from([2, 256]),
)
def test_what_is_written_is_read(seed: int, height: int, width: int, run: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, values, (height * width // run + 1, 3), np.uint8).repeat(run, axis=0)
    pixels = flat[: height * width].reshape(height, width, 3)
    data = encode_colour_mask(pixels, MARK)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found[..., ::-1], pixels)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"
        assert np.array_equal(np.array(image), pixels)


def test_several_blocks_of_rows(tmp_path: Path) -> None:
    """Rows are filtered half a megabyte at a time; the row above is the last block's."""
    pixels = mask(1500, 700)
    path = tmp_path / "a.png"
    path.write_bytes(encode_colour_mask(pixels, MARK))
    assert path.stat().st_size < pixels.size / 20
    with Image.open(path) as image:
        assert np.array_equal(np.array(image), pixels)
    read = read_colour_mask(str(path), 1 << 28)
    assert np.array_equal(read.pixels, pixels)
    assert read.codec == "png"
    assert read_fingerprint(str(path)) == MARK


def test_other_files_are_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.fromarray(mask(9, 12)).save(path)
    read = read_colour_mask(str(path), 1 << 28)
    assert (read.format, read.codec) == ("BMP", "pillow")
    assert np.array_equal(read.pixels, mask(9, 12))
    with pytest.raises(MaskSizeError):
        read_colour_mask(str(path), 107)
    path.write_bytes(b"BM and no more")
    with pytest.raises(BrokenMaskError):
        read_colour_mask(str(path), 1 << 28)
