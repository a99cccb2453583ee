"""LabelMe's own examples: the label maps are those that it made of them itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg import Palette
from gpuseg.palette import voc_colormap
from gpuseg.results import Report

PIXEL = (290, 104)
"""Row and column in 2011_000006: Pillow up to 11.0 gave it to the polygon of a sofa, from 11.1 on
to none (looked at with 9.3, 11.0, 11.1, 11.2.1, 11.3, and 12.0 to 12.3)."""

IGNORED = {"2011_000003": 9460, "2011_000006": 909, "2011_000025": 0}
"""Pixels of `__ignore__`: instance maps of LabelMe have 0 there, ours the void index as in VOC."""


def palette_of(folder: Path) -> Palette:
    lines = (folder / "labels.txt").read_text().splitlines()
    names = [name for name in lines if name != "__ignore__"]
    return Palette.from_colours([tuple(c) for c in voc_colormap(len(names)).tolist()], names)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def rasterize(folder: Path, dst: Path, **options: Any) -> Report:
    """Of the JSON; the folders are also laid out as those of VOC."""
    palette = palette_of(folder)
    return gpuseg.rasterize(folder, dst, palette, format="labelme", pattern="[02]*.json", **options)


@pytest.mark.parametrize(
    ("name", "maps", "count"),
    [
        ("semantic", "SegmentationClass", 3),
        ("instance", "SegmentationClass", 3),
        ("video", "SegmentationClassPNG", 2),
    ],
)
def test_classes(shared: Path, tmp_path: Path, name: str, maps: str, count: int) -> None:
    folder = shared / "data" / "labelme" / name
    report = rasterize(folder, tmp_path)
    assert (report.files["converted"], report.failed) == (count, 0)
    for made in tmp_path.glob("*.png"):
        differs = np.argwhere(pixels(made) != pixels(folder / maps / made.name)).tolist()
        assert differs == ([list(PIXEL)] if made.stem == "2011_000006" else [])


def test_instances(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "labelme" / "instance"
    rasterize(folder, tmp_path, instances="palette")
    for name, ignored in IGNORED.items():
        found = pixels(tmp_path / f"{name}.png")
        wanted = pixels(folder / "SegmentationObject" / f"{name}.png")
        void = found == 255
        assert (void.sum(), set(wanted[void].tolist())) == (ignored, {0} if ignored else set())
        differs = np.argwhere((found != wanted) & ~void).tolist()
        assert differs == ([list(PIXEL)] if name == "2011_000006" else [])
