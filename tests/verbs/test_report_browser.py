"""A page in a real browser: nothing runs, nothing is loaded, keys reach all, phones and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpuseg
from tests.verbs.browsing import check_phone, check_schemes, resize, wait
from tests.verbs.pages import hostile_run

pytest.importorskip("jinja2")

ENTER, TAB, ESCAPE = "\ue007", "\ue004", "\ue00c"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run whose every name is somebody's attempt."""
    root = tmp_path_factory.mktemp("browser")
    return gpuseg.report(hostile_run(root), root / "page.html", workers=1)


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    """The page, opened anew at the size of a desktop."""
    resize(browser, 1280, 900)
    browser.get(page.as_uri())
    return browser


def press(browser: Any, key: str) -> None:
    browser.switch_to.active_element.send_keys(key)


def test_nothing_runs_and_nothing_is_loaded(opened: Any) -> None:
    assert opened.title == "dst · gpuseg report"
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert opened.execute_script("return document.scripts.length") == 0
    script = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert wait(lambda: opened.execute_script(script))
    assert opened.execute_script("return document.images.length") > 20


def test_the_policy_would_stop_what_got_in(opened: Any, page: Path, tmp_path: Path) -> None:
    """And the log would tell: so an empty one says something."""
    bad = "<script>document.title = 'pwned'</script><img alt='' src='none.png'><i style='top:0'>"
    planted = tmp_path / "planted.html"
    planted.write_text(page.read_text("utf-8").replace("</main>", bad + "</main>"), "utf-8")
    opened.get(planted.as_uri())
    assert opened.title == "dst · gpuseg report"
    told = " ".join(entry["message"] for entry in opened.get_log("browser"))
    for words in ("inline script", "the image", "inline style"):
        assert words in told.lower(), (words, told)


def test_the_style_applies(opened: Any) -> None:
    script = "return getComputedStyle(document.querySelector('.tiles')).display"
    assert opened.execute_script(script) == "grid"


def test_a_phone_needs_no_scrolling_sideways(opened: Any) -> None:
    check_phone(opened)


def test_dark_mode_is_dark_and_can_be_read(opened: Any) -> None:
    check_schemes(opened)


def test_keys_reach_the_gallery_and_open_a_file(opened: Any) -> None:
    reached = "return document.activeElement.getAttribute('popovertarget')"
    for _ in range(60):
        press(opened, TAB)
        if opened.execute_script(reached) == "view-1":
            break
    assert opened.execute_script(reached) == "view-1"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert opened.execute_script(outline) == "solid"
    shown = "return document.getElementById('view-1').matches(':popover-open')"
    assert not opened.execute_script(shown)
    press(opened, ENTER)
    assert wait(lambda: opened.execute_script(shown))
    large = "return document.querySelector('#view-1 img').getBoundingClientRect().width"
    assert opened.execute_script(large) > 300
    assert opened.execute_script("return document.activeElement.textContent") == "Close"
    press(opened, ESCAPE)
    assert wait(lambda: not opened.execute_script(shown))
    assert opened.execute_script(reached) == "view-1"


def test_the_first_key_offers_to_skip(opened: Any) -> None:
    press(opened, TAB)
    where = "return document.activeElement.getBoundingClientRect().top"
    assert opened.execute_script("return document.activeElement.className") == "skip"
    assert wait(lambda: opened.execute_script(where) >= 0)
    press(opened, ENTER)
    assert wait(lambda: opened.execute_script("return document.activeElement.id") == "content")


def test_bars_have_two_scales(opened: Any) -> None:
    seen = "return getComputedStyle(document.querySelector('.bar .%s')).display !== 'none'"
    shown = lambda: [opened.execute_script(seen % kind) for kind in ("linear", "log")]  # noqa: E731
    assert shown() == [True, False]
    opened.execute_script("document.getElementById('scale-log').click()")
    assert shown() == [False, True]
