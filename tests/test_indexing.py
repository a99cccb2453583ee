"""From decoded masks to labels: greyscale, and the sentence about refused colours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpuseg.errors import UnsupportedMaskError
from gpuseg.indexing import check_grey, index_mask, refusal
from gpuseg.kernels.lut import build_lookup
from gpuseg.mask import DecodedMask
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette
from gpuseg.results import UnknownColour

BINARY = Palette.from_colours([(0, 0, 0), (255, 255, 255)], ["ground", "thing"], name="binary")
GREYS = Palette.from_colours([(0, 0, 0), (128, 128, 128), (200, 0, 0)], name="greys")
RAMP = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def grey(*values: int) -> DecodedMask:
    return DecodedMask(np.array([values], np.uint8), RAMP, "PNG", "pillow", grey=True)


def labels(palette: Palette, mask: DecodedMask, **options: object) -> list[int]:
    settings = ConvertOptions(**options)
    indexed = index_mask(mask, build_lookup(palette, settings), palette, settings)
    return indexed.labels.reshape(-1).tolist()


def test_greys_that_cannot_be_indices_are_colours() -> None:
    assert labels(GREYS, grey(0, 128, 128)) == [0, 1, 1]


def test_values_that_read_alike_either_way_are_taken() -> None:
    assert labels(BINARY, grey(0, 0, 0)) == [0, 0, 0]


def test_black_and_white_may_be_class_0_and_ignore_so_it_is_asked() -> None:
    with pytest.raises(UnsupportedMaskError, match=r"finished class indices .* --grey colours"):
        labels(BINARY, grey(0, 255))
    assert labels(BINARY, grey(0, 255), grey="colours") == [0, 1]


@pytest.mark.parametrize("unknown", ["error", "ignore", "nearest"])
def test_one_stray_value_makes_no_colours_of_indices(unknown: str) -> None:
    """0, 1, 1, 50 is a finished map with a fault, or an odd mask: nobody can tell."""
    mask = grey(0, 1, 1, 50)
    with pytest.raises(UnsupportedMaskError, match="neither all greys nor all indices"):
        labels(GREYS, mask, unknown=unknown)


def test_asked_for_colours_the_policy_holds() -> None:
    assert labels(GREYS, grey(0, 120), grey="colours", unknown="nearest") == [0, 1]
    assert labels(GREYS, grey(0, 120), grey="colours", unknown="ignore") == [0, 255]


def test_many_values_are_shortened() -> None:
    with pytest.raises(UnsupportedMaskError, match=r"\(0, 1, 2, 3, 4, 5, 6, 7 …\)"):
        check_grey(np.arange(100, dtype=np.uint8)[None], GREYS, ConvertOptions())


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (1, 1_000_000, "under 0.01 %"),
        (999_999, 1_000_000, "over 99.99 %"),
        (5, 5, "100.00 %"),
        (1, 3, "33.33 %"),
    ],
)
def test_a_share_is_whole_only_when_it_is(part: int, whole: int, share: str) -> None:
    error = refusal((UnknownColour((1, 2, 3), part, 0, 0),), part, whole, GREYS, ("do", "swap"))
    assert f"({share})" in str(error)
    assert (error.pixels, error.colours[0].hex) == (part, "#010203")


def test_swapped_colours_and_wrong_palettes_are_told_apart() -> None:
    def told(rgb: tuple[int, int, int], refused: int) -> str:
        found = (UnknownColour(rgb, refused, 0, 0),)
        return str(refusal(found, refused, 100, GREYS, ("do this", "swap that")))

    assert told((0, 0, 200), 10).endswith("red and blue swapped they are in it: swap that")
    assert told((9, 9, 9), 90).endswith(
        "this looks like the wrong palette (gpuseg scan tells which fits); do this"
    )
    assert told((9, 9, 9), 10).endswith("; do this")


def test_memory_for_labels_is_used_again_and_never_too_small() -> None:
    for height, width, depth in ((3, 5, 8), (40, 50, 8), (40, 50, 16), (1, 1, 8), (60, 70, 16)):
        values = np.arange(height * width).reshape(height, width) % 2 * 128
        mask = DecodedMask(values.astype(np.uint8), RAMP, "PNG", "pillow", grey=True)
        options = ConvertOptions(depth=depth)
        indexed = index_mask(mask, build_lookup(GREYS, options), GREYS, options)
        assert indexed.labels.dtype == (np.uint8 if depth == 8 else np.uint16)
        assert np.array_equal(indexed.labels, values // 128)


def test_threads_have_memory_of_their_own() -> None:
    options = ConvertOptions()
    lookup = build_lookup(GREYS, options)

    def repeated(value: int) -> bool:
        mask = DecodedMask(np.full((50, 60), value, np.uint8), RAMP, "PNG", "pillow", grey=True)
        want = {0: 0, 128: 1}[value]
        return all(
            (index_mask(mask, lookup, GREYS, options).labels == want).all() for _ in range(200)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(repeated, [0, 128, 0, 128]))
