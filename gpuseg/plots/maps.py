"""Matrices of parts of a whole as heat maps: the larger a part, the stronger its cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.plots.figure import MOST, Fill, Plot, clean, name_columns, name_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WRITTEN_OUT = 16
"""Classes of a heat map up to which its cells bear numbers."""

_ACCENT = (0.23, 0.51, 0.96)
_WRONG = (0.91, 0.38, 0.08)
_STRONGEST = (
    0.7  # part of it in a cell that is 1: numbers on it can be read on light and dark pages
)
_STRONGEST_WRONG = 0.6  # the same, of the other colour
_UPRIGHT = 2  # digits of a number that has room below its column as it is
_INVISIBLE = 1 / 255  # part of a colour that is none


def heat_map(matrix: NDArray[Any], names: Sequence[str], title: str) -> str:
    """A matrix of parts of a whole as SVG text: the larger, the stronger the colour of a cell.

    matrix: (K, K), 0 to 1; rows from above, columns from the left. names: K, of both.
    Of more than 64 classes the first 64 are drawn, and the title says so. Cells of up to 16
    classes bear their per cent. Raises UsageError where matplotlib is missing.
    """
    cells = np.asarray(matrix, np.float64)
    if len(cells) > MOST:
        title += f" (the first {MOST} of {len(cells):,})"
        cells = cells[:MOST, :MOST]
    if len(cells) > _WRITTEN_OUT:
        title += ": pale for few, strong for all"
    labels = [clean(name) for name in names[:MOST]]

    def draw(axes: Axes, ink: str) -> None:
        for (y, x), value in np.ndenumerate(cells):
            if value > 0:
                _cell(axes, x, y, _ACCENT, _STRONGEST * min(value, 1.0))
        _finish(axes, ink, cells, labels, labels)

    side = 0.8 + _step(len(cells)) * len(cells)
    return Plot(draw, (side, side), title, labels).svg()


def share_map(
    matrix: NDArray[Any], rows: Sequence[str], columns: Sequence[str], title: str
) -> Plot:
    """A confusion matrix of shares: what is right blue, what is wrong orange.

    matrix: (R, C), 0 to 1, C ≥ R; the diagonal is right. rows: R names, of the truth. columns: C.
    A colour grows with the square root of a share, for a class that takes a hundredth of another
    is worth being seen. Cells of up to 16 rows bear their per cent.
    """
    cells = np.asarray(matrix, np.float64)
    down, across = [clean(name) for name in rows], [clean(name) for name in columns]
    if len(cells) <= _WRITTEN_OUT:
        title += ", in %"

    def draw(axes: Axes, ink: str) -> None:
        for (y, x), value in np.ndenumerate(cells):
            fill, most = (_ACCENT, _STRONGEST) if x == y else (_WRONG, _STRONGEST_WRONG)
            if (strength := most * math.sqrt(min(value, 1.0))) >= _INVISIBLE:
                _cell(axes, x, y, fill, strength)
        _finish(axes, ink, cells, down, across)
        for name, label in zip(axes.get_xticklabels(), across, strict=True):
            if label.isdecimal() and len(label) <= _UPRIGHT:
                name.set_rotation(0)
        axes.set_xlabel("predicted", color=ink)
        axes.set_ylabel("truth", color=ink)

    step = _step(len(cells))
    size = 0.8 + step * max(3, len(across)), 0.8 + step * max(3, len(down))
    return Plot(draw, size, title, [*down, *across])


def _cell(axes: Axes, x: int, y: int, fill: Fill, strength: float) -> None:
    from matplotlib.patches import Rectangle

    square = Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=(*fill, strength), linewidth=0)
    axes.add_patch(square)


def _finish(
    axes: Axes, ink: str, cells: NDArray[Any], down: Sequence[str], across: Sequence[str]
) -> None:
    """Numbers where there is room for them, and names on both sides."""
    if len(cells) <= _WRITTEN_OUT:
        for (y, x), value in np.ndenumerate(cells):
            axes.text(x, y, _per_cent(value), ha="center", va="center", color=ink, fontsize=7)
    axes.set_xlim(-0.5, len(across) - 0.5)
    axes.set_ylim(-0.5, len(down) - 0.5)
    name_rows(axes, down)
    name_columns(axes, across)


def _step(classes: int) -> float:
    """Inches a cell."""
    return 0.34 if classes <= _WRITTEN_OUT else 0.19


def _per_cent(value: float) -> str:
    return "" if value <= 0 else "<1" if value < 0.005 else f"{100 * value:.0f}"
