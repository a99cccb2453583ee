"""What a file of annotations draws, by pycocotools alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as pycocotools

from tests import pycocotools_judge

NONE = -1
"""Where no annotation is."""


def pixels(annotation: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """Those of one annotation, bool (H, W), as `COCO.annToMask` has them."""
    told = annotation["segmentation"]
    if isinstance(told, list):
        told = pycocotools.merge(pycocotools.frPyObjects(told, height, width))
    return pycocotools_judge.decoded(told)


def ends(some: NDArray[np.bool_]) -> tuple[int, int]:
    """The first that is, and one behind the last."""
    found = np.flatnonzero(some)
    return int(found[0]), int(found[-1]) + 1


def drawn(path: Path) -> dict[str, NDArray[np.int64]]:
    """The categories of the pixels of each image; checks areas, boxes and numbers on the way."""
    told = json.loads(path.read_bytes())
    assert [image["id"] for image in told["images"]] == list(range(1, len(told["images"]) + 1))
    every = told["annotations"]
    assert [one["id"] for one in every] == list(range(1, len(every) + 1))
    known = {category["id"] for category in told["categories"]}
    maps = {}
    for image in told["images"]:
        labels = np.full((image["height"], image["width"]), NONE, np.int64)
        for one in (one for one in every if one["image_id"] == image["id"]):
            mask = pixels(one, *labels.shape)
            (left, right), (top, bottom) = (ends(mask.any(axis)) for axis in (0, 1))
            assert one["area"] == np.count_nonzero(mask)
            assert one["bbox"] == [left, top, right - left, bottom - top]
            assert one["iscrowd"] == 0
            assert one["category_id"] in known
            part = labels[top:bottom, left:right], mask[top:bottom, left:right]
            assert (part[0][part[1]] == NONE).all()  # no pixel is of two
            part[0][part[1]] = one["category_id"]
        maps[image["file_name"]] = labels
    return maps
