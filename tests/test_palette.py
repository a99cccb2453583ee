"""Palette: validation, duplicates, PLTE bytes, digest; the VOC colour map."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.errors import DuplicateColourError, PaletteError, PaletteSizeError
from gpuseg.palette import (
    MAX_INDEX,
    Merged,
    Palette,
    PaletteClass,
    find_duplicates,
    voc_colormap,
)

A = PaletteClass(0, "a", (0, 0, 0))
B = PaletteClass(1, "b", (255, 0, 0))
C = PaletteClass(2, "c", (255, 0, 0))


def test_class_as_hex() -> None:
    assert PaletteClass(0, "x", (1, 171, 255)).hex == "#01abff"


def test_needs_classes() -> None:
    with pytest.raises(PaletteError, match="needs at least one class"):
        Palette(())


@pytest.mark.parametrize("rgb", [(0, 0, 256), (-1, 0, 0), (0, 0), (0, 0, 0, 0)])
def test_colours_out_of_range(rgb: tuple[int, ...]) -> None:
    with pytest.raises(PaletteError, match="three values 0 to 255"):
        Palette((PaletteClass(0, "x", rgb),))  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, MAX_INDEX + 1])
def test_indices_out_of_range(index: int) -> None:
    with pytest.raises(PaletteError, match="must be 0 to 65535"):
        Palette((PaletteClass(index, "x", (0, 0, 0)),))
    with pytest.raises(PaletteError, match="ignore_index must be 0 to 65535"):
        Palette((A,), ignore_index=index)


def test_repeated_colours_name_their_classes() -> None:
    with pytest.raises(DuplicateColourError, match=r"#ff0000 is 'b' \(1\) and 'c' \(2\)"):
        Palette((A, B, C))
    assert find_duplicates((A, B, C)) == {(255, 0, 0): [B, C]}


def test_message_about_many_repeated_colours_stays_short() -> None:
    entries = tuple(PaletteClass(n, f"c{n}", (n % 50, 0, 0)) for n in range(5000))
    with pytest.raises(
        DuplicateColourError, match=r"'c550' \(550\) and 88 more; .*; 38 more; mend"
    ):
        Palette(entries)


def test_is_frozen_and_hashable() -> None:
    palette = Palette((A, B))
    with pytest.raises(dataclasses.FrozenInstanceError):
        palette.name = "x"  # type: ignore[misc]
    assert hash(palette) == hash(Palette((A, B)))


def test_from_colours() -> None:
    palette = Palette.from_colours(np.array([[1, 2, 3], [4, 5, 6]]), name="p", ignore_index=9)
    assert palette.classes == (
        PaletteClass(0, "class 0", (1, 2, 3)),
        PaletteClass(1, "class 1", (4, 5, 6)),
    )
    assert (palette.name, palette.ignore_index, len(palette)) == ("p", 9, 2)
    assert palette.colours.dtype == np.uint8
    assert palette.colours.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert palette.indices.tolist() == [0, 1]
    assert Palette.from_colours([(0, 0, 0)], ["x"]).classes[0].name == "x"


@pytest.mark.parametrize("names", [[], ["a", "b", "c"]])
def test_from_colours_needs_a_name_a_colour(names: list[str]) -> None:
    with pytest.raises(PaletteError, match=rf"one per colour \(2\), got {len(names)}"):
        Palette.from_colours([(0, 0, 0), (1, 1, 1)], names)


def test_from_colours_needs_three_channels() -> None:
    with pytest.raises(PaletteError, match="three values"):
        Palette.from_colours([(0, 0)])


@pytest.mark.parametrize("colour", [(0.5, 0, 0), (1.0, 0, 0), ("1", 0, 0)])
def test_channels_and_indices_are_whole_numbers(colour: tuple) -> None:
    with pytest.raises(PaletteError, match="whole numbers, got"):
        Palette.from_colours([(0, 0, 0), colour])
    with pytest.raises(PaletteError, match="whole numbers, got"):
        Palette((PaletteClass(0, "a", colour),))
    with pytest.raises(PaletteError, match=r"whole numbers, got 1\.5"):
        Palette((PaletteClass(1.5, "a", (0, 0, 0)),))


def test_arrays_are_read_only() -> None:
    palette = Palette((A, B))
    for array in (palette.colours, palette.indices):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_an_index_that_void_shares_with_a_class_is_a_real_class() -> None:
    entries = (PaletteClass(255, "void", (0, 0, 0)), PaletteClass(255, "car", (1, 1, 1)))
    assert Palette(entries).is_real_class(255)
    assert not Palette(entries, ignore_index=255).is_real_class(255)
    assert not Palette(entries[:1]).is_real_class(255)


def test_digest_tells_names_apart_and_takes_any() -> None:
    joined = Palette((PaletteClass(0, "a\n1 #010101 b", (0, 0, 0)),))
    apart = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(1, "b", (1, 1, 1))))
    assert joined.digest() != apart.digest()
    assert len(Palette((PaletteClass(0, "\ud800", (0, 0, 0)),)).digest()) == 16


def test_resolve() -> None:
    first = Palette.resolve((A, B, C), "first", name="n")
    assert first.classes == (A, B)
    assert first.merged == (Merged("c", 2, "b", (255, 0, 0)),)
    assert first.name == "n"
    last = Palette.resolve((A, B, C), "last")
    assert last.classes == (A, C)
    assert last.merged == (Merged("b", 1, "c", (255, 0, 0)),)
    with pytest.raises(DuplicateColourError):
        Palette.resolve((A, B, C))
    assert Palette.resolve((A, B), "first") == Palette((A, B))


def test_an_index_may_have_two_colours() -> None:
    twin = PaletteClass(0, "twin", (9, 9, 9))
    palette = Palette((A, twin, B))
    assert palette.first_by_index() == {0: A, 1: B}
    assert palette.max_index == 1


def test_label_maps_hold_merged_classes_of_an_index_of_their_own() -> None:
    gone = (
        Merged("c", 7, "b", (255, 0, 0)),
        Merged("again", 7, "a", (0, 0, 0)),
        Merged("of an index that is taken", 1, "a", (0, 0, 0)),
        Merged("of no index", -1, "b", (255, 0, 0)),
    )
    palette = Palette((B, A), merged=gone)
    c = PaletteClass(7, "c", (255, 0, 0))
    assert palette.label_classes == (B, A, c, PaletteClass(7, "again", (0, 0, 0)))
    assert palette.label_indices == (0, 1, 7)
    assert palette.first_by_index() == {0: A, 1: B, 7: c}
    assert palette.max_index == 7
    assert palette.is_real_class(7)
    assert palette.plte()[21:24] == bytes([255, 0, 0])
    assert palette.indices.tolist() == [1, 0]  # what colours mean is as without them
    assert len(palette) == len(palette.colours) == 2
    alone = Palette((B, A))
    assert alone.label_classes == alone.classes
    assert palette.digest() != alone.digest()
    assert dataclasses.replace(palette, merged=gone[2:]).digest() == alone.digest()


def test_a_merged_class_must_fit_the_depth() -> None:
    palette = Palette((A, B), merged=(Merged("c", 256, "b", (255, 0, 0)),))
    assert palette.least_depth == 16
    with pytest.raises(PaletteSizeError, match=r"indices up to 256.*use --depth 16"):
        palette.plte()


def test_a_merged_class_that_means_nothing_is_not_real() -> None:
    def merged(name: str) -> Palette:
        return Palette((A,), merged=(Merged(name, 255, "a", (0, 0, 0)),))

    assert merged("sky").is_real_class(255)
    assert not merged("void").is_real_class(255)


def test_ignore_for() -> None:
    assert Palette((A,)).ignore_for(8) == 255
    assert Palette((A,)).ignore_for(16) == 65535
    assert Palette((A,), ignore_index=7).ignore_for(16) == 7
    assert Palette((A,), ignore_index=7).ignore_for(8, 3) == 3


def test_check_depth() -> None:
    Palette((A,), ignore_index=255).check_depth(8)
    wide = Palette((PaletteClass(256, "x", (0, 0, 0)),))
    with pytest.raises(PaletteSizeError, match=r"indices up to 256.*use --depth 16"):
        wide.check_depth(8)
    wide.check_depth(16)
    with pytest.raises(PaletteSizeError, match="ignore index 300"):
        Palette((A,), ignore_index=300).check_depth(8)


@pytest.mark.parametrize("name", ["void", " Void ", "IGNORE", "unlabelled", "unlabeled"])
def test_void_classes_are_not_real(name: str) -> None:
    assert not Palette((PaletteClass(255, name, (0, 0, 0)),)).is_real_class(255)


def test_is_real_class() -> None:
    assert Palette((A,)).is_real_class(0)
    assert not Palette((A,)).is_real_class(1)
    assert not Palette((A,), ignore_index=0).is_real_class(0)


def test_plte_has_256_entries() -> None:
    table = np.frombuffer(Palette((A, B)).plte(), np.uint8).reshape(256, 3)
    assert table[1].tolist() == [255, 0, 0]
    assert table[255].tolist() == [224, 224, 192]
    assert not table[2:255].any()


def test_plte_paints_listed_classes_first() -> None:
    palette = Palette((PaletteClass(255, "void", (1, 2, 3)), PaletteClass(255, "x", (4, 5, 6))))
    assert palette.plte(255)[-3:] == bytes([1, 2, 3])
    assert palette.plte(7)[21:24] == bytes([224, 224, 192])
    with pytest.raises(PaletteSizeError, match="ignore index 65535"):
        palette.plte(65535)


def test_plte_refuses_wide_palettes() -> None:
    with pytest.raises(PaletteSizeError):
        Palette((PaletteClass(256, "x", (0, 0, 0)),)).plte()


def test_digest_changes_with_what_labels_depend_on() -> None:
    base = Palette((A, B), ignore_index=255)
    assert len(base.digest()) == 16
    assert base.digest() == Palette((A, B), name="other", ignore_index=255, notes="x").digest()
    others = [
        Palette((A, B)),
        Palette((B, A), ignore_index=255),
        Palette((A,), ignore_index=255),
        Palette((A, dataclasses.replace(B, name="x")), ignore_index=255),
        Palette((A, dataclasses.replace(B, index=3)), ignore_index=255),
        Palette((A, dataclasses.replace(B, rgb=(255, 0, 1))), ignore_index=255),
    ]
    assert len({p.digest() for p in [base, *others]}) == 7


def voc_colour(index: int) -> tuple[int, ...]:
    """The colour of the VOCdevkit, spelt with the bits as text."""
    bits = f"{index:09b}"[::-1]
    return tuple(int((bits[channel::3] + "00000000")[:8], 2) for channel in range(3))


@given(st.integers(1, 256))
def test_voc_colormap_against_text_bits(n: int) -> None:
    assert [tuple(row) for row in voc_colormap(n).tolist()] == [voc_colour(i) for i in range(n)]


def test_voc_colormap_known_entries() -> None:
    table = voc_colormap()
    assert (table.dtype, table.shape) == (np.uint8, (256, 3))
    assert table[[0, 1, 15, 20, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [192, 128, 128], [0, 64, 128], [224, 224, 192],
    ]  # fmt: skip
    assert len(np.unique(table, axis=0)) == 256


@pytest.mark.parametrize("n", [0, -1, 257])
def test_voc_colormap_range(n: int) -> None:
    with pytest.raises(PaletteError, match="n from 1 to 256"):
        voc_colormap(n)


def test_another_ignore_index_makes_a_wide_one_fit() -> None:
    palette = Palette((A, B), ignore_index=65535)
    with pytest.raises(PaletteSizeError, match="another --ignore-index"):
        palette.check_depth(8)
    palette.check_depth(8, 255)
    palette.check_depth(16)
