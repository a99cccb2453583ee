"""Folders of LabelMe files, and runs of `rasterize` over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import gpuseg
from gpuseg.results import Report
from tests.annotations.labelme_files import SHAPES, document, draw_all, save
from tests.helpers import REPORT, Lines, read_report
from tests.making import PALETTE, read_indices

CLASSES = {"background": 0, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
TRIANGLE = [[4, 4], [30, 6], [10, 25]]
INNER = [[8, 8], [14, 8], [11, 14]]


class Place:
    """SRC and DST, and runs between them."""

    def __init__(self, root: Path) -> None:
        self.root, self.src, self.dst = root, root / "src", root / "dst"

    def save(self, name: str = "a.json", shapes: Any = None, **more: Any) -> Path:
        return save(self.src / name, document(SHAPES if shapes is None else shapes, **more))

    def run(self, **options: Any) -> Report:
        return gpuseg.rasterize(self.src, self.dst, PALETTE, **{"workers": 2, **options})

    def rows(self) -> Lines:
        return read_report(self.dst / REPORT)

    def labels(self, name: str = "a.png") -> np.ndarray:
        return read_indices(self.dst / name)


def wanted(shapes: Any = SHAPES, ground: int = 0, **other: int) -> np.ndarray:
    classes = {**CLASSES, **other}
    return draw_all(shapes, [classes[found["label"]] for found in shapes], ground)
