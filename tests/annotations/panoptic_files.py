"""Small COCO panoptic files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.coco_panoptic import CocoPanoptic
from gpuseg.discover import Source
from gpuseg.palette import Palette
from gpuseg.shapes import Picture
from gpuseg.verbs.rasterize import rasterize
from tests.helpers import REPORT, read_report

CATEGORIES = [
    {"id": 1, "name": "person", "isthing": 1},
    {"id": 7, "name": "sky", "isthing": 0},
]


def rgb(ids: Any) -> Any:
    """Ids as colours: uint8 (H, W, 3)."""
    wide = np.asarray(ids, np.uint32)
    return np.stack([wide & 255, wide >> 8 & 255, wide >> 16], axis=-1).astype(np.uint8)


def segment(id: Any, category: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": id, "category_id": category, "iscrowd": 0, **more}


def value(
    segments: list[Any], size: tuple[int, int] = (4, 2), name: str = "a.jpg"
) -> dict[str, Any]:
    """The JSON of one image. size: width and height."""
    return {
        "images": [{"id": 5, "file_name": name, "width": size[0], "height": size[1]}],
        "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": segments}],
        "categories": [dict(each) for each in CATEGORIES],
    }


def write(folder: Path, content: Any, ids: Any = None) -> Path:
    """A file `panoptic.json`, and the id map `panoptic/a.png` where there are ids."""
    path = folder / "panoptic.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    if ids is not None:
        (folder / "panoptic").mkdir(exist_ok=True)
        Image.fromarray(rgb(ids)).save(folder / "panoptic" / "a.png")
    return path


FORMAT = CocoPanoptic()
PALETTE = Palette.from_colours(
    [(9, 9, 9), (1, 2, 3), (4, 5, 6)], ["background", "person", "sky"], name="three"
)
IDS = [[0, 300, 300, 70000], [300, 2, 2, 0]]


def pictures(path: Path, **choices: Any) -> list[Picture]:
    """Each image of a file."""
    settings = ReadingChoices(**choices)
    return [
        FORMAT.read(Source(r.path or "", r.name, content=r.content), settings)
        for r in FORMAT.album(str(path), settings)
    ]


def errors(path: Path) -> list[str]:
    return [str(record.error) for record in FORMAT.album(str(path), ReadingChoices())]


def rows(path: Path, dst: Path, **options: Any) -> dict[str, dict[str, Any]]:
    rasterize(path, dst, PALETTE, workers=1, **options)
    return read_report(dst / REPORT).files


def made(dst: Path, name: str = "a.png") -> np.ndarray:
    with Image.open(dst / name) as image:
        return np.array(image)
