"""Reading anybody's label maps: the indices as they stand in the file, by either codec."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.errors import BrokenMaskError, MaskSizeError, UnsupportedMaskError
from gpuseg.label_maps import LabelMap, read_label_map
from tests.making import PALETTE, indices, save_mask
from tests.pngs import GREY, assemble, chunk, filtered, ihdr, pack, zlib_stream
from tests.pngs import PALETTE as INDEXED

LIMIT = 1 << 20


def made(path: Path, labels: np.ndarray, bits: int, kind: int, *extra: bytes) -> LabelMap:
    """A PNG of these labels, made by hand, as it is read."""
    height, width = labels.shape
    rows = pack(labels, bits) if bits < 16 else labels.astype(">u2").view(np.uint8)
    data = zlib_stream(filtered(rows, max(1, bits // 8), [y % 5 for y in range(height)]))
    header = ihdr(width, height, bits, kind)
    path.write_bytes(assemble(header, *extra, chunk(b"IDAT", data)))
    return read_label_map(str(path), LIMIT)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_images_of_any_depth(tmp_path: Path, bits: int) -> None:
    labels = indices(13, 21, classes=min(200, 1 << bits))
    plte = bytes(range(3 << bits)) if bits < 8 else bytes(600)
    found = made(tmp_path / "a.png", labels, bits, INDEXED, chunk(b"PLTE", plte))
    assert np.array_equal(found.labels, labels)
    assert (found.plte, found.bits, found.codec) == (plte, bits, "png")
    assert (found.height, found.width, found.format) == (13, 21, "PNG")


@pytest.mark.parametrize(("bits", "codec"), [*((n, "pillow") for n in (1, 2, 4)), (8, "png")])
def test_grey_values_are_indices(tmp_path: Path, bits: int, codec: str) -> None:
    labels = indices(9, 11, classes=1 << bits if bits < 8 else 256)
    found = made(tmp_path / "a.png", labels, bits, GREY)
    assert np.array_equal(found.labels, labels)
    assert (found.plte, found.bits, found.codec) == (None, bits, codec)


def test_sixteen_bits(tmp_path: Path) -> None:
    labels = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    found = made(tmp_path / "a.png", labels, 16, GREY)
    assert np.array_equal(found.labels, labels)
    assert found.labels.dtype == np.uint16
    assert (found.plte, found.bits) == (None, 16)


def test_transparent_entries_change_no_index(tmp_path: Path) -> None:
    labels = indices(5, 6)
    extra = (chunk(b"PLTE", bytes(18)), chunk(b"tRNS", b"\0\xff"))
    found = made(tmp_path / "a.png", labels, 8, INDEXED, *extra)
    assert np.array_equal(found.labels, labels)
    assert found.codec == "pillow"  # the direct path leaves transparency to it


def test_formats_that_pillow_reads(tmp_path: Path) -> None:
    labels = indices(7, 10)
    image = Image.frombytes("P", (10, 7), labels.tobytes())
    image.putpalette(PALETTE.plte())
    image.save(tmp_path / "a.bmp")
    found = read_label_map(str(tmp_path / "a.bmp"), LIMIT)
    assert np.array_equal(found.labels, labels)
    assert (found.format, found.codec, found.bits) == ("BMP", "pillow", 8)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF"])
def test_only_the_first_of_several_frames_would_be_read(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(indices(7, 10, seed=seed)) for seed in (1, 2)]
    for frame in frames:
        frame.putpalette(PALETTE.plte())
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedMaskError, match="holds 2 frames, a label map is one image"):
        read_label_map(str(tmp_path / "a"), LIMIT)


def test_labels_are_valid_until_the_next_are_read(tmp_path: Path) -> None:
    first, second = indices(8, 9, seed=1), indices(8, 9, seed=2)
    Image.fromarray(first).save(tmp_path / "1.png")
    Image.fromarray(second).save(tmp_path / "2.png")
    kept = read_label_map(str(tmp_path / "1.png"), LIMIT).labels.copy()
    again = read_label_map(str(tmp_path / "2.png"), LIMIT).labels
    assert np.array_equal(kept, first)
    assert np.array_equal(again, second)


def test_what_is_no_label_map(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMaskError, match="label map is a palette or greyscale"):
        read_label_map(str(save_mask(tmp_path / "rgb.png")), LIMIT)
    Image.fromarray(indices(40, 40)).save(tmp_path / "grey.png")
    with pytest.raises(MaskSizeError, match="1,600 pixels, the limit is 100"):
        read_label_map(str(tmp_path / "grey.png"), 100)
    cut = (tmp_path / "grey.png").read_bytes()[:-20]
    (tmp_path / "cut.png").write_bytes(cut)
    with pytest.raises(BrokenMaskError):
        read_label_map(str(tmp_path / "cut.png"), LIMIT)


def test_what_loses_labels_is_told(tmp_path: Path) -> None:
    Image.fromarray(indices(16, 16)).save(tmp_path / "a.jpg")
    assert "lossy" in "".join(read_label_map(str(tmp_path / "a.jpg"), LIMIT).warnings)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_tiff_of_few_bits(tmp_path: Path, bits: int, reverse: bool, inverted: bool) -> None:
    labels = np.arange(8, dtype=np.uint8)[None] & np.uint8((1 << bits) - 1)
    data = pack(labels ^ ((1 << bits) - 1) * np.uint8(inverted), bits)
    if reverse:
        data = np.packbits(np.unpackbits(data, bitorder="little"))
    (tmp_path / "a.tif").write_bytes(tiff(bits, 1 - inverted, 1 + reverse, data.tobytes()))
    assert np.array_equal(read_label_map(str(tmp_path / "a.tif"), LIMIT).labels, labels)


def tiff(bits: int, kind: int, order: int, data: bytes) -> bytes:
    """8 x 1 pixels of greyscale. kind: 0, where white is 0, or 1. order: of bits, 1 or 2."""
    tags = {256: 8, 257: 1, 258: bits, 259: 1, 262: kind, 266: order, 273: 8, 277: 1, 278: 1}
    tags |= {279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    pixels = data.ljust(8, b"\0")
    return struct.pack("<4sI", b"II*\0", 16) + pixels + struct.pack("<H", 10) + entries + bytes(4)
