"""One plot, as SVG text or as PNG.

Backgrounds of SVGs are transparent, and text and lines have the colour of what is around them
(`currentColor`), so that a plot fits a light page and a dark one; a PNG is dark on white. The same
data make the same SVG. Names come from files: they are drawn as they are, neither as mathematics
nor as markup.
"""

from __future__ import annotations

import io
import itertools
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from gpuseg.errors import UsageError
from gpuseg.palette import RGB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 64
"""Classes of a plot: more could not be read."""

ROW = 0.26
"""Inches a class."""

Fill = tuple[float, float, float]
"""A colour as three values 0 to 1."""

Draw = Callable[["Axes", str], None]
"""Draws on axes, given the colour of text and lines."""

_LONGEST = 28  # characters of a name
_LETTER = 0.09  # inches a letter of a title, about
_NO_COLOUR = (0.6, 0.6, 0.6)
_INK = "#1b1c1f"  # of a PNG
_DOTS = 150  # of a PNG, an inch

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


def require() -> None:
    """Raise UsageError where matplotlib is missing: better before the work than after it."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "plots need matplotlib, which is not installed; pip install 'gpuseg[plots]'"
        ) from error


@dataclass(frozen=True, slots=True)
class Plot:
    """What `draw` draws.

    size: in inches. title: one line of text. texts, colours: all that it writes and fills with.
    """

    draw: Draw
    size: tuple[float, float]
    title: str
    texts: Sequence[str]
    colours: Sequence[Fill] = ()

    def svg(self) -> str:
        """As an element of a page. Raises UsageError where matplotlib is missing."""
        title = clean(self.title, 120)
        ink = _unused([*self.texts, title], self.colours)
        with self._drawn(title, ink) as figure:
            return _text(figure, title, ink)

    def png(self) -> bytes:
        """As the bytes of a file. Raises UsageError where matplotlib is missing."""
        file = io.BytesIO()
        with self._drawn(clean(self.title, 120), _INK) as figure:
            figure.savefig(
                file,
                format="png",
                dpi=_DOTS,
                facecolor="white",
                bbox_inches="tight",
                metadata={"Software": None},
            )
        return file.getvalue()

    @contextmanager
    def _drawn(self, title: str, ink: str) -> Iterator[Figure]:
        """The figure. All settings of matplotlib are the process's: until it is saved, ours."""
        require()
        from matplotlib import style
        from matplotlib.figure import Figure

        with (
            warnings.catch_warnings(),
            style.context(["default", _STYLE | {"svg.hashsalt": f"gpuseg {title}"}]),
        ):
            warnings.simplefilter("ignore")  # letters that matplotlib's own font lacks
            figure = Figure(figsize=self.size)
            axes = figure.add_subplot()
            lines = textwrap.wrap(title, max(40, int(self.size[0] / _LETTER)))  # no wider than it
            axes.set_title("\n".join(lines), color=ink, parse_math=False)
            axes.tick_params(which="both", colors=ink, length=0)
            for spine in axes.spines.values():
                spine.set_edgecolor(ink)
            self.draw(axes, ink)
            yield figure


def name_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Write names down the side, from above."""
    axes.set_yticks(range(len(labels)), labels=labels, parse_math=False)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def name_columns(axes: Axes, labels: Sequence[str]) -> None:
    """Write names below, upwards."""
    axes.set_xticks(range(len(labels)), labels=labels, parse_math=False, rotation=90)


def fill_of(rgb: RGB | None) -> Fill:
    """The colour of a class, grey for none."""
    if rgb is None:
        return _NO_COLOUR
    red, green, blue = (part / 255 for part in rgb)
    return red, green, blue


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line that XML can hold, and not too long."""
    line = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


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


def _unused(texts: Sequence[str], colours: Sequence[Fill]) -> str:
    """A colour that stands nowhere in a plot yet: it is replaced in the text of the SVG."""
    taken = {"#" + "".join(f"{round(255 * part):02x}" for part in rgb) for rgb in colours}
    words = "\n".join(texts)
    names = (f"#{number:06x}" for number in itertools.count(0x010203))
    return next(name for name in names if name not in taken and name not in words)
