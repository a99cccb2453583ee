"""Pixels where Pillow keeps them: equal to the usual array, and alive as long as the array."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.memory import pixel_words
from tests.making import mask


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (641, 479), (1, 5000), (5000, 1)])
def test_words_are_the_pixels(mode: str, size: tuple[int, int]) -> None:
    pixels = mask(*size)
    words = pixel_words(Image.fromarray(pixels).convert(mode))
    assert words is not None
    assert words.shape == size
    assert np.array_equal(words.view(np.uint8).reshape(*size, 4)[..., :3], pixels)
    assert not words.flags.writeable
    if mode == "RGBA":
        assert (words >> 24 == 255).all()


def test_memory_outlives_the_image() -> None:
    arrays = []
    for seed in range(50):
        image = Image.fromarray(mask(300, 200, seed))
        arrays.append(pixel_words(image))
        del image
    gc.collect()
    Image.new("RGB", (2000, 1500), (1, 2, 3))
    for seed, words in enumerate(arrays):
        pixels = words.view(np.uint8).reshape(300, 200, 4)[..., :3]
        assert np.array_equal(pixels, mask(300, 200, seed))


def test_what_is_not_in_one_piece_is_left_to_the_usual_way() -> None:
    assert pixel_words(Image.new("RGB", (4000, 2000))) is None
    for mode in ("L", "P", "CMYK", "I;16"):
        assert pixel_words(Image.new(mode, (4, 4))) is None
