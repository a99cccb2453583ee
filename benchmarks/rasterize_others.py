"""What `rasterize` is compared with: LabelMe's export, Datumaro's conversion, and its floor."""

from __future__ import annotations

import importlib.metadata
import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.rasterize_sets import AnnotationSet, Drawing
from gpuseg import direct, voc_colormap

Work = Callable[[AnnotationSet, Path], None]
"""Makes all label maps of a set in a folder."""

PACKAGES = {"labelme": "6.3.1", "datumaro": "1.13.12"}
"""Packages, and their versions whose code the comparison was written by."""


def version_of(package: str) -> str:
    """The version that is installed, "" for none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def floor(source: AnnotationSet, folder: Path) -> None:
    """Pillow draws shapes that are in memory, the direct path encodes, a file is written."""
    plte = source.palette.plte(255)
    for stem, drawing in source.drawings.items():
        data = direct.encode(np.asarray(_drawn(drawing)), plte)
        temp = folder / f".{stem}.tmp"
        with open(temp, "xb") as file:
            file.write(data)
        os.replace(temp, folder / f"{stem}.png")


def floor_with_json(source: AnnotationSet, folder: Path) -> None:
    """The same, and each file is read and parsed by Python's json; its shapes are not."""
    for stem in source.drawings:
        with open(source.labelme / f"{stem}.json", "rb") as file:
            json.loads(file.read())
    floor(source, folder)


def _drawn(drawing: Drawing) -> Image.Image:
    image = Image.new("L", (drawing.width, drawing.height), 0)
    draw = ImageDraw.Draw(image)
    for index, flat in drawing.polygons:
        draw.polygon(flat, fill=index)
    return image


def labelme_export(source: AnnotationSet, folder: Path) -> None:
    """By LabelMe's functions: a file parsed, its shapes drawn, the class map saved."""
    import imgviz.io
    import labelme.utils

    indices = source.index_of()
    for stem in source.drawings:
        with open(source.labelme / f"{stem}.json", encoding="utf-8") as file:
            data = json.load(file)
        labels, _ = labelme.utils.shapes_to_label(
            (data["imageHeight"], data["imageWidth"]), data["shapes"], indices
        )
        imgviz.io.lblsave(str(folder / f"{stem}.png"), labels.astype(np.uint8))


def datumaro_conversion(source: AnnotationSet, folder: Path) -> None:
    """By Datumaro's Python API: COCO read, polygons made masks, VOC's masks written."""
    import datumaro

    with _quiet():
        dataset = datumaro.Dataset.import_from(str(source.coco.parents[1]), "coco_instances")
        dataset.transform("polygons_to_masks")
        dataset.export(str(folder), "voc_segmentation", save_media=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Datumaro's bars of progress, and what NumPy says of its arrays."""
    before = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        del os.environ["TQDM_DISABLE"]
        if before is not None:
            os.environ["TQDM_DISABLE"] = before


def label_maps(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Label maps below a folder by their stems; Datumaro's are RGB in the colours of VOC."""
    below = folder / "SegmentationClass"
    for path in sorted((below if below.is_dir() else folder).glob("*.png")):
        with Image.open(path) as image:
            pixels: NDArray[Any] = np.asarray(image)
        yield path.stem, _indices(pixels) if pixels.ndim == 3 else pixels


def _indices(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    weights = np.array([1 << 16, 1 << 8, 1])
    keys = voc_colormap(256) @ weights
    order = np.argsort(keys)
    found: NDArray[np.uint8] = order[np.searchsorted(keys[order], pixels @ weights)].astype(
        np.uint8
    )
    return found
