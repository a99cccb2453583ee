"""Reading a side of a pair: any image that tells an index, or a refusal that says why not."""

from __future__ import annotations

import gc
import pickle
import weakref
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from gpuseg import Palette
from gpuseg.errors import (
    BrokenMaskError,
    LabelError,
    MaskSizeError,
    UnknownColourError,
    UnsupportedMaskError,
)
from gpuseg.evaluation.reading import Colours, Image, Indices, Reader
from gpuseg.palettes.mapping import load_mapping
from gpuseg.scratch import Scratch
from tests import pngs
from tests.dumps import save_label_map
from tests.evaluation.making import reader
from tests.making import COLOURS, PALETTE, indices, mask

LABELS = indices(9, 13)


def read(by: Reader, path: Path) -> Image:
    return by.read(str(path), Scratch().take)


def check(by: Reader, path: Path, want: Any = LABELS) -> Image:
    found = read(by, path)
    assert found.labels.dtype == (np.uint8 if np.max(want) < 256 else np.uint16)
    assert found.labels.flags.c_contiguous
    assert np.array_equal(found.labels, want)
    return found


@pytest.mark.parametrize("known", [PALETTE, None])
@pytest.mark.parametrize("own", [PALETTE, None])
def test_palette_and_grey_label_maps(tmp_path: Path, own: Palette, known: Palette) -> None:
    """Their own colours say nothing: the position is the index."""
    save_label_map(tmp_path / "a.png", LABELS, own)
    found = check(reader(known), tmp_path / "a.png")
    assert (found.format, found.codec, found.warnings) == ("PNG", "png", ())


@pytest.mark.parametrize("kind", [pngs.GREY, pngs.PALETTE])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_fewer_bits(tmp_path: Path, bits: int, kind: int) -> None:
    labels = np.random.default_rng(bits).integers(0, 1 << bits, (7, 21), np.uint8)
    lines = pngs.filtered(pngs.pack(labels, bits), 1, [y % 5 for y in range(7)])
    plte = [pngs.chunk(b"PLTE", bytes(3 << bits))] if kind == pngs.PALETTE else []
    path = tmp_path / "a.png"
    path.write_bytes(pngs.png(21, 7, bits, kind, lines, *plte))
    check(reader(), path, labels)


@pytest.mark.parametrize("kind", [pngs.GREY, pngs.PALETTE, pngs.RGB])
def test_interlaced(tmp_path: Path, kind: int) -> None:
    plte = [pngs.chunk(b"PLTE", bytes(768))] if kind == pngs.PALETTE else []
    pixels = PALETTE.colours[LABELS] if kind == pngs.RGB else LABELS[..., None]
    height, width = LABELS.shape
    rows = pngs.interlaced(pixels, 8)
    header = pngs.ihdr(width, height, 8, kind, 0, 0, 1)
    data = pngs.chunk(b"IDAT", zlib.compress(rows))
    (tmp_path / "a.png").write_bytes(pngs.assemble(header, *plte, data))
    assert check(reader(), tmp_path / "a.png").codec == "pillow"


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_masks_of_any_format(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"a.{suffix}"
    more = {"lossless": True} if suffix == "webp" else {}
    Pillow.fromarray(mask(9, 13)).convert("RGB" if suffix == "bmp" else mode).save(path, **more)
    found = check(reader(), path)
    assert found.codec == ("png" if suffix == "png" else "pillow")
    with pytest.raises(UnsupportedMaskError, match=r"no palette tells .*--palette"):
        read(reader(None), path)


@pytest.mark.parametrize("suffix", ["bmp", "tif", "gif"])
@pytest.mark.parametrize("mode", ["P", "L"])
def test_label_maps_of_other_formats(tmp_path: Path, suffix: str, mode: str) -> None:
    image = Pillow.fromarray(LABELS)
    if mode == "P":
        image = Pillow.frombytes("P", image.size, LABELS.tobytes())
        image.putpalette(PALETTE.plte())
    image.save(tmp_path / f"a.{suffix}", **({"optimize": False} if suffix == "gif" else {}))
    check(reader(), tmp_path / f"a.{suffix}")


def test_16_bits(tmp_path: Path) -> None:
    deep = LABELS.astype(np.uint16) * 700
    save_label_map(tmp_path / "a.png", deep)
    check(reader(), tmp_path / "a.png", deep)
    Pillow.fromarray(LABELS.astype(np.uint16)).save(tmp_path / "b.png")
    found = read(reader(), tmp_path / "b.png")
    assert (found.labels.dtype, found.labels.tolist()) == (np.uint16, LABELS.tolist())


def test_a_palette_of_more_than_255_classes(tmp_path: Path) -> None:
    many = Palette.from_colours([(i % 256, i // 256, 7) for i in range(700)])
    labels = np.random.default_rng(1).integers(0, 700, (30, 41), np.uint16)
    Pillow.fromarray(many.colours[labels]).save(tmp_path / "a.png")
    check(Reader(Colours(many, 65535), Indices(), 1 << 20), tmp_path / "a.png", labels)


def test_jpeg_is_told(tmp_path: Path) -> None:
    flat = np.full((16, 16), 3, np.uint8)
    Pillow.fromarray(flat).save(tmp_path / "a.jpg", quality=100)
    [told] = check(reader(), tmp_path / "a.jpg", flat).warnings
    assert told.startswith("JPEG is lossy")
    Pillow.fromarray(mask(16, 16)).save(tmp_path / "b.jpg")
    with pytest.raises(UnknownColourError):
        read(reader(), tmp_path / "b.jpg")


def test_what_is_no_side_of_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pillow.fromarray(mask(9, 13)).convert("LA").save(path)
    with pytest.raises(UnsupportedMaskError, match="is of mode LA"):
        read(reader(), path)
    seen = Pillow.fromarray(mask(9, 13)).convert("RGBA")
    seen.putpixel((3, 3), (0, 0, 0, 128))
    seen.save(path)
    with pytest.raises(UnsupportedMaskError, match="transparent"):
        read(reader(), path)
    pixels = mask(9, 13)
    pixels[0, :2] = (1, 2, 3)
    Pillow.fromarray(pixels).save(path)
    with pytest.raises(UnknownColourError) as told:
        read(reader(), path)
    assert (told.value.pixels, told.value.colours[0].hex) == (2, "#010203")
    save_label_map(path, LABELS, PALETTE)
    with pytest.raises(MaskSizeError):
        read(Reader(None, Indices(), 9 * 13 - 1), path)
    whole = path.read_bytes()
    for damaged in (whole[:-20], whole[:60] + bytes([whole[60] ^ 4]) + whole[61:]):
        path.write_bytes(damaged)
        with pytest.raises(BrokenMaskError):
            read(reader(), path)
    frames = [Pillow.fromarray(LABELS + i) for i in range(2)]
    frames[0].save(tmp_path / "b.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedMaskError, match="2 frames"):
        read(reader(), tmp_path / "b.tif")


PLAN = load_mapping({0: 4, 1: "ignore", 2: 2, 3: 700})


@pytest.mark.parametrize("own", [PALETTE, None])
def test_a_map(tmp_path: Path, own: Palette | None) -> None:
    table = np.array([4, 255, 2], np.uint16)
    labels = indices(9, 13, classes=3)
    save_label_map(tmp_path / "a.png", labels, own)
    check(reader(plan=PLAN), tmp_path / "a.png", table[labels])


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("unmapped", "becomes"), [("keep", 9), ("ignore", 255)])
def test_what_a_map_does_not_name(tmp_path: Path, unmapped: str, becomes: int, deep: bool) -> None:
    """In 8 bits as in 16, alone or beside an index that becomes one above 255."""
    for labels, want in (([[0, 9]], [[4, becomes]]), ([[3, 9]], [[700, becomes]])):
        if deep:
            Pillow.fromarray(np.array(labels, np.uint16)).save(tmp_path / "a.png")
        else:
            save_label_map(tmp_path / "a.png", labels)
        check(reader(plan=PLAN, unmapped=unmapped), tmp_path / "a.png", want)
        with pytest.raises(LabelError, match=r"the map does not name: 9 \(1 px\)"):
            read(reader(plan=PLAN), tmp_path / "a.png")


def test_a_map_is_for_label_maps(tmp_path: Path) -> None:
    """Colours mean what the palette says, which is what a map leads to."""
    Pillow.fromarray(mask(9, 13)).save(tmp_path / "a.png")
    check(reader(plan=PLAN), tmp_path / "a.png")


def test_two_images_at_once_by_one_thread(tmp_path: Path) -> None:
    """Each in its own memory, however it was read; another read into it takes its place."""
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    save_label_map(paths[0], LABELS, PALETTE)
    save_label_map(paths[1], 5 - LABELS)
    Pillow.fromarray(LABELS).convert("1").save(paths[2])
    Pillow.fromarray(PALETTE.colours[5 - LABELS]).save(paths[3])
    one, other = Scratch(), Scratch()
    for first in paths:
        for second in paths:
            truth = reader().read(str(first), one.take).labels
            before = truth.copy()
            found = reader().read(str(second), other.take).labels
            assert np.array_equal(truth, before)
            assert not np.may_share_memory(truth, found)


def test_readers_travel(tmp_path: Path) -> None:
    """To worker processes, without their tables."""
    sent = pickle.dumps(reader(plan=PLAN, unmapped="keep"))
    assert len(sent) < 3_000
    again: Reader = pickle.loads(sent)
    save_label_map(tmp_path / "a.png", [[0, 3, 77]])
    check(again, tmp_path / "a.png", [[4, 700, 77]])
    Pillow.fromarray(np.array([COLOURS], np.uint8)).save(tmp_path / "b.png")
    check(again, tmp_path / "b.png", [[0, 1, 2, 3, 4, 5]])


def test_nothing_is_kept_of_a_run_that_is_over(tmp_path: Path) -> None:
    """Each run may have a palette of its own, and a table of 32 MiB with it."""
    save_label_map(tmp_path / "a.png", LABELS, PALETTE)
    colours = Colours(PALETTE, 255)
    read(Reader(colours, Indices(), 1 << 20), tmp_path / "a.png")
    seen = weakref.ref(colours)
    del colours
    gc.collect()
    assert seen() is None
