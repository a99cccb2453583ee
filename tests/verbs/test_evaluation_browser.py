"""The page of an evaluation in a real browser: nothing runs, phones, dark, large pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpuseg.verbs.evaluation_outputs import save_page
from tests.evaluations import evaluated, save_pair, six
from tests.making import indices
from tests.verbs.browsing import check_phone, check_schemes, resize, wait
from tests.verbs.pages import HOSTILE, NAMES

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of pairs whose every name is somebody's attempt, and of all that can go wrong."""
    root = six(tmp_path_factory.mktemp("browser"))
    for i, name in enumerate(NAMES):
        truth = indices(40, 60, i)
        wrong = truth.copy()
        wrong[:15] = (truth[:15] + 1) % 6
        save_pair(root, name, truth, wrong, HOSTILE)
    return save_page(evaluated(root, HOSTILE), root / "page.html")


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    """The page, opened anew at the size of a desktop."""
    resize(browser, 1280, 900)
    browser.get(page.as_uri())
    return browser


def test_nothing_runs_and_nothing_is_loaded(opened: Any) -> None:
    assert opened.title == "pred · gpuseg evaluation"
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert opened.execute_script("return document.scripts.length") == 0
    script = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert wait(lambda: opened.execute_script(script))
    assert opened.execute_script("return document.images.length") > 20


def test_both_style_sheets_apply(opened: Any) -> None:
    for selector, name, value in (
        (".tiles", "display", "grid"),
        (".line", "fontSize", "14px"),
    ):
        script = f"return getComputedStyle(document.querySelector('{selector}')).{name}"
        assert opened.execute_script(script) == value


def test_a_phone_needs_no_scrolling_sideways(opened: Any) -> None:
    check_phone(opened)


def test_dark_mode_is_dark_and_can_be_read(opened: Any) -> None:
    check_schemes(opened)


def test_a_pair_opens_large(opened: Any) -> None:
    opened.execute_script("document.querySelector('[popovertarget=view-1]').click()")
    shown = "return document.getElementById('view-1').matches(':popover-open')"
    assert wait(lambda: opened.execute_script(shown))
    large = "return document.querySelector('#view-1 img').getBoundingClientRect().width"
    assert opened.execute_script(large) > 300
