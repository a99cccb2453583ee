"""What label maps mean: by a palette and by their own colours."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.comparison.meanings import BLACK, VOID, Standard, meaning_of, other_colours
from gpuseg.errors import LabelError, UsageError
from gpuseg.kernels.lut import colour_keys
from gpuseg.palette import Palette, PaletteClass
from tests.making import PALETTE


def test_the_colours_of_indices_without_a_class() -> None:
    """As `Palette.plte` gives them."""
    plte = np.frombuffer(PALETTE.plte(), np.uint8).reshape(-1, 3)
    assert colour_keys(plte)[[200, 255]].tolist() == [BLACK, VOID]
    assert set(meaning_of(PALETTE.plte()).doubtful) == {BLACK, VOID}
    assert meaning_of(bytes([1, 1, 1, 2, 2, 2])).doubtful == ()


def test_entries_of_one_colour_are_one() -> None:
    meaning = meaning_of(bytes([1, 1, 1, 2, 2, 2, 1, 1, 1]))
    assert meaning.shown is not None
    assert meaning.shown[:3].tolist() == [0, 1, 0]
    assert (meaning.shown[3:] > 255).all()
    assert meaning.lookup.table[0x010101] == 0
    assert meaning.lookup.table[0x030303] > 255
    assert not meaning.shown.flags.writeable
    assert not meaning.lookup.table.flags.writeable  # else kernels would be compiled once more


def test_the_ignore_index_is_part_of_the_colours() -> None:
    own = Palette(PALETTE.classes, ignore_index=9)
    assert Standard.of(own).plte == PALETTE.plte(9) == Standard.of(PALETTE, 9).plte
    assert Standard.of(own, 7).plte == PALETTE.plte(7)
    assert Standard.of(PALETTE).problem(PALETTE.plte(), 8) == ""
    assert "(index 9 is #000000, not #e0e0c0)" in Standard.of(own).problem(PALETTE.plte(), 8)


def test_palettes_of_16_bits() -> None:
    many = Palette((PaletteClass(300, "a", (1, 2, 3)),))
    for standard in (Standard.of(many), Standard.of(PALETTE, 256)):
        assert standard.plte is None
        assert "needs 16" in standard.problem(PALETTE.plte(), 8)
        assert standard.problem(None, 16) == ""
        assert standard.meaning(None, 16).lookup.depth == 16
    for palette, wrong in ((many, 70000), (PALETTE, -1), (PALETTE, 2.5), (PALETTE, "255")):
        with pytest.raises(UsageError, match="ignore_index must be"):
            Standard.of(palette, wrong)


def test_greyscale_means_nothing_by_itself() -> None:
    for bits in (8, 16):
        assert Standard.of(None).problem(None, bits) == ""
        with pytest.raises(LabelError, match="--palette"):
            Standard.of(None).meaning(None, bits)


def test_other_colours_are_told_by_the_first() -> None:
    told = other_colours(bytes([1, 2, 3, 4, 5, 6]), bytes([1, 2, 3, 4, 5, 7]))
    assert told == "other colours (index 1 is #040506, not #040507) than those"
    assert other_colours(bytes(3), bytes(6)) == "1 colour instead of the 2"
