"""Outlines of all regions of a label map, along the edges of pixels.

What regions are, and what their rings cover, is in `reference_outlines`. An outline is followed
with its region on the right, from the left edge of its first pixel; edges that were passed are
marked, so each outline is followed once, in the order of its first pixel. One that surrounds no
pixels of its region, but others, is a hole. No pixel is looked up in a table of components: a hole
belongs to whatever lies to the left of its upper left corner, which was followed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import MaskSizeError
from gpuseg.kernels.jit import U64, inlined, njit, part
from gpuseg.kernels.vectors import STEP, trailing_zeros, unequal_bits
from gpuseg.scratch import Scratch

MOST_PIXELS = 1 << 30
"""Corners, of which a pixel has up to 4, are counted in 32 bits."""

MOST_CORNERS = 1 << 25
"""Of all outlines of an image, with which go up to 2**23 regions: a gigabyte, and more than any but
noise has."""

FIRST, VALUE, OWNER, AREA, LEFT, TOP, RIGHT, BOTTOM, BEFORE, REACH = range(10)
"""Columns of `Outlines.loops`."""

_COLUMNS = 10
_ONE = U64(1)
_EDGES = 64
_FEW = 1 << 10

_values = Scratch()
_marks = Scratch()


@dataclass(frozen=True, slots=True, eq=False)
class Padded:
    """Values of pixels with zeros around them.

    values: uint16 or uint32; pixel (x, y) stands at (y + 1) * (width + 1) + x + 1. They are valid
    until this thread makes others. width, height: in pixels.
    """

    values: NDArray[np.unsignedinteger]
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """The outlines of all regions.

    corners: int32 (N, 2), x and y, of one outline after the other. loops: int64 (L, 10), a row an
    outline: its first corner; the value of its pixels; the outline of the region (itself, but for
    a hole); the pixels of the region (of a hole: those that it takes away, less than 0); its box;
    and of a hole the corner after which it is joined, -1 of others, and the column of the joint.
    """

    corners: NDArray[np.int32]
    loops: NDArray[np.int64]


def padded(
    labels: NDArray[np.unsignedinteger],
    table: NDArray[np.uint16],
    instances: NDArray[np.unsignedinteger] | None = None,
    void: int = -1,
) -> Padded:
    """What a table makes of labels, for `trace`.

    labels: uint8 or uint16 (H, W), C-contiguous. table: uint16, the value of each label, 0 of
    what has no outline. instances: as labels; then values are uint32, `value << 16 | instance`,
    and 0 where the instance is void.
    Raises MaskSizeError for more than 2**30 pixels.
    """
    height, width = labels.shape
    if labels.size > MOST_PIXELS:
        raise MaskSizeError(
            f"has {labels.size:,} pixels, and outlines are made of {MOST_PIXELS:,} at most; "
            "divide it"
        )
    size = (height + 2) * (width + 1) + 1 + _EDGES
    kind: type[np.unsignedinteger] = np.uint16 if instances is None else np.uint32
    values: NDArray[np.unsignedinteger] = _values.take(size * np.dtype(kind).itemsize).view(kind)
    if instances is None:
        _fill(labels, table, values)
    else:
        _fill_pairs(labels, table, instances, void, values)
    return Padded(values, width, height)


def trace(image: Padded, *, eight: bool) -> Outlines:
    """Follow all outlines. eight: whether pixels that touch at a corner are connected.

    Raises MaskSizeError for more than 2**25 corners.
    """
    marks = _marks.take(image.values.size * 4).view(np.int32)
    marks[...] = 0
    data = image.values.view(np.uint8)
    corners, loops = np.empty((_FEW, 2), np.int32), np.empty((_FEW // 4, _COLUMNS), np.int64)
    start, made, count = U64(image.width + 2), U64(0), U64(0)
    while True:
        start, made, count = (
            U64(each)
            for each in _trace(
                (image.values, data, marks), image.width + 1, eight, start, (corners, made), loops,
                count,
            )
        )  # fmt: skip
        if start == image.values.size:
            return Outlines(corners[:made], loops[:count])
        if len(corners) >= MOST_CORNERS:
            raise MaskSizeError(
                f"its regions have more than {MOST_CORNERS:,} corners; is it noise? Make classes "
                "of it first, or divide it"
            )
        corners, loops = _grown(corners), _grown(loops)  # what was followed last is once more


def _grown(array: NDArray[Any]) -> NDArray[Any]:
    larger = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


@njit
def _fill(labels: Any, table: Any, values: Any) -> None:
    height, width = U64(labels.shape[0]), U64(labels.shape[1])
    stride = width + _ONE
    values[: stride + _ONE] = 0
    for y in range(height):
        first = (y + _ONE) * stride + _ONE
        for x in range(width):
            values[first + x] = table[labels[y, x]]
        values[first + width] = 0
    values[(height + _ONE) * stride :] = 0


@njit
def _fill_pairs(labels: Any, table: Any, instances: Any, void: Any, values: Any) -> None:
    height, width = U64(labels.shape[0]), U64(labels.shape[1])
    stride = width + _ONE
    values[: stride + _ONE] = 0
    for y in range(height):
        first = (y + _ONE) * stride + _ONE
        for x in range(width):
            value, instance = U64(table[labels[y, x]]), U64(instances[y, x])
            is_any = value and instance != U64(void)  # -1 is no instance
            values[first + x] = value << U64(16) | instance if is_any else U64(0)
        values[first + width] = 0
    values[(height + _ONE) * stride :] = 0


@njit
def _trace(
    image: Any, stride: Any, eight: Any, start: Any, corners: Any, loops: Any, count: Any
) -> Any:
    """Go on at a pixel; where to go on, corners and loops so far.

    It ends at the end of values, or before an outline that corners or loops have no room for.
    """
    values, data, marks = image
    places, made = corners
    stride, depth = U64(stride), U64(values.itemsize)
    size = U64(values.size)
    block = start * depth
    while block + STEP <= size * depth:
        bits = unequal_bits(data, block, data, block - depth)
        while bits:
            here = (block + trailing_zeros(bits)) // depth
            bits &= bits - _ONE
            if marks[here] or not values[here]:
                continue
            if count == U64(len(loops)):
                return here, made, count
            end = _follow(values, marks, stride, eight, here, places, made)
            if end > U64(len(places)):
                return here, made, count
            _tell(places, loops, made, end, count)
            loops[count, VALUE] = values[here]
            if loops[count, AREA] < 0:
                _place(values, marks, stride, places, loops, count)
            made, count = end, count + _ONE
        block += STEP
    return size, made, count


@inlined
def _follow(
    values: Any, marks: Any, stride: Any, eight: Any, start: Any, places: Any, made: Any
) -> Any:
    """Follow an outline from the upper end of the left edge of a pixel; the end of its corners.

    One more than there is room for where there is too little. Places are those of the pixel to
    the lower right. Each left edge is marked by the corner it comes after, from 1.
    """
    value, room = values[start], U64(len(places))
    at, heading = start, U64(3)  # right, down, left, up
    back = ~stride + _ONE
    while True:
        ahead_left = ahead_right = step = U64(0)
        if heading == U64(3):
            ahead_left, ahead_right = at + back - _ONE, at + back
        elif heading == U64(0):
            ahead_left, ahead_right = at + back, at
        elif heading == _ONE:
            ahead_left, ahead_right = at, at - _ONE
        else:
            ahead_left, ahead_right = at - _ONE, at + back - _ONE
        right = values[ahead_right] == value
        if not right or values[ahead_left] == value:
            turns_left = values[ahead_left] == value and (right or eight)
            heading = heading + (U64(3) if turns_left else _ONE) & U64(3)
            if made == room:
                return room + _ONE
            places[made, 0], places[made, 1] = (at - _ONE) % stride, (at - _ONE) // stride - _ONE
            made += _ONE
        if heading & _ONE:
            step = back if heading == U64(3) else stride
        else:
            step = U64(0) - _ONE if heading else _ONE
        at += step
        if heading == U64(3):
            marks[at] = made
            if at == start:
                return made


@part
def _tell(places: Any, loops: Any, first: Any, end: Any, count: Any) -> None:
    """Area and box of an outline. A region lies to the right, so holes have an area below 0."""
    last = end - _ONE
    left = right = places[last, 0]
    top = bottom = places[last, 1]
    area = np.int64(0)
    for k in range(first, end):
        x, y = places[k, 0], places[k, 1]
        area -= np.int64(y) * np.int64(x - places[last, 0])
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
        last = k
    loops[count, FIRST], loops[count, OWNER], loops[count, AREA] = first, count, area
    loops[count, LEFT], loops[count, TOP] = left, top
    loops[count, RIGHT], loops[count, BOTTOM] = right, bottom
    loops[count, BEFORE] = loops[count, REACH] = -1


@part
def _place(values: Any, marks: Any, stride: Any, places: Any, loops: Any, count: Any) -> None:
    """Find what a hole is joined to: the outline to the left of its upper left corner.

    That is its second corner, for the first is where its first row ends. The way there lies
    between two pixels of the region all along.
    """
    value, corner = np.int64(loops[count, VALUE]), U64(loops[count, FIRST]) + _ONE
    x = U64(places[corner, 0])
    at = (U64(places[corner, 1]) + _ONE) * stride + x + _ONE
    while values[at - _ONE] == value and values[at - stride - _ONE] == value:
        at -= _ONE
        x -= _ONE
    is_here = values[at] == value and values[at - _ONE] != value
    before = np.int64(marks[at if is_here else at - stride]) - 1
    low, high = np.int64(0), np.int64(count)
    while high - low > 1:  # the last of the loops whose first corner is not behind it
        middle = (low + high) // 2
        if loops[middle, FIRST] <= before:
            low = middle
        else:
            high = middle
    owner = loops[low, OWNER]
    loops[owner, AREA] += loops[count, AREA]
    loops[count, OWNER], loops[count, BEFORE], loops[count, REACH] = owner, before, x
