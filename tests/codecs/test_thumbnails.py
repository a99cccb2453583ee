"""Small pictures: exact colours for masks, bounded size, the right pixels."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs import thumbnails
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.codecs.thumbnails import Picture
from gpuseg.errors import MaskSizeError
from tests.making import COLOURS, indices, mask


def decoded(picture: Picture) -> np.ndarray:
    with Image.open(io.BytesIO(picture.data)) as image:
        assert (image.width, image.height) == (picture.width, picture.height)
        assert image.format == picture.kind.upper()
        return np.array(image.convert("RGB"))


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 400))
def test_fitted_keeps_the_shape_and_the_box(width: int, height: int, box: int) -> None:
    small = thumbnails.fitted(width, height, box)
    assert max(small) == min(box, max(width, height))
    assert min(small) >= 1
    assert small[0] <= width
    assert small[1] <= height
    if min(small) > 20:
        assert small[0] / small[1] == pytest.approx(width / height, rel=0.1)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60))
def test_nearest_takes_the_pixel_in_the_middle(h: int, w: int, height: int, width: int) -> None:
    pixels = np.arange(h * w, dtype=np.uint16).reshape(h, w)
    found = thumbnails.nearest(pixels, width, height)
    assert found.shape == (height, width)
    for y in (0, height // 2, height - 1):
        for x in (0, width // 2, width - 1):
            assert found[y, x] == pixels[int((y + 0.5) * h / height), int((x + 0.5) * w / width)]


def test_flat_pictures_are_exact() -> None:
    pixels = mask(50, 70)
    picture = thumbnails.flat_picture(pixels)
    assert picture.kind == "png"
    assert np.array_equal(decoded(picture), pixels)
    assert picture.uri.startswith("data:image/png;base64,")
    assert base64.b64decode(picture.uri.partition(",")[2]) == picture.data


def test_pictures_of_many_colours_stay_small() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 500, 3), np.uint8)
    picture = thumbnails.flat_picture(noise)
    assert picture.kind == "jpeg"
    assert len(picture.data) < noise.size
    few = noise[:20, :20]
    assert np.array_equal(decoded(thumbnails.flat_picture(few)), few)


def test_painted_is_the_table_and_black_beyond_it() -> None:
    labels = indices(20, 30)
    labels[3, 4] = 200
    want = mask(20, 30)
    want[3, 4] = 0
    assert np.array_equal(thumbnails.painted(labels, np.array(COLOURS, np.uint8)), want)


def test_blended_shows_what_is_below_where_there_is_no_class() -> None:
    below, colours = np.full((1, 2, 3), 100, np.uint8), np.full((1, 2, 3), 255, np.uint8)
    found = thumbnails.blended(below, colours, np.array([[True, False]]))
    assert found.tolist() == [[[178] * 3, [100] * 3]]


def test_greyed_has_no_colour_and_keeps_the_order_of_light() -> None:
    found = thumbnails.greyed(np.array([[[0, 0, 0], [255, 0, 0], [255, 255, 255]]], np.uint8))
    assert (found == found[..., :1]).all()
    assert found[0, :, 0].tolist() == [64, 121, 255]


def test_reading_fits_the_box_and_respects_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.full((300, 600, 3), 77, np.uint8)).save(path)
    with size_limit_is_ours():
        assert thumbnails.size_of(str(path), 1 << 20) == (600, 300)
        assert thumbnails.read_colours(str(path), 1 << 20).shape == (300, 600, 3)
        small = thumbnails.read_colours(str(path), 1 << 20, 100)
        assert small.shape == (50, 100, 3)
        assert abs(small.astype(int) - 77).max() <= 2
        with pytest.raises(MaskSizeError):
            thumbnails.read_colours(str(path), 1000, 100)
