"""Annotations that `rasterize` is measured on: LabelMe files repeated, and the same as COCO."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from gpuseg import Palette, voc_colormap

REAL = "labelme"

DRAWN: Mapping[tuple[int, int], int] = {(480, 360): 10, (2048, 1024): 60}
"""Sizes of images that are drawn here, and how many shapes they have: as in streets, the latter."""

OF_LARGE = 5
"""Of large images there is one where there are so many of the others."""

GLOB = "labelme/*/[0-9]*.json"
"""The real ones below --shared: VOC photographs and frames of a video, drawn by hand."""

BACKGROUND = "_background_"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn of an image: its size in pixels, and the index and x, y, x, y … of polygons."""

    width: int
    height: int
    polygons: Sequence[tuple[int, list[float]]]


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """Annotations of images, a LabelMe file each, and all of them in one COCO file.

    drawings: by the stems of images. real: not made by us.
    """

    name: str
    labelme: Path
    coco: Path
    palette: Palette
    drawings: Mapping[str, Drawing]
    real: bool

    @property
    def pixels(self) -> int:
        """Of all images."""
        return sum(each.width * each.height for each in self.drawings.values())

    @property
    def shapes(self) -> int:
        """Of all images."""
        return sum(len(each.polygons) for each in self.drawings.values())

    def index_of(self) -> dict[str, int]:
        """The index of each class."""
        return {entry.name: entry.index for entry in self.palette.classes}


def annotation_sets(args: argparse.Namespace, work: Path) -> Iterator[AnnotationSet]:
    """The set that is drawn here, then the real one, if it is there."""
    for (width, height), shapes in DRAWN.items():
        large = width * height > 1 << 20
        documents = drawn(4 if args.tiny or large else 64, (width, height), shapes)
        count = max(len(documents), args.files // OF_LARGE) if large else args.files
        yield make_set(f"drawn-{width}x{height}", documents, count, work)
    files = sorted(args.shared.glob(GLOB)) if args.shared is not None else []
    if files:
        documents = [json.loads(path.read_bytes()) for path in files]
        yield make_set(REAL, documents, args.files, work)


def drawn(count: int, size: tuple[int, int], number: int) -> list[dict[str, Any]]:
    """LabelMe documents of ragged discs, so many an image of a width and height, of 12 classes."""
    documents = []
    for i in range(count):
        rng = np.random.default_rng(i)
        shapes = []
        for _ in range(number):
            corners = int(rng.integers(12, 60))
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            radii = rng.uniform(0.6, 1, corners) * rng.uniform(10, 110)
            points = rng.uniform(0, 1, 2) * size + radii[:, None] * np.column_stack(
                (np.cos(angles), np.sin(angles))
            )
            shapes.append(
                {
                    "label": f"class {rng.integers(12)}",
                    "points": points.round(4).tolist(),
                    "group_id": None,
                    "shape_type": "polygon",
                    "flags": {},
                }
            )
        documents.append(
            {
                "version": "5.0.1",
                "flags": {},
                "shapes": shapes,
                "imagePath": f"{i}.jpg",
                "imageData": None,
                "imageHeight": size[1],
                "imageWidth": size[0],
            }
        )
    return documents


def make_set(
    name: str, documents: Sequence[Mapping[str, Any]], count: int, work: Path
) -> AnnotationSet:
    """So many files of these documents, by turns."""
    folder = work / name
    (folder / "labelme").mkdir(parents=True)
    names = sorted({shape["label"] for each in documents for shape in each["shapes"]})
    palette = Palette.from_colours(
        voc_colormap(1 + len(names)), names=[BACKGROUND, *names], name=name
    )
    index_of = {entry.name: entry.index for entry in palette.classes}
    texts = [json.dumps(each, indent=2) for each in documents]
    drawings = [_drawing(each, index_of) for each in documents]
    made = {}
    for i, place in enumerate(islice(cycle(range(len(documents))), count)):
        (folder / "labelme" / f"{i:06d}.json").write_text(texts[place], encoding="utf-8")
        made[f"{i:06d}"] = drawings[place]
    coco = folder / "coco" / "annotations" / "instances_all.json"
    write_coco(coco, made, palette)
    return AnnotationSet(name, folder / "labelme", coco, palette, made, name == REAL)


def _drawing(document: Mapping[str, Any], index_of: Mapping[str, int]) -> Drawing:
    polygons = [
        (index_of[shape["label"]], [float(v) for point in shape["points"] for v in point])
        for shape in document["shapes"]
    ]
    return Drawing(document["imageWidth"], document["imageHeight"], polygons)


def write_coco(path: Path, drawings: Mapping[str, Drawing], palette: Palette) -> None:
    """A COCO file of instances; a category's id is its index."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (stem, each) in enumerate(drawings.items(), 1):
        images.append(
            {"id": number, "file_name": f"{stem}.jpg", "width": each.width, "height": each.height}
        )
        for index, flat in each.polygons:
            left, top, right, bottom = (
                min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2]),
            )  # fmt: skip
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": index,
                    "segmentation": [flat],
                    "area": (right - left) * (bottom - top),
                    "bbox": [left, top, right - left, bottom - top],
                    "iscrowd": 0,
                }
            )
    categories = [
        {"id": entry.index, "name": entry.name, "supercategory": ""}
        for entry in palette.classes
        if entry.index
    ]
    path.parent.mkdir(parents=True)
    path.parent.with_name("images").mkdir()  # Datumaro wants one, empty as it is
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content), encoding="utf-8")
