"""The home of jinja2: a template of ours and a page's values to one HTML file.

All that is put in is escaped, and made visible before: what looks like something else than it
is (control characters, reversed text, half a surrogate) is shown as an escape.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from gpuseg import __version__
from gpuseg.errors import UsageError
from gpuseg.text import one_line, shortened

if TYPE_CHECKING:
    from jinja2 import Environment

    from gpuseg.codecs.thumbnails import Picture

MAX_SHOWN = 600
"""Longest text that a page shows in one place, in characters."""

INSTALL = "pip install 'gpuseg[report]'"


def render(template: str, *styles: str, **values: Any) -> str:
    """A page. template, styles: files of `gpuseg/pages/templates`; sheets follow each other.

    Besides `values` the template gets `version`, `style`, and `style_hash` for its
    Content-Security-Policy.
    Raises UsageError where jinja2 is missing.
    """
    check_installed()
    environment = _environment()
    from markupsafe import Markup  # comes with jinja2

    folder = resources.files("gpuseg.pages").joinpath("templates")
    sheet = "".join(folder.joinpath(style).read_text("utf-8") for style in styles)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode("ascii")
    return environment.get_template(template).render(
        style=Markup(sheet),  # noqa: S704  # a file of ours
        style_hash=f"sha256-{digest}",
        version=__version__,
        **values,
    )


def check_installed() -> None:
    """Raise UsageError where jinja2 is missing, before anything is done for nothing."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise UsageError(f"a page needs jinja2, which is not installed; {INSTALL}") from error


@cache
def _environment() -> Environment:
    """With all templates that were used so far, compiled."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gpuseg.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["uri"] = _uri
    environment.filters["count"] = _count
    environment.filters["svg"] = _svg
    environment.filters["percent"] = percent
    environment.filters["duration"] = duration
    return environment


def _visible(value: Any) -> Any:
    """What an expression of a template is shown as."""
    if type(value) is not str:  # not Markup, which is ours
        return value
    return shortened(one_line(value), MAX_SHOWN)


def _uri(picture: Picture) -> Any:
    """A picture as the address of an <img>: base64, which needs no escape and is never cut."""
    from markupsafe import Markup

    return Markup(picture.uri)  # noqa: S704


def _svg(plot: str) -> Any:
    """A plot of `plots`, which has escaped what is not its own."""
    from markupsafe import Markup

    return Markup(plot)  # noqa: S704


def _count(value: int) -> str:
    return f"{value:,}"


def percent(share: float) -> str:
    """A share of 0 to 1 as percent, with digits enough to tell it from nothing and from all."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share >= 0.9995:
        return "> 99.9 %"
    if share < 0.0001:
        return "< 0.01 %"
    return f"{100 * share:.2f} %" if share < 0.1 else f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
