"""The annotations of one label map, as lines of JSON without their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions
from gpuseg.travelling import quickly_pickled

MOST_BYTES = 1 << 28
"""Of the annotations of one label map: they are held in memory, and more than noise needs."""

_LEAST = 80
"""Bytes of an annotation at least."""

_INSTANCE = (1 << 16) - 1


@quickly_pickled
@dataclass(frozen=True, slots=True)
class Annotations:
    """The annotations of a label map.

    lines: one a line, without the opening brace and the numbers of annotation and image. count:
    of them. small, small_pixels: that were left out as they have fewer pixels than `min_area`.
    void_pixels: of classes, but void in the instance map. indices: that are annotated.
    """

    lines: bytes
    count: int
    small: int
    small_pixels: int
    void_pixels: int
    indices: tuple[int, ...]

    def row(self) -> Mapping[str, Any]:
        """Its part of the file's row."""
        left_out = {name: getattr(self, name) for name in ("small", "small_pixels", "void_pixels")}
        return {"annotations": self.count, **{name: n for name, n in left_out.items() if n}}


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """An instance map. numbers: uint8 or uint16 (H, W). void: the number of what is none."""

    numbers: NDArray[np.unsignedinteger]
    void: int


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Regions that are one annotation each.

    order: rows of `loops` that are regions, those of one annotation together. starts: where those
    of each begin in it. values, areas: int64 (A,). boxes: int64 (A, 4), left, top, right, bottom.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    values: NDArray[np.int64]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]


def annotate(
    labels: NDArray[np.unsignedinteger],
    instances: Instances | None,
    classes: Classes,
    options: PolygonizeOptions,
) -> Annotations:
    """The annotations of a label map, in the order of their first pixels, row by row.

    labels: uint8 or uint16 (H, W). Raises LabelError for more than 256 MiB of them, and
    MaskSizeError.
    """
    from gpuseg.kernels.outlines import padded, trace  # numba loads with the first file

    void_pixels = 0
    if instances is None:
        image = padded(labels, classes.table)
    else:
        image = padded(labels, classes.table, instances.numbers, instances.void)
        void_pixels = int((classes.table[labels] > 0)[instances.numbers == instances.void].sum())
    found = trace(image, eight=options.connectivity == 8)
    groups = _grouped(found.loops, options.by == "class", instances is not None)
    kept = groups.areas >= options.min_area
    ranks = groups.values if instances is None else groups.values >> 16
    indices = classes.indices[ranks - 1]
    count = int(kept.sum())
    _check(count, count * _LEAST)
    if options.segmentation == "polygon":
        pieces = _polygons(found, groups, kept)
    else:
        pieces = _runs(found, groups, kept, labels.shape)
    lines = _joined(_lines(indices[kept], pieces, groups.areas[kept], groups.boxes[kept]), count)
    small = groups.areas[~kept]
    own = tuple(np.unique(indices[kept]).tolist())
    return Annotations(lines, count, len(small), int(small.sum()), void_pixels, own)


def _joined(lines: Iterator[bytes], count: int) -> bytes:
    """Lines as one text, which is given up as soon as it is too long."""
    text = bytearray()
    for line in lines:
        text += b"\n" if text else b""
        text += line
        _check(count, len(text))
    return bytes(text)


def _check(count: int, size: int) -> None:
    """Raise LabelError for too many bytes of annotations."""
    if size > MOST_BYTES:
        raise LabelError(
            f"makes {count:,} annotations of {size:,} bytes or more, and an image has "
            f"{MOST_BYTES:,} at most; leave small ones out (--min-area), or choose --by class and "
            "--segmentation rle"
        )


def _grouped(loops: NDArray[np.int64], by_class: bool, has_instances: bool) -> _Groups:
    """Which regions are one annotation."""
    from gpuseg.kernels.outlines import AREA, BEFORE, BOTTOM, LEFT, RIGHT, VALUE

    regions = np.flatnonzero(loops[:, BEFORE] < 0)
    values = loops[regions, VALUE]
    first = regions.copy()  # of the regions of an annotation: it stands for the annotation
    whole = np.full(len(regions), by_class)
    if has_instances:
        whole |= values & _INSTANCE > 0
    if whole.any():
        _, places, inverse = np.unique(values[whole], return_index=True, return_inverse=True)
        first[whole] = regions[whole][places][inverse]
    sorting = np.argsort(first, kind="stable")
    order = regions[sorting]
    starts = np.flatnonzero(np.diff(first[sorting], prepend=-1))
    boxes = [np.minimum.reduceat(loops[order, c], starts) for c in (LEFT, LEFT + 1)]
    boxes += [np.maximum.reduceat(loops[order, c], starts) for c in (RIGHT, BOTTOM)]
    areas = np.add.reduceat(loops[order, AREA], starts)
    return _Groups(order, starts, loops[order[starts], VALUE], areas, np.column_stack(boxes))


def _polygons(found: Any, groups: _Groups, kept: NDArray[np.bool_]) -> Iterator[bytes]:
    """The segmentation of each annotation that is kept: a polygon a region."""
    from gpuseg.kernels.outline_rings import points_text, rings

    points, begins = rings(found)
    order, at = groups.order.tolist(), begins.tolist()
    spans = pairwise([*groups.starts.tolist(), len(order)])
    for (start, end), keeps in zip(spans, kept.tolist(), strict=True):
        if keeps:
            parts = (points_text(points[at[k] : at[k + 1]]) for k in order[start:end])
            yield b"[[%b]]" % b"],[".join(parts)


def _runs(
    found: Any, groups: _Groups, kept: NDArray[np.bool_], shape: tuple[int, ...]
) -> Iterator[bytes]:
    """The same as COCO's compressed runs."""
    from gpuseg.kernels.coco_runs import text_of
    from gpuseg.kernels.outline_runs import group_runs
    from gpuseg.kernels.outlines import OWNER

    height, width = shape
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    sizes = np.diff(groups.starts, append=len(groups.order))
    of_loops = np.full(len(found.loops), -1, np.int64)
    of_loops[groups.order] = np.repeat(numbers, sizes)
    count = int(kept.sum())
    lengths, starts = group_runs(found, of_loops[found.loops[:, OWNER]], count, (height, width))
    at = starts.tolist()
    for k in range(count):
        text = text_of(lengths[at[k] : at[k + 1]]).replace(b"\\", b"\\\\")
        yield b'{"size":[%d,%d],"counts":"%b"}' % (height, width, text)


def _lines(
    indices: NDArray[np.int64],
    pieces: Iterator[bytes],
    areas: NDArray[np.int64],
    boxes: NDArray[np.int64],
) -> Iterator[bytes]:
    told = zip(indices.tolist(), pieces, areas.tolist(), boxes.tolist(), strict=True)
    for index, piece, area, (left, top, right, bottom) in told:
        box = left, top, right - left, bottom - top
        yield b'"category_id":%d,"segmentation":%b,"area":%d,"bbox":[%d,%d,%d,%d],"iscrowd":0}' % (
            index, piece, area, *box,
        )  # fmt: skip
