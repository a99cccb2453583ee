"""LabelMe files for tests: one shape of each type, and what Pillow draws of them."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from gpuseg.discover import Source

WIDTH, HEIGHT = 40, 30

Json = dict[str, Any]


def shape(label: str, points: Any, kind: str | None = "polygon", **more: Any) -> Json:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def mask_shape(label: str, bits: Any, left: float, top: float, mode: str = "L") -> Json:
    """A shape of type mask, as labelme writes it: its corners are pixels of it."""
    bits = np.asarray(bits, bool)
    image = Image.fromarray(bits) if mode == "1" else Image.fromarray(bits.astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    corners = [[left, top], [left + bits.shape[1] - 1, top + bits.shape[0] - 1]]
    return shape(label, corners, "mask", mask=base64.b64encode(buffer.getvalue()).decode())


SHAPES: list[Json] = [
    shape("a", [[1.5, 2], [20, 3.25], [12, 18], [0, 15.5]]),
    shape("b", [[5, 5], [30, 8], [28, 25]], None),
    shape("c", [[25, 20], [10, 10.5]], "rectangle"),
    shape("d", [[30, 15], [34, 18]], "circle"),
    shape("a", [[2, 28], [38, 3]], "line"),
    shape("b", [[2, 2], [20, 27], [38, 20.5]], "linestrip"),
    shape("c", [[36, 5]], "point"),
    shape("d", [[3, 20], [9, 17], [12, 23], [6, 26]], "oriented_rectangle"),
    mask_shape("e", np.indices((6, 9)).sum(0) % 3 == 0, 14, 12),
]


def document(shapes: Any = SHAPES, **more: Any) -> Json:
    whole = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "a.jpg"}
    return {**whole, "imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH, **more}


def save(path: Path, whole: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document() if whole is None else whole), encoding="utf-8")
    return path


def source(whole: Any) -> Source:
    return Source("a.json", "a.json", content=json.dumps(whole).encode())


def draw_alone(found: Json, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Which pixels one shape covers, bool (H, W), as `labelme.utils.shape_to_mask` (6.3.1) does."""
    image = Image.new("L", size)
    draw, points = ImageDraw.Draw(image), [tuple(point) for point in found["points"]]
    kind = found["shape_type"]
    if kind == "circle":
        (x, y), (rim_x, rim_y) = points
        r = math.sqrt((x - rim_x) ** 2 + (y - rim_y) ** 2)
        draw.ellipse([(x - r, y - r), (x + r, y + r)], fill=1, outline=1)
    elif kind == "point":
        ((x, y),) = points
        draw.ellipse([(x - 5, y - 5), (x + 5, y + 5)], fill=1, outline=1)
    elif kind == "rectangle":
        (x0, x1), (y0, y1) = map(sorted, zip(*points, strict=True))
        draw.rectangle([(x0, y0), (x1, y1)], fill=1, outline=1)
    elif kind in ("line", "linestrip"):
        draw.line(points, fill=1, width=10)
    elif kind == "mask":
        with Image.open(io.BytesIO(base64.b64decode(found["mask"]))) as mask:
            bits = np.array(mask) != 0
        x, y = map(int, points[0])
        image.paste(1, (x, y), Image.fromarray(bits))
    else:
        draw.polygon(points, fill=1, outline=1)
    return np.array(image) != 0


def draw_all(shapes: list[Json], values: list[int], ground: int = 0) -> np.ndarray:
    """The value of the last shape of each pixel."""
    made = np.full((HEIGHT, WIDTH), ground)
    for found, value in zip(shapes, values, strict=True):
        made[draw_alone(found)] = value
    return made
