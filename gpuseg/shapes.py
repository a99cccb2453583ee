"""What annotations draw: shapes on an image, as values. They know no files and no pixels.

Coordinates are those of the annotation: x to the right and y down, in pixels, (0, 0) the upper
left corner of the image; what a coordinate between two pixels means is up to who draws it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpuseg.text import shortened

Points = NDArray[np.float64]
"""Vertices, float64 (N, 2): x and y."""

Convention = Literal["pillow", "coco", "cvat", "agg", "opencv"]
"""Whose rules say which pixels a shape covers: `PIL.ImageDraw`, `pycocotools.mask`, CVAT's, which
are those of pycocotools but for ellipses, Agg, by which matplotlib draws, or `cv2.fillPoly`."""

Order = Literal["file", "reverse", "area", "z"]
"""Which shape is drawn over which: the later one in the file, the earlier one, the smaller one,
or that of higher z (of equal z the later one)."""

ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """An area with holes. outline: its vertices, closed by itself. holes: as outline."""

    outline: Points
    holes: tuple[Points, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A rectangle by two corners, turned clockwise about its centre by `rotation` degrees."""

    left: float
    top: float
    right: float
    bottom: float
    rotation: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Ellipse:
    """An ellipse by its centre and half axes, turned clockwise by `rotation` degrees."""

    x: float
    y: float
    rx: float
    ry: float
    rotation: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through points, `width` pixels wide."""

    points: Points
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """A bitmap as runs of 0 and 1 by turns, the first of 0.

    counts: int64 (K,), their lengths, which sum up to width * height. left, top, width, height:
    of the bitmap, in pixels. by_column: whether pixels follow each other down the columns, as
    COCO has it, or along the rows.
    """

    counts: NDArray[np.int64]
    left: int
    top: int
    width: int
    height: int
    by_column: bool

    @classmethod
    def of(cls, mask: NDArray[np.bool_], left: int, top: int) -> Runs | Bitmap:
        """A bitmap, bool (H, W), as runs along its rows, or as it is where that is smaller."""
        flat = mask.ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        if 8 * len(changes) > flat.size:
            return Bitmap(mask, left, top)
        first = [0, 0] if flat[:1].any() else [0]
        ends = np.concatenate((first, changes + 1, [flat.size]))
        return cls(np.diff(ends), left, top, mask.shape[1], mask.shape[0], by_column=False)


@dataclass(frozen=True, slots=True, eq=False)
class Bitmap:
    """A bitmap whose upper left pixel is at (left, top). mask: bool (H, W)."""

    mask: NDArray[np.bool_]
    left: int
    top: int


Part = Polygon | Box | Ellipse | Line | Runs | Bitmap


class Uncounted(Enum):
    """Why a shape is no instance.

    STUFF: road and sky have none, so 0 in instance maps. GROUP: several that were not told apart,
    so void there.
    """

    STUFF = "stuff"
    GROUP = "group"


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What an annotation marks as one thing: the union of its parts.

    label: the name of its class. number: which of the file's it is, for messages, from 1.
    instance: shapes of one label and one instance are one instance; None: one by itself; or why
    it is none. ignored: whether it is a crowd, and its pixels are no class. z: see Order.
    """

    label: str
    parts: tuple[Part, ...]
    number: int
    instance: Hashable | Uncounted | None = None
    ignored: bool = False
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class BadShape:
    """A shape that cannot be drawn. number: as in Shape. label: "" where it has none."""

    number: int
    label: str
    why: str

    def __str__(self) -> str:
        label = f" ({shortened(self.label, 80)!r})" if self.label else ""
        return f"shape {self.number}{label} {self.why}"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The annotations of one image.

    width, height: of the image, in pixels. shapes: in the order of the file. convention: by which
    they are drawn. bad: those that cannot be. left_out: how many there are of each kind that
    marks no area. drawn: where the file itself is a picture, which shape each pixel belongs to:
    unsigned integers (H, W), 0 for none, n for the n-th of `shapes`, which have no parts then.
    """

    width: int
    height: int
    shapes: tuple[Shape, ...]
    convention: Convention
    bad: tuple[BadShape, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)
    drawn: NDArray[np.unsignedinteger] | None = None
