"""A bar a class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.palette import RGB
from gpuseg.plots.figure import MOST, ROW, Plot, clean, fill_of, name_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["linear", "log", "share"]
"""Of an axis. `share`: parts of a whole, 0 to 1, told in per cent."""


def class_bars(
    names: Sequence[str],
    colours: Sequence[RGB | None],
    values: Sequence[float] | NDArray[Any],
    title: str,
    *,
    log: bool = False,
) -> str:
    """`class_plot` as SVG text, of a linear or a logarithmic scale."""
    return class_plot(names, colours, values, title, "log" if log else "linear").svg()


def class_plot(
    names: Sequence[str],
    colours: Sequence[RGB | None],
    values: Sequence[float] | NDArray[Any],
    title: str,
    scale: Scale,
) -> Plot:
    """A bar a class, and its number.

    names, colours, values: of K classes, drawn from above in their order; a colour may be None.
    Of more than 64 classes, those with the largest values are drawn, and the title says so.
    scale: on a logarithmic one a value of 0 has no bar, but its number.
    """
    heights = np.asarray(values, np.float64)
    order = np.sort(np.argsort(-heights, kind="stable")[:MOST])
    if len(order) < len(heights):
        title += f" (the {MOST} largest of {len(heights):,})"
    shown = heights[order]
    fills = [fill_of(colours[k]) for k in order]
    labels = [clean(names[k]) for k in order]

    def draw(axes: Axes, ink: str) -> None:
        places = np.arange(len(shown))
        start = _begin_log(axes, shown) if scale == "log" else 0.0
        widths = np.maximum(shown - start, 0.0)
        axes.barh(
            places, widths, left=start, height=0.72, color=fills, edgecolor=ink, linewidth=0.5
        )
        for place, value in zip(places, shown, strict=True):
            axes.annotate(
                f"{100 * value:.1f} %" if scale == "share" else _exactly(value),
                (max(value, start), place),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=ink,
                fontsize=8,
            )
        name_rows(axes, labels)
        _scale(axes, scale)
        axes.grid(axis="x", color=ink, alpha=0.15, linewidth=0.6)
        axes.set_axisbelow(True)

    return Plot(draw, (5.2, 0.6 + ROW * len(shown)), title, labels, fills)


def _scale(axes: Axes, scale: Scale) -> None:
    """What the numbers along the axis look like."""
    if scale == "share":
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(_per_cent)
        return
    axes.xaxis.set_major_formatter(_compact)
    axes.xaxis.set_minor_formatter("")


def _begin_log(axes: Axes, values: NDArray[np.float64]) -> float:
    """Make the scale logarithmic; where its bars begin."""
    seen = values[values > 0]
    start = 10.0 ** math.floor(math.log10(seen.min())) / 2 if len(seen) else 0.5
    axes.set_xscale("log")
    axes.set_xlim(start, max(float(values.max(initial=0)) * 2, start * 20))
    return start


def _exactly(value: float) -> str:
    """All digits of a count, however large: 123,456,789,012."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"


def _compact(value: float, place: float) -> str:
    """A number of an axis: 20k, 3M. Called by matplotlib."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _per_cent(value: float, place: float) -> str:
    """A share of an axis. Called by matplotlib."""
    return f"{100 * value:.0f} %"
