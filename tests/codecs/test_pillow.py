"""The Pillow codec against Pillow, OpenCV and pngcheck, and on what it must refuse."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs import pillow
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.errors import (
    BrokenMaskError,
    MaskSizeError,
    UnreadableMaskError,
    UnsupportedMaskError,
)
from gpuseg.palette import voc_colormap
from tests.making import mask

PLTE = voc_colormap(256).tobytes()
LIMIT = 10_000


def save(tmp_path: Path, image: Image.Image, name: str = "m.png", **options: object) -> Path:
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["m.png", "m.bmp", "m.tif", "m.gif", "m.webp"])
def test_reads_what_was_saved(tmp_path: Path, name: str) -> None:
    pixels = mask(9, 13)
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    found = pillow.read_mask(save(tmp_path, Image.fromarray(pixels), name, **options), LIMIT)
    shown = found.pixels if found.colours is None else found.colours[found.pixels]
    assert np.array_equal(shown, pixels)
    assert (found.height, found.width, found.codec) == (9, 13, "pillow")
    assert not found.warnings


def test_content_decides_not_the_suffix(tmp_path: Path) -> None:
    png = save(tmp_path, Image.fromarray(mask(4, 4)))
    found = pillow.read_mask(png.rename(tmp_path / "m.jpg"), LIMIT)
    assert found.format == "PNG"
    assert not found.warnings


@pytest.mark.parametrize(("name", "options"), [("m.jpg", {}), ("m.webp", {"quality": 80})])
def test_lossy_files_carry_a_warning(tmp_path: Path, name: str, options: dict[str, int]) -> None:
    found = pillow.read_mask(save(tmp_path, Image.fromarray(mask(8, 8)), name, **options), LIMIT)
    assert "lossy" in found.warnings[0]


def test_orientation_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(mask(8, 4))
    path = save(tmp_path, image, "m.webp", exif=exif, lossless=True, exact=True)
    found = pillow.read_mask(path, LIMIT)
    assert np.array_equal(found.pixels, mask(8, 4))
    assert "orientation 6 is not applied" in found.warnings[0]
    found = pillow.read_mask(save(tmp_path, image, "m.tif", exif=exif), LIMIT)
    assert np.array_equal(found.pixels, np.rot90(mask(8, 4), -1))
    assert found.warnings == ("EXIF orientation 6 is applied",)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_opaque_alpha_is_dropped_and_real_alpha_refused(tmp_path: Path, mode: str) -> None:
    plain = Image.fromarray(mask(6, 6)).convert(mode[:-1])
    image = plain.convert(mode)
    found = pillow.read_mask(save(tmp_path, image), LIMIT)
    assert np.array_equal(found.pixels, np.asarray(plain))
    assert found.grey == (mode == "LA")
    image.putpixel((2, 3), (0,) * (len(mode) - 1) + (254,))
    with pytest.raises(UnsupportedMaskError, match="transparent"):
        pillow.read_mask(save(tmp_path, image), LIMIT)


def test_transparent_colour_is_refused_only_where_it_is_used(tmp_path: Path) -> None:
    image = Image.fromarray(mask(6, 6))
    used = tuple(int(v) for v in mask(6, 6)[0, 0])
    pillow.read_mask(save(tmp_path, image, transparency=(1, 2, 3)), LIMIT)
    with pytest.raises(UnsupportedMaskError, match="transparent"):
        pillow.read_mask(save(tmp_path, image, transparency=used), LIMIT)


def test_transparent_palette_entry_is_refused_only_where_it_is_used(tmp_path: Path) -> None:
    image = Image.frombytes("P", (4, 1), bytes([0, 1, 2, 1]))
    image.putpalette(PLTE)
    pillow.read_mask(save(tmp_path, image, transparency=9), LIMIT)
    with pytest.raises(UnsupportedMaskError, match="transparent"):
        pillow.read_mask(save(tmp_path, image, transparency=2), LIMIT)
    with pytest.raises(UnsupportedMaskError, match="transparent"):
        pillow.read_mask(save(tmp_path, image, transparency=bytes([255, 128])), LIMIT)


def rgb16_png() -> bytes:
    """A 2 x 1 RGB PNG of 16 bits a channel, which Pillow opens as mode RGB."""
    return make_png(2, 1, depth=16, colour=2, rows=bytes(1 + 12))


def make_png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG of given header over given scanlines."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    return data


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(rgb16_png())
    with pytest.raises(UnsupportedMaskError, match="16 bits"):
        pillow.read_mask(path, LIMIT)
    grey = Image.fromarray(np.zeros((2, 2), np.uint16))
    with pytest.raises(UnsupportedMaskError, match="16 bits"):
        pillow.read_mask(save(tmp_path, grey), LIMIT)


def test_cmyk_and_frames_are_refused(tmp_path: Path) -> None:
    image = Image.fromarray(mask(8, 8))
    with pytest.raises(UnsupportedMaskError, match="CMYK"):
        pillow.read_mask(save(tmp_path, image.convert("CMYK"), "m.jpg"), LIMIT)
    other = Image.fromarray(mask(8, 8, seed=1))
    for name in ("m.gif", "m.tif", "m.png"):
        path = save(tmp_path, image, name, save_all=True, append_images=[other])
        with pytest.raises(UnsupportedMaskError, match="holds 2 frames"):
            pillow.read_mask(path, LIMIT)


def test_size_is_refused_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(make_png(100_000, 100_000, 8, 2, b"\0" * 100))
    with (
        size_limit_is_ours(),
        pytest.raises(MaskSizeError, match="--max-pixels 10000000000"),
    ):
        pillow.read_mask(path, LIMIT)
    with pytest.raises(MaskSizeError):  # Pillow's own limit, outside a run
        pillow.read_mask(path, 1 << 40)


@pytest.mark.parametrize("content", [b"", b"hello, this is text", b"\x89PNG\r\n\x1a\n"])
def test_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(content)
    with pytest.raises(BrokenMaskError):
        pillow.read_mask(path, LIMIT)


def test_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMaskError, match="No such file"):
        pillow.read_mask(tmp_path / "none.png", LIMIT)


def test_sixteen_bits_in_planes_are_refused(tmp_path: Path) -> None:
    """Pillow names the raw mode of such a TIFF `R` and takes each half value for a pixel."""
    planes = [np.full((4, 4), value, "<u2").tobytes() for value in (0x8080, 0, 0)]
    starts = [8 + 32 * i for i in range(3)]
    arrays = 8 + 96  # behind the planes: bits, starts, lengths
    tags = [
        (256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 3, arrays), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 3, arrays + 8), (277, 3, 1, 3), (278, 4, 1, 4), (279, 4, 3, arrays + 20),
        (284, 3, 1, 2),
    ]  # fmt: skip
    data = b"II*\0" + struct.pack("<I", arrays + 32) + b"".join(planes)
    data += struct.pack("<4H3I3I", 16, 16, 16, 0, *starts, 32, 32, 32)
    data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    path = tmp_path / "a.tif"
    path.write_bytes(data + bytes(4))
    with Image.open(path) as image:
        assert image.tile[0][3][0] == "R"
    with pytest.raises(UnsupportedMaskError, match="16 bits"):
        pillow.read_mask(path, 1 << 20)
