"""The direct path over real files: pixel for pixel what Pillow reads."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import direct
from gpuseg.codecs import png
from gpuseg.errors import BrokenMaskError, UnsupportedMaskError
from gpuseg.kernels.lut import build_lookup
from gpuseg.mask import DecodedMask, Scanlines
from gpuseg.options import ConvertOptions, Unknown
from gpuseg.palette import Palette
from tests.codecs import peculiar
from tests.codecs.both import PALETTE, Both, check_same
from tests.pngs import RGB, assemble, chunk, filtered, ihdr, lines, zlib_stream
from tests.real import HERE, real_pngs

LIMIT = 1 << 26


def no_lap(stage: str) -> None:
    """Nobody asks for the time."""


def scanlines(path: Path, content: bytes) -> Scanlines:
    path.write_bytes(content)
    return png.read_scanlines(path, LIMIT)


def check_as_pillow(path: Path) -> bool:
    """Whether the direct path read a file; asserts that it then read what Pillow reads."""
    with Image.open(path) as image:
        image.load()
    try:
        found = direct.decode(png.read_scanlines(path, LIMIT), no_lap)
    except png.NotDirectError:
        plain = image.mode in ("RGB", "RGBA", "P") and "transparency" not in image.info
        assert image.format != "PNG" or not plain, path
        return False
    except UnsupportedMaskError:
        assert image.getchannel("A").getextrema() != (255, 255), path
        return True
    if image.mode == "P":
        assert found.colours.tobytes() == bytes(image.getpalette("RGB")), path
        assert np.array_equal(found.pixels, np.asarray(image)), path
    else:
        assert found.colours is None
        assert np.array_equal(found.pixels, np.asarray(image.convert("RGB"))), path
    return True


def test_masks_beside_the_tests() -> None:
    for name, paths in real_pngs(HERE).items():
        assert paths, name
        assert all(check_as_pillow(path) for path in paths), name


def test_every_set_of_real_masks(shared: Path) -> None:
    """Nearly all masks are read directly; the others are grey, of 16 bits or transparent."""
    sets = {
        name: sum(check_as_pillow(path) for path in paths)
        for name, paths in real_pngs(shared / "data", but=HERE).items()
    }
    assert sum(sets.values()) > 100
    assert min(sets.values()) >= 1


def test_a_png_named_jpg_of_millions_of_pixels(shared: Path) -> None:
    files = (shared / "data/urban_cvat_rle").glob("*_mask.jpg")
    assert check_as_pillow(min(files, key=lambda path: path.stat().st_size))


def test_pngsuite(shared: Path, tmp_path: Path) -> None:
    """Every colour type, depth and interlacing: the same from both codecs, or refused by both."""
    with zipfile.ZipFile(shared / "data/pngsuite/pngsuite.zip") as archive:
        archive.extractall(tmp_path)
    both = Both(tmp_path, Palette.from_colours(PALETTE.colours), unknown="ignore", grey="colours")
    codecs = {}
    for path in sorted(tmp_path.glob("*.png")):
        auto, pillow = both.convert_path(path)
        check_same(auto, pillow)
        codecs[path.stem] = "failed" if auto.failed else auto.row.codec
        assert auto.row.error == pillow.row.error
    assert len(codecs) == 28
    direct_ones = {"basn2c08", "basn3p04", "cs3n3p08", "s09n3p02"}
    assert {name for name, codec in codecs.items() if codec == "png"} == direct_ones
    assert codecs["basi2c08"] == codecs["basi3p08"] == codecs["basn0g08"] == "pillow"
    assert codecs["basn6a08"] == codecs["basn2c16"] == codecs["tbrn2c08"] == "failed"


def test_labels_in_one_pass_and_the_long_way_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown colour in the last pixel throws all away that the one pass has done."""
    long_ways: list[DecodedMask] = []
    usual = direct.decode

    def decode(mask: Scanlines, lap: direct.Lap) -> DecodedMask:
        long_ways.append(usual(mask, lap))
        return long_ways[-1]

    monkeypatch.setattr(direct, "decode", decode)
    options = ConvertOptions(unknown="ignore")
    lookup = build_lookup(PALETTE, options)
    pixels = peculiar.PIXELS.copy()
    for last in (None, (3, 1, 2)):
        if last is not None:
            pixels[-1, -1] = last
        rows = lines(*pixels.reshape(len(pixels), -1).tolist())
        head = ihdr(peculiar.WIDTH, peculiar.HEIGHT, 8, RGB)
        mask = scanlines(tmp_path / "a.png", assemble(head, chunk(b"IDAT", zlib_stream(rows))))
        stages: list[str] = []
        found = direct.index_scanlines(mask, lookup, PALETTE, options, stages.append)
        want = peculiar.LABELS.copy()
        if last is not None:
            want[-1, -1] = 255
        assert np.array_equal(found.labels, want)
        assert found.unknown_pixels == (last is not None)
        assert set(stages) == {"inflate", "index"}
        assert len(long_ways) == (last is not None)


def test_16_bits_take_the_long_way(tmp_path: Path) -> None:
    options = ConvertOptions(depth=16)
    mask = scanlines(tmp_path / "a.png", peculiar.DIRECT["plain"])
    lookup = build_lookup(PALETTE, options)
    found = direct.index_scanlines(mask, lookup, PALETTE, options, no_lap)
    assert found.labels.dtype == np.uint16
    assert np.array_equal(found.labels, peculiar.LABELS)


def test_palette_positions_come_with_the_colours_of_the_file(tmp_path: Path) -> None:
    mask = scanlines(tmp_path / "a.png", peculiar.DIRECT["palette"])
    found = direct.decode(mask, no_lap)
    assert isinstance(found, DecodedMask)
    assert np.array_equal(found.pixels, peculiar.LABELS)
    assert np.array_equal(found.colours, peculiar.COLOURS[:9])
    assert (found.format, found.codec, found.grey) == ("PNG", "png", False)


@pytest.mark.parametrize("name", ["an unknown filter", "an unknown filter in the last row"])
def test_an_unknown_filter_is_told(tmp_path: Path, name: str) -> None:
    mask = scanlines(tmp_path / "a.png", peculiar.FAIL[name])
    with pytest.raises(BrokenMaskError, match="filter that PNG does not know"):
        direct.decode(mask, no_lap)
    options = ConvertOptions()
    with pytest.raises(BrokenMaskError, match="filter that PNG does not know"):
        direct.index_scanlines(mask, build_lookup(PALETTE, options), PALETTE, options, no_lap)


@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_several_blocks_in_memory_that_is_used_again(tmp_path: Path, unknown: Unknown) -> None:
    """A large image before a small one and after it, in one pass and the long way."""
    options = ConvertOptions(unknown=unknown)
    lookup = build_lookup(PALETTE, options)
    rng = np.random.default_rng(0)
    for height, width in ((900, 701), (1, 1), (7, 5), (600, 1200)):
        labels = rng.integers(0, 200, (height, width // 7 + 1), np.uint8).repeat(7, 1)[:, :width]
        pixels = PALETTE.colours[labels]
        if unknown == "ignore":
            labels, pixels[-1, -1] = labels.copy(), (3, 1, 2)
            labels[-1, -1] = 255
        rows = filtered(pixels.reshape(height, -1), 3, rng.integers(0, 5, height).tolist())
        body = chunk(b"IDAT", zlib_stream(rows, 1))
        mask = scanlines(tmp_path / "a.png", assemble(ihdr(width, height, 8, RGB), body))
        assert len(list(mask.inflate())) > 1 or height < 10
        found = direct.index_scanlines(mask, lookup, PALETTE, options, no_lap)
        assert np.array_equal(found.labels, labels)
        png_out = direct.encode(found.labels, PALETTE.plte())
        with Image.open(io.BytesIO(png_out)) as image:
            assert np.array_equal(np.asarray(image), labels)
