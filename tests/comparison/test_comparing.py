"""Comparing a colour mask with a label map: judged by plain Python over pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.label_png import write_label
from gpuseg.comparison import comparing
from gpuseg.comparison.comparing import Comparer, Comparison
from gpuseg.comparison.meanings import Standard
from gpuseg.errors import BrokenMaskError, LabelError, MaskSizeError, UnreadableMaskError
from gpuseg.palette import Palette, PaletteClass
from tests.making import COLOURS, PALETTE, indices, mask
from tests.pngs import GREY, chunk, lines, png
from tests.pngs import PALETTE as INDEXED

LIMIT = 1 << 20


def write(
    folder: Path,
    pixels: np.ndarray,
    labels: np.ndarray,
    plte: bytes | None,
    reported: int | None = None,
) -> tuple[str, str]:
    source, target = folder / "mask.png", folder / "label.png"
    Image.fromarray(pixels).save(source)
    mark = None if reported is None else Fingerprint(b"0" * 16, reported)
    target.write_bytes(write_label(labels, plte, mark))
    return str(source), str(target)


def compare(
    folder: Path,
    pixels: np.ndarray,
    labels: np.ndarray,
    plte: bytes | None = None,
    reported: int | None = None,
    palette: Palette | None = PALETTE,
    allow_unknown: bool = False,
) -> Comparison:
    if plte is None and labels.dtype == np.uint8:
        plte = PALETTE.plte()
    source, target = write(folder, pixels, labels, plte, reported)
    return Comparer(Standard.of(palette), allow_unknown, LIMIT).compare(source, target)


def test_equal_images_are_not_looked_at_pixel_by_pixel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(comparing, "find_differences")
    assert not compare(tmp_path, mask(20, 30), indices(20, 30)).problem
    assert not compare(tmp_path, mask(20, 30), indices(20, 30), reported=0, palette=None).problem
    source, target = write(tmp_path, mask(20, 30), indices(20, 30), PALETTE.plte())
    reverse = Image.fromarray(5 - indices(20, 30))  # a palette image in an order of its own
    reverse.putpalette(PALETTE.colours[::-1].tobytes())
    for image in (reverse, reverse.convert("RGBA")):
        image.save(source)
        for standard in (Standard.of(PALETTE), Standard()):
            assert not Comparer(standard, False, LIMIT).compare(source, target).problem


def test_one_wrong_pixel_is_told(tmp_path: Path) -> None:
    labels = indices(12, 17)
    right = labels[7, 11]
    labels[7, 11] = (right + 1) % 6
    for palette in (PALETTE, None):
        found = compare(tmp_path, mask(12, 17), labels, palette=palette)
        colour = "#{:02x}{:02x}{:02x}".format(*COLOURS[right])
        assert found.problem == (
            f"1 of 204 pixels differ, the first at x=11 y=7: {colour} should have index {right}, "
            f"not {(right + 1) % 6}"
        )
        assert found.differences is not None
        assert found.differences.row() == {
            "differing_pixels": 1,
            "first": {
                "x": 11,
                "y": 7,
                "colour": colour,
                "label": (right + 1) % 6,
                "index": right,
            },
        }


def test_red_and_blue_swapped_is_told(tmp_path: Path) -> None:
    palette = Palette.from_colours([(10, 0, 0), (0, 0, 10), (0, 5, 0)])
    labels = np.array([[0, 1, 2, 0]], np.uint8)
    found = compare(
        tmp_path, palette.colours[labels][..., ::-1], labels, palette.plte(), 0, palette
    )
    assert found.problem.startswith("3 of 4 pixels differ, the first at x=0 y=0: #00000a should")
    assert "with red and blue swapped they are right" in found.problem
    pixels = palette.colours[labels][..., ::-1].copy()
    pixels[0, 3] = (7, 7, 7)
    odd = compare(tmp_path, pixels, labels, palette.plte(), 1, palette)
    assert "2 of 4 pixels differ" in odd.problem
    assert odd.unknown == 1
    assert "swapped" not in odd.problem
    same = compare(tmp_path, palette.colours[labels], labels, palette.plte(), 0, palette)
    assert same.problem == ""


def test_unknown_pixels_must_be_as_many_as_reported(tmp_path: Path) -> None:
    pixels, labels = mask(6, 6), indices(6, 6)
    pixels[2, 3], labels[2, 3] = (1, 2, 3), 255
    assert compare(tmp_path, pixels, labels, reported=1).unknown == 1
    for reported, told in ((0, "reports 0"), (2, "reports 2"), (None, "--allow-unknown")):
        found = compare(tmp_path, pixels, labels, reported=reported)
        assert "1 pixel of a colour that is not in the palette" in found.problem
        assert "x=3 y=2 (#010203)" in found.problem
        assert told in found.problem
    assert not compare(tmp_path, pixels, labels, allow_unknown=True).problem
    pixels[2, 3] = COLOURS[labels[2, 2]]
    labels[2, 3] = labels[2, 2]
    assert "0 pixels of a colour" in compare(tmp_path, pixels, labels, reported=1).problem


def test_the_first_that_differs_is_not_one_of_unknown_colour(tmp_path: Path) -> None:
    pixels, labels = mask(6, 6), indices(6, 6)
    pixels[0, 0], labels[0, 0] = (1, 2, 3), 255
    labels[4, 5] = (labels[4, 5] + 1) % 6
    found = compare(tmp_path, pixels, labels, reported=1)
    assert "1 of 36 pixels differ, the first at x=5 y=4" in found.problem
    assert found.differences is not None
    assert found.differences.row()["first"]["x"] == 5


def test_black_may_be_unknown_where_only_the_label_map_tells_its_colours(tmp_path: Path) -> None:
    """As in the aerial tiles of Dubai: entries without a class are black, so black says nothing."""
    palette = Palette.from_colours([(10, 20, 30), (40, 50, 60)])
    labels = np.array([[0, 1, 0, 255]], np.uint8)
    pixels = np.array([[(10, 20, 30), (40, 50, 60), (10, 20, 30), (0, 0, 0)]], np.uint8)
    plte = palette.plte()
    for known in (palette, None):
        assert not compare(tmp_path, pixels, labels, plte, 1, known).problem
        for reported in (0, 2, None):
            assert compare(tmp_path, pixels, labels, plte, reported, known).problem
    by_itself = compare(tmp_path, pixels, labels, plte, 0, None)
    assert "1 of 4 pixels differ, the first at x=3 y=0: #000000" in by_itself.problem
    assert compare(tmp_path, pixels, labels, plte, None, None, allow_unknown=True).problem
    assert not compare(tmp_path, pixels, labels, plte, None, palette, allow_unknown=True).problem
    labels[0, 3] = 7  # an entry without a class, black: right by its colour, wrong by the palette
    assert not compare(tmp_path, pixels, labels, plte, 0, None).problem
    assert compare(tmp_path, pixels, labels, plte, 0, palette).problem


def test_an_unknown_colour_may_be_that_of_the_ignore_index(tmp_path: Path) -> None:
    palette = Palette.from_colours([(10, 20, 30)])
    pixels, labels = np.full((1, 2, 3), 224, np.uint8), np.full((1, 2), 255, np.uint8)
    pixels[..., 2] = 192
    for known in (palette, None):
        assert not compare(tmp_path, pixels, labels, palette.plte(), 2, known).problem
        assert compare(tmp_path, pixels, labels, palette.plte(), 3, known).problem
    labels[:] = 0  # `nearest`
    assert not compare(tmp_path, pixels, labels, palette.plte(), 2, None).problem


def test_other_colours_and_other_sizes_differ(tmp_path: Path) -> None:
    pixels, labels = mask(5, 8), indices(5, 8)
    other = bytearray(PALETTE.plte())
    other[3 * 2] ^= 1
    found = compare(tmp_path, pixels, labels, bytes(other))
    assert found.problem == (
        "it has other colours (index 2 is #018000, not #008000) than those of palette 'six'"
    )
    found = compare(tmp_path, pixels, labels[:4])
    assert "8 x 5 pixels, its label map 8 x 4" in found.problem
    assert (
        "8 x 5 pixels, its label map 8 x 4"
        in compare(tmp_path, pixels, labels[:4], reported=3, palette=None).problem
    )


def test_16_bits_need_a_palette(tmp_path: Path) -> None:
    many = Palette(tuple(PaletteClass(7 * i, f"c{i}", (i % 256, i // 256, 9)) for i in range(300)))
    labels = (np.arange(300, dtype=np.uint16) * 7).reshape(10, 30)
    pixels = many.colours.reshape(10, 30, 3).copy()
    assert not compare(tmp_path, pixels, labels, palette=many).problem
    with pytest.raises(LabelError, match=r"its label map has no colours of its own.*--palette"):
        compare(tmp_path, pixels, labels, palette=None)
    labels[3, 4] += 1
    found = compare(tmp_path, pixels, labels, palette=many)
    assert "x=4 y=3: #5e0009 should have index 658, not 659" in found.problem
    found = compare(tmp_path, pixels, np.zeros((10, 30), np.uint8), palette=many)
    assert "8 bits a pixel, palette 'palette' needs 16" in found.problem
    few = compare(tmp_path, mask(4, 4), indices(4, 4).astype(np.uint16))  # convert --depth 16
    assert few.problem == ""


def test_labels_outside_the_label_maps_own_palette_differ(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(np.array([[(5, 5, 5), (6, 6, 6)]], np.uint8)).save(source)
    comparer = Comparer(Standard(), False, LIMIT)
    plte = chunk(b"PLTE", bytes([5, 5, 5, 6, 6, 6]))
    target.write_bytes(png(2, 1, 8, INDEXED, lines([0, 1]), plte))
    assert not comparer.compare(str(source), str(target)).problem
    target.write_bytes(png(2, 1, 8, INDEXED, lines([0, 2]), plte))
    found = comparer.compare(str(source), str(target))
    assert "x=1 y=0: #060606 should have index 1, not 2" in found.problem
    Image.fromarray(np.array([[(5, 5, 5), (7, 6, 6)]], np.uint8)).save(source)
    found = comparer.compare(str(source), str(target))
    assert "x=1 y=0: index 2, which is not in the palette" in found.problem
    assert found.differences is not None
    assert (found.differences.wrong, found.differences.unknown) == (1, 0)
    Image.fromarray(np.array([[(0, 0, 0), (6, 6, 6)]], np.uint8)).save(source)
    mark = chunk(b"gpSG", Fingerprint(b"0" * 16, 1).payload())
    plte = chunk(b"PLTE", bytes([0, 0, 0, 6, 6, 6]))
    for label, right in ((1, True), (2, False)):  # black may be unknown, but a label means a colour
        target.write_bytes(png(2, 1, 8, INDEXED, lines([label, 1]), mark, plte))
        assert (not comparer.compare(str(source), str(target)).problem) == right


def test_a_label_map_of_fewer_bits_has_fewer_colours(tmp_path: Path) -> None:
    """As `recolor` leaves one of 4 bits."""
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(PALETTE.colours[[[1, 2, 3, 4]]]).save(source)
    for entries, told in ((16, ""), (15, "it has 15 colours instead of the 16 of palette 'six'")):
        plte = chunk(b"PLTE", PALETTE.plte()[: 3 * entries])
        target.write_bytes(png(4, 1, 4, INDEXED, lines([0x12, 0x34]), plte))
        comparer = Comparer(Standard.of(PALETTE), False, LIMIT)
        assert comparer.compare(str(source), str(target)).problem == told


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    source, target = write(tmp_path, mask(4, 4), indices(4, 4), PALETTE.plte())
    comparer = Comparer(Standard.of(PALETTE), False, LIMIT)
    with pytest.raises(LabelError, match="its label map holds colours, not indices"):
        comparer.compare(source, source)
    with pytest.raises(UnreadableMaskError, match="its label map cannot be opened"):
        comparer.compare(source, str(tmp_path / "none.png"))
    with pytest.raises(UnreadableMaskError, match=r"^cannot be opened"):
        comparer.compare(str(tmp_path / "none.png"), target)
    with pytest.raises(MaskSizeError, match=r"^its label map claims"):
        Comparer(Standard.of(PALETTE), False, 15).compare(source, target)
    Path(source).write_bytes(png(2, 1, 8, INDEXED, lines([0, 2]), chunk(b"PLTE", bytes(6))))
    Path(target).write_bytes(write_label(np.zeros((1, 2), np.uint8), PALETTE.plte()))
    with pytest.raises(BrokenMaskError, match=r"^has a pixel of palette entry 2"):
        comparer.compare(source, target)
    Path(target).write_bytes(png(2, 1, 8, GREY, lines([0, 0])))
    Image.fromarray(np.zeros((1, 2, 3), np.uint8)).save(source)
    assert "greyscale, without the colours" in comparer.compare(source, target).problem
    Path(target).write_bytes(Path(target).read_bytes()[:-5])
    with pytest.raises(BrokenMaskError, match=r"^its label map is"):
        comparer.compare(source, target)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, suffix) for mode in ("RGB", "P", "L", "1") for suffix in ("png", "bmp", "tiff")]
    + [("RGBA", "png"), ("RGBA", "tiff"), ("LA", "png")],
)
def test_masks_of_all_kinds(tmp_path: Path, mode: str, suffix: str) -> None:
    """Grey is read as colours, palette images by their own."""
    palette = Palette.from_colours([(0, 0, 0), (255, 255, 255)])
    labels = indices(9, 13, classes=2)
    source, target = tmp_path / f"a.{suffix}", tmp_path / "a.png"
    image = Image.fromarray(palette.colours[labels])
    image.convert(mode).save(source)
    target = tmp_path / "label.png"
    target.write_bytes(write_label(labels, palette.plte()))
    comparer = Comparer(Standard.of(palette), False, LIMIT)
    assert not comparer.compare(str(source), str(target)).problem
    assert not Comparer(Standard(), False, LIMIT).compare(str(source), str(target)).problem
    labels[8, 12] ^= 1
    target.write_bytes(write_label(labels, palette.plte()))
    assert "x=12 y=8" in comparer.compare(str(source), str(target)).problem
