"""The table of docs/annotations.md: what differs from the rasters that came with annotations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import gpuseg

TEXT = (Path(__file__).parents[2] / "docs" / "annotations.md").read_text("utf-8")


def told(start: str) -> list[int]:
    """Images, pixels and different pixels of the row that begins so."""
    [row] = [line for line in TEXT.splitlines() if line.startswith(f"| {start}")]
    cells = row.split("|")[2:5]
    return [int(re.sub(r"\D", "", cell)) for cell in cells]


def counted(made: Path, wanted: Path, **more: Any) -> list[int]:
    """The same of two folders of label maps. more: `void` is an index that has no part in it."""
    counts = np.zeros(3, np.int64)
    for path in sorted(made.glob("*.png")):
        found, true = pixels(path), pixels(wanted / path.name)
        differs = (found != true) & (true != more.get("void", -1))
        counts += (1, true.size, np.count_nonzero(differs))
    return counts.tolist()


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_labelme(shared: Path, tmp_path: Path) -> None:
    counts = np.zeros(3, np.int64)
    for name, maps in (
        ("semantic", "SegmentationClass"),
        ("instance", "SegmentationClass"),
        ("video", "SegmentationClassPNG"),
    ):
        folder, made = shared / "data/labelme" / name, tmp_path / name
        palette = folder / "labels.txt"
        gpuseg.rasterize(folder, made, palette, format="labelme", pattern="[02]*.json")
        counts += counted(made, folder / maps)
    assert counts.tolist() == told("LabelMe's examples, classes")

    folder = shared / "data/labelme/instance"
    options: dict[str, Any] = {"format": "labelme", "pattern": "2*.json", "instances": "palette"}
    gpuseg.rasterize(folder, tmp_path / "objects", folder / "labels.txt", **options)
    found = counted(tmp_path / "objects", folder / "SegmentationObject")
    assert found == told("LabelMe's examples, instances")


def test_labelme_by_the_rules_of_coco(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/labelme/instance"
    gpuseg.rasterize(folder / "coco_annotations.json", tmp_path, folder / "labels.txt")
    made = tmp_path / "JPEGImages"
    found = counted(made, folder / "SegmentationClass", void=255)  # which the file leaves out
    assert found == told("the same, against LabelMe's rasters")


def test_the_toolkit_of_bdd100k(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/bdd100k"
    annotations, name = data / "example_annotation.json", "b1c81faa-3df17267-0000001.png"
    gpuseg.rasterize(annotations, tmp_path / "classes", "bdd100k")
    gpuseg.rasterize(annotations, tmp_path / "objects", "bdd100k", instances="16")
    classes, objects = (pixels(tmp_path / kind / name) for kind in ("classes", "objects"))
    rasters = {"its toolkit's semantic map": (classes, pixels(data / "semseg_mask.png"))}
    for row, file in (("its tracks", "segtrack"), ("its instance bitmask", "insseg")):
        bitmask = pixels(data / f"bitmasks__quasi-video__{file}_bitmask.png").astype(np.uint16)
        rasters[row] = (objects, (bitmask[..., 2] << 8) + bitmask[..., 3])
    for row, (found, wanted) in rasters.items():
        differing = int(np.count_nonzero(found != wanted))
        assert [1, wanted.size, differing] == told(f"BDD100K, against {row}")
