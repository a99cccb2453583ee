"""Files to int64 labels: as Pillow has them, or by a palette as the specification has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, PaletteClass, load_palette, save_label
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.errors import (
    BrokenMaskError,
    LabelError,
    MaskSizeError,
    UnknownColourError,
    UnreadableMaskError,
    UnsupportedMaskError,
    UsageError,
)
from gpuseg.options import DEFAULT_MAX_PIXELS
from tests.dumps import save_label_map
from tests.making import PALETTE, indices, mask, save_mask
from tests.torch_door.making import save_labels

pytestmark = pytest.mark.torch
pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch.reading import LabelReader  # noqa: E402


def read(
    path: Path,
    palette: Palette | None = None,
    ignore_index: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> np.ndarray:
    with size_limit_is_ours():
        return LabelReader.of(palette, ignore_index, max_pixels).read(str(path))


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_label_maps_of_all_kinds(tmp_path: Path, palette: Palette | None) -> None:
    labels = save_labels(tmp_path / "p.png", seed=3)
    save_label_map(tmp_path / "grey.png", labels)
    Image.fromarray(labels).save(tmp_path / "grey.tif")
    for name in ("p.png", "grey.png", "grey.tif"):
        found = read(tmp_path / name, palette)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_packed_bits(tmp_path: Path, bits: int) -> None:
    labels = indices(9, 13, classes=2)  # 13 pixels do not fill their last byte
    image = Image.frombytes("P", (13, 9), labels.tobytes())
    image.putpalette(PALETTE.colours.tobytes()[: 3 * 2])
    image.save(tmp_path / "a.png", bits=bits)
    for palette in (None, PALETTE):
        np.testing.assert_array_equal(read(tmp_path / "a.png", palette), labels)


def test_bits_that_fill_a_row_are_no_labels(tmp_path: Path) -> None:
    """A row of 1 pixel of 4 bits, and 15 in the bits behind it: the palette ends at 5."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 1, 1, 4, 3, 0, 0, 0)
    body = chunk(b"PLTE", PALETTE.colours.tobytes()) + chunk(b"IDAT", zlib.compress(b"\0\x3f"))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert read(tmp_path / "a.png", PALETTE).tolist() == [[3]]


def test_sixteen_bits(tmp_path: Path) -> None:
    wide = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(300, "b", (1, 2, 3))))
    labels = np.array([[0, 300, 300, 65535]])
    save_label(tmp_path / "a.png", labels, wide, depth=16)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), labels)
    np.testing.assert_array_equal(read(tmp_path / "a.png", wide), labels)
    with pytest.raises(LabelError, match=r"ignore index 7: 65535 \(1 px\)"):
        read(tmp_path / "a.png", wide, 7)
    Image.fromarray(np.array([[[1, 2, 3], [0, 0, 0]]], np.uint8)).save(tmp_path / "rgb.png")
    assert read(tmp_path / "rgb.png", wide).tolist() == [[300, 0]]


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp"])
def test_colour_masks_are_looked_up(tmp_path: Path, name: str) -> None:
    Image.fromarray(mask(11, 14, 5)).save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(read(tmp_path / name, PALETTE), indices(11, 14, 5))
    with pytest.raises(UnsupportedMaskError, match=rf"{name} holds colours, and no palette"):
        read(tmp_path / name)


def test_a_palette_image_holds_indices_whatever_its_colours(tmp_path: Path) -> None:
    other = Palette.from_colours(PALETTE.colours[::-1])
    labels = save_labels(tmp_path / "a.png", palette=other)
    with pytest.warns(UserWarning, match="here #070809; .* and its indices were taken"):
        np.testing.assert_array_equal(read(tmp_path / "a.png", PALETTE), labels)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), labels)
    save_labels(tmp_path / "b.png", palette=Palette.from_colours([*PALETTE.colours, (1, 2, 3)]))
    read(tmp_path / "b.png", PALETTE)  # another colour of no class: no warning, which is an error


def test_what_one_call_gave_stays(tmp_path: Path) -> None:
    """Label maps are read into memory that the thread uses again."""
    first, second = (save_labels(tmp_path / f"{i}.png", seed=i) for i in (1, 2))
    assert not np.array_equal(first, second)
    for palette in (None, PALETTE):
        found = [read(tmp_path / f"{i}.png", palette) for i in (1, 2)]
        np.testing.assert_array_equal(found[0], first)
        np.testing.assert_array_equal(found[1], second)
        assert found[0].flags.owndata
        assert found[0].flags.writeable


@pytest.mark.parametrize("name", ["ade20k", "coco-stuff", "mapillary-v2", "cityscapes-ids"])
def test_classes_that_a_preset_gave_up_for_their_colour(tmp_path: Path, name: str) -> None:
    palette = load_palette(name)
    assert len(palette.label_classes) > len(palette)
    labels = save_label_map(tmp_path / "a.png", [palette.label_indices], palette)
    np.testing.assert_array_equal(read(tmp_path / "a.png", palette), labels)  # and warns of nothing
    Image.fromarray(palette.colours[None]).save(tmp_path / "rgb.png")
    np.testing.assert_array_equal(read(tmp_path / "rgb.png", palette)[0], palette.indices)


def test_unknown_colours_and_indices(tmp_path: Path) -> None:
    pixels = mask(4, 5)
    pixels[1, 2:4] = 77
    Image.fromarray(pixels).save(tmp_path / "c.png")
    with pytest.raises(UnknownColourError, match=r"c\.png holds 2 pixels .*#4d4d4d") as error:
        read(tmp_path / "c.png", PALETTE)
    assert (error.value.pixels, error.value.colours[0].rgb) == (2, (77, 77, 77))
    for name in ("i.png", "i.tif"):
        save_label_map(tmp_path / name, [[0, 9, 9, 255]])
        assert read(tmp_path / name).tolist() == [[0, 9, 9, 255]]
        with pytest.raises(LabelError, match=rf"{name} holds indices .*'six'.* 255: 9 \(2 px\)"):
            read(tmp_path / name, PALETTE)
        with pytest.raises(LabelError, match=r"ignore index 9: 255 \(1 px\)"):
            read(tmp_path / name, PALETTE, 9)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    save_mask(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    labels = save_labels(tmp_path / "labels.png")
    for palette in (None, PALETTE):
        with pytest.raises(BrokenMaskError, match=r"cut\.png is "):
            read(tmp_path / "cut.png", palette)
        with pytest.raises(UnreadableMaskError, match=r"none\.png cannot be opened"):
            read(tmp_path / "none.png", palette)
        with pytest.raises(MaskSizeError, match=r"labels\.png claims"):
            read(tmp_path / "labels.png", palette, max_pixels=labels.size - 1)


def test_options_are_looked_at_before_a_file(tmp_path: Path) -> None:
    wrong: list[tuple[Any, ...]] = [(PALETTE, -1, 9), (PALETTE, 1.5, 9), (None, None, 0)]
    for arguments in wrong:
        with pytest.raises(UsageError):
            LabelReader.of(*arguments)
