"""Plots as SVG text for pages and files: the only home of matplotlib.

Backgrounds are transparent, and text and lines have the colour of what is around them
(`currentColor`), so that a plot fits a light page and a dark one. The same data make the same
bytes. Names come from files: they are drawn as they are, neither as mathematics nor as markup.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import textwrap
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import UsageError
from gpuseg.palette import RGB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 64
"""Classes of a plot: more could not be read."""

_WRITTEN_OUT = 16
"""Classes of a heat map up to which its cells bear numbers."""

_LONGEST = 28  # characters of a name
_ROW = 0.26  # inches a class
_LETTER = 0.09  # inches a letter of a title, about
_ACCENT = (0.23, 0.51, 0.96)
_STRONGEST = (
    0.7  # part of it in a cell that is 1: numbers on it can be read on light and dark pages
)
_NO_COLOUR = (0.6, 0.6, 0.6)

_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,
    "text.usetex": False,
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib
    "font.size": 9.0,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
}

Draw = Callable[["Axes", str], None]
"""Draws on axes, given the colour of text and lines."""


def require() -> None:
    """Raise UsageError where matplotlib is missing: better before the work than after it."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "plots need matplotlib, which is not installed; pip install 'gpuseg[plots]'"
        ) from error


def class_bars(
    names: Sequence[str],
    colours: Sequence[RGB | None],
    values: Sequence[float] | NDArray[Any],
    title: str,
    *,
    log: bool = False,
) -> str:
    """A bar a class, as SVG text.

    names, colours, values: of K classes, drawn from above in their order; a colour may be None.
    Of more than 64 classes, those with the largest values are drawn, and the title says so.
    log: a logarithmic scale; a value of 0 has no bar there, but its number.
    Raises UsageError where matplotlib is missing.
    """
    heights = np.asarray(values, np.float64)
    order = np.sort(np.argsort(-heights, kind="stable")[:MOST])
    if len(order) < len(heights):
        title += f" (the {MOST} largest of {len(heights):,})"
    shown = heights[order]
    fills = [_fraction(colours[k]) for k in order]
    labels = [_clean(names[k]) for k in order]

    def draw(axes: Axes, ink: str) -> None:
        places = np.arange(len(shown))
        start = _begin_log(axes, shown) if log else 0.0
        widths = np.maximum(shown - start, 0.0)
        axes.barh(
            places, widths, left=start, height=0.72, color=fills, edgecolor=ink, linewidth=0.5
        )
        for place, value in zip(places, shown, strict=True):
            axes.annotate(
                _exactly(value),
                (max(value, start), place),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=ink,
                fontsize=8,
            )
        _name(axes, labels, down=True)
        axes.xaxis.set_major_formatter(_compact)
        axes.xaxis.set_minor_formatter("")
        axes.grid(axis="x", color=ink, alpha=0.15, linewidth=0.6)
        axes.set_axisbelow(True)

    return _svg(draw, (5.2, 0.6 + _ROW * len(shown)), title, labels, fills)


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
    labels = [_clean(name) for name in names[:MOST]]

    def draw(axes: Axes, ink: str) -> None:
        from matplotlib.patches import Rectangle

        for (y, x), value in np.ndenumerate(cells):
            if value > 0:
                fill = (*_ACCENT, _STRONGEST * min(value, 1.0))
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=fill, linewidth=0))
            if len(cells) <= _WRITTEN_OUT:
                axes.text(x, y, _per_cent(value), ha="center", va="center", color=ink, fontsize=7)
        axes.set_xlim(-0.5, len(cells) - 0.5)
        axes.set_ylim(-0.5, len(cells) - 0.5)
        _name(axes, labels, down=True)
        _name(axes, labels, down=False)

    side = 0.8 + (0.34 if len(cells) <= _WRITTEN_OUT else 0.19) * len(cells)
    return _svg(draw, (side, side), title, labels, [])


def _begin_log(axes: Axes, values: NDArray[np.float64]) -> float:
    """Make the scale logarithmic; where its bars begin."""
    seen = values[values > 0]
    start = 10.0 ** math.floor(math.log10(seen.min())) / 2 if len(seen) else 0.5
    axes.set_xscale("log")
    axes.set_xlim(start, max(float(values.max(initial=0)) * 2, start * 20))
    return start


def _name(axes: Axes, labels: list[str], *, down: bool) -> None:
    """Write names along an axis; those down the side begin above."""
    places = range(len(labels))
    if down:
        axes.set_yticks(places, labels=labels, parse_math=False)
        axes.set_ylim(len(labels) - 0.5, -0.5)
    else:
        axes.set_xticks(places, labels=labels, parse_math=False, rotation=90)


def _svg(
    draw: Draw,
    size: tuple[float, float],
    title: str,
    texts: Sequence[str],
    colours: Sequence[tuple[float, float, float]],
) -> str:
    """What `draw` draws. texts, colours: all that it writes and fills with. size: in inches.

    matplotlib's settings are those of the process: until it is drawn they are ours.
    """
    require()
    from matplotlib import style
    from matplotlib.figure import Figure

    title = _clean(title, 120)
    ink = _unused([*texts, title], colours)
    with (
        warnings.catch_warnings(),
        style.context(["default", _STYLE | {"svg.hashsalt": f"gpuseg {title}"}]),
    ):
        warnings.simplefilter("ignore")  # letters that matplotlib's own font lacks
        figure = Figure(figsize=size)
        axes = figure.add_subplot()
        lines = textwrap.wrap(title, max(40, int(size[0] / _LETTER)))  # no wider than the plot
        axes.set_title("\n".join(lines), color=ink, parse_math=False)
        axes.tick_params(which="both", colors=ink, length=0)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        draw(axes, ink)
        return _text(figure, title, ink)


def _text(figure: Figure, title: str, ink: str) -> str:
    """The figure as an element of a page; it has an identifier only where it refers to it."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(
        file, format="svg", transparent=True, bbox_inches="tight", pad_inches=0.08, metadata=nothing
    )
    whole = file.getvalue().replace(ink, "currentColor")
    start, body = whole.index("<svg") + len("<svg"), whole
    # a page holds several: no rule of one may reach others, nor an identifier come twice
    body = re.sub(r"<style\b.*?</style>", "", body[start:], count=1, flags=re.S)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"<[^<>]*>", _without_styles, body)
    told = f'role="img" aria-label={quoteattr(title)} stroke-linejoin="round"'
    return f"<svg {told}{body}"


def _without_styles(tag: re.Match[str]) -> str:
    """A tag whose style is attributes. What lies between tags is somebody's, and stays."""
    return re.sub(r'style="([^"]*)"', _attributes, tag[0])


def _attributes(style: re.Match[str]) -> str:
    """`fill: none; stroke: red` as attributes: a page may allow no styles but its own."""
    pairs = (rule.split(": ", 1) for rule in style[1].split("; "))
    return " ".join(f'{name}="{value}"' for name, value in pairs)


def _unused(texts: Sequence[str], colours: Sequence[tuple[float, float, float]]) -> str:
    """A colour that stands nowhere in a plot yet: it is replaced in the text of the SVG."""
    taken = {"#" + "".join(f"{round(255 * part):02x}" for part in rgb) for rgb in colours}
    words = "\n".join(texts)
    names = (f"#{number:06x}" for number in itertools.count(0x010203))
    return next(name for name in names if name not in taken and name not in words)


def _fraction(rgb: RGB | None) -> tuple[float, float, float]:
    if rgb is None:
        return _NO_COLOUR
    red, green, blue = (part / 255 for part in rgb)
    return red, green, blue


def _clean(text: str, longest: int = _LONGEST) -> str:
    """One line that XML can hold, and not too long."""
    line = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _per_cent(value: float) -> str:
    return "" if value <= 0 else "<1" if value < 0.005 else f"{100 * value:.0f}"


def _exactly(value: float) -> str:
    """All digits of a count, however large: 123,456,789,012."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"


def _compact(value: float, place: float) -> str:
    """A number of an axis: 20k, 3M. Called by matplotlib."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
