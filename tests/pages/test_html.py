"""The home of jinja2: escapes, numbers, and what is said where it is missing."""

from __future__ import annotations

import sys

import pytest

from gpuseg.errors import UsageError
from gpuseg.pages import html
from gpuseg.pages.html import duration, percent


def test_without_jinja2_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r"pip install 'gpuseg\[report\]'"):
        html.check_installed()


def test_all_that_is_put_in_is_escaped_and_visible() -> None:
    pytest.importorskip("jinja2")
    environment = html._environment()
    template = environment.from_string("<p title='{{ x }}'>{{ x }}</p>")
    found = template.render(x="<b>'\"&{{7*7}}\u202e\udcff\n")
    shown = "&lt;b&gt;&#39;&#34;&amp;{{7*7}}\\u202e\\udcff\\n"
    assert found == f"<p title='{shown}'>{shown}</p>"
    assert len(environment.from_string("{{ x }}").render(x="a" * 10**6)) == html.MAX_SHOWN


def test_a_name_that_the_page_lacks_is_an_error() -> None:
    jinja2 = pytest.importorskip("jinja2")
    with pytest.raises(jinja2.UndefinedError):
        html._environment().from_string("{{ nothing }}").render()


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0 %"),
        (1e-9, "< 0.01 %"),
        (0.0123, "1.23 %"),
        (0.5, "50.0 %"),
        (0.99999, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 ms"),
        (0.00092, "0.92 ms"),
        (0.17, "170 ms"),
        (0.9996, "1.0 s"),
        (59.96, "1 min 00 s"),
        (8.57, "8.6 s"),
        (3725, "1 h 02 min"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
