"""COCO files, made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.coco import Coco
from gpuseg.discover import Source
from gpuseg.shapes import Picture

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}]
SQUARE = [2, 3, 12, 3, 12, 9, 2, 9]


def image(number: int = 1, **others: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "width": 20, "height": 15, **others}


def annotation(segmentation: object, image_id: object = 1, **others: Any) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": 1, "segmentation": segmentation, **others}


def written(folder: Path, **value: Any) -> str:
    """A file of these lists; of one image and two categories unless told."""
    path = folder / "instances.json"
    value = {"images": [image()], "categories": CATEGORIES, "annotations": [], **value}
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def pictures(path: str, **choices: Any) -> Iterator[tuple[str, Picture]]:
    """The name of each image of a file and its annotations."""
    settings = ReadingChoices(**choices)
    for record in Coco().album(path, settings):
        if record.error is not None:
            raise record.error
        source = Source(path, record.name, content=record.content)
        yield record.name, Coco().read(source, settings)
