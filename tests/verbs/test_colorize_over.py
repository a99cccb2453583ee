"""`colorize --over`: exactly the blend of the specification, or a row that says why not."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.kernels.reference import index_to_rgb
from gpuseg.kernels.reference_painting import blended
from gpuseg.palette import Palette, PaletteClass
from tests.making import PALETTE, indices, save_mask
from tests.verbs.test_colorize import message_of, photos, read, run, save, src

__all__ = ["src"]  # a fixture


def test_photographs_of_one_name_elsewhere_are_others(
    src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(src)
    other = src.parent / "elsewhere"
    shutil.copytree(src.parent / "photos", other / "photos")
    Image.new("RGB", (17, 12), (9, 9, 9)).save(other / "photos" / "a.png")
    shared: dict[str, Any] = {"palette": PALETTE, "over": "photos", "alpha": 0}
    monkeypatch.chdir(src.parent)
    assert run(src, **shared).files["converted"] == 2
    monkeypatch.chdir(other)
    assert run(src, **shared).files["converted"] == 2
    assert (read(src.parent / "dst" / "a.png") == 9).all()


@pytest.mark.parametrize("alpha", [0, 0.25, 0.5, 0.3, 1])
def test_over_photographs(src: Path, alpha: float) -> None:
    pixels = photos(src)
    labels = indices(12, 17)
    labels[3:7] = 255
    save(src / "a.png", labels)
    report = run(src, palette=PALETTE, over=src.parent / "photos", alpha=alpha)
    assert report.exit_code == 0
    found = read(src.parent / "dst" / "a.png")
    want = blended(pixels, index_to_rgb(labels, PALETTE), alpha)
    want[labels == 255] = pixels[labels == 255]
    assert np.array_equal(found, want)
    exact = np.round(alpha * 100) / 100 * PALETTE.colours[labels[0]] + (1 - alpha) * pixels[0]
    assert np.abs(found[0] - exact).max() <= 0.5 + 1e-9


def test_halves_are_rounded_up() -> None:
    pair = np.array([[[1, 2, 254]]], np.uint8), np.array([[[2, 3, 255]]], np.uint8)
    assert blended(*pair, 0.5).tolist() == [[[2, 3, 255]]]


def test_deep_and_own_palettes_over_photographs(src: Path) -> None:
    pixels = photos(src)
    deep = indices(12, 17).astype(np.uint16) * 1000
    Image.fromarray(deep).save(src / "a.png")
    wide = Palette(
        tuple(PaletteClass(1000 * c.index, c.name, c.rgb) for c in PALETTE.classes), name="wide"
    )
    run(src, palette=wide, over=src.parent / "photos")
    want = blended(pixels, PALETTE.colours[indices(12, 17)], 0.5)
    assert np.array_equal(read(src.parent / "dst" / "a.png"), want)
    save(src / "a.png", indices(12, 17))
    run(src, over=src.parent / "photos", ignore_index=2)
    want[indices(12, 17) == 2] = pixels[indices(12, 17) == 2]
    assert np.array_equal(read(src.parent / "dst" / "a.png"), want)


def test_any_format_and_suffix(src: Path) -> None:
    pixels = photos(src, "jpg")
    with Image.open(src.parent / "photos" / "a.jpg") as image:
        pixels = np.array(image)
    (src.parent / "photos" / "a.jpg").rename(src.parent / "photos" / "a.JPEG")
    report = run(src, palette=PALETTE, over=src.parent / "photos")
    assert report.exit_code == 0, report.failures
    want = blended(pixels, PALETTE.colours[indices(12, 17)], 0.5)
    assert np.array_equal(read(src.parent / "dst" / "a.png"), want)


def test_photographs_that_cannot_be_used_are_rows(src: Path) -> None:
    photos(src)
    folder = src.parent / "photos"
    names = ("two", "turned", "large", "none", "cmyk", "clear", "key", "pipe", "folder")
    for name in names:
        save(src / f"{name}.png", indices(12, 17))
    grey = Image.new("L", (17, 12), 9)
    grey.save(folder / "two.png")
    grey.save(folder / "two.bmp")
    exif = Image.Exif()
    exif[274] = 6
    grey.save(folder / "turned.jpg", exif=exif)
    Image.new("L", (18, 12)).save(folder / "large.png")
    Image.new("CMYK", (17, 12)).save(folder / "cmyk.jpg")
    Image.new("RGBA", (17, 12), (1, 2, 3, 4)).save(folder / "clear.png")
    grey.quantize().save(folder / "key.png", transparency=b"\x00" * 256)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.png").mkdir()
    report = run(src, palette=PALETTE, over=folder)
    assert dict(report.files) == {"converted": 2, "failed": len(names)}
    for name, words in {
        "two": "several photographs",
        "turned": "EXIF orientation 6",
        "large": "is 17 x 12 pixels, its photograph",
        "none": "has no photograph",
        "cmyk": "CMYK",
        "clear": "photograph",
        "key": "transparent",
        "pipe": "a pipe",
        "folder": "a folder",
    }.items():
        assert words in message_of(src, f"{name}.png")


def test_what_its_run_ignored_is_no_class(src: Path) -> None:
    pixels = photos(src)
    palette = replace(PALETTE, ignore_index=3)
    save_mask(src.parent / "masks" / "a.png")
    made = src.parent / "made"
    gpuseg.convert_directory(src.parent / "masks", made, palette, device="cpu")
    labels = gpuseg.load_label(made / "a.png")
    assert gpuseg.colorize(made, src.parent / "dst", over=src.parent / "photos").exit_code == 0
    want = blended(pixels, PALETTE.colours[labels], 0.5)
    want[labels == 3] = pixels[labels == 3]
    assert (labels == 3).any()
    assert np.array_equal(read(src.parent / "dst" / "a.png"), want)
