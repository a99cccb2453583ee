"""A page in a real browser: nothing runs, nothing is loaded, keys reach all, phones and dark."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gpuseg
from tests.verbs.pages import hostile_run

pytest.importorskip("jinja2")
webdriver = pytest.importorskip("selenium.webdriver")

ENTER, TAB, ESCAPE = "\ue007", "\ue004", "\ue00c"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    driver, binary = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or binary is None:
        pytest.skip("needs chromium and chromedriver")
    options = Options()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = webdriver.Chrome(options, Service(driver))
    yield chromium
    chromium.quit()


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


def resize(browser: Any, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(browser: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def press(browser: Any, key: str) -> None:
    browser.switch_to.active_element.send_keys(key)


def wait(holds: Callable[[], object], seconds: float = 5) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(holds())


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
    for width in (390, 320):
        resize(opened, width, 800)
        assert opened.execute_script("return document.documentElement.scrollWidth") <= width


def test_dark_mode_is_dark_and_can_be_read(opened: Any) -> None:
    found = {}
    for scheme in ("light", "dark"):
        prefer(opened, scheme)
        found[scheme] = opened.execute_script(CONTRASTS)
    prefer(opened, "light")
    assert found["light"]["paper"] > 0.8
    assert found["dark"]["paper"] < 0.05
    for scheme, each in found.items():
        assert len(each["contrasts"]) > 20
        worst = min(each["contrasts"])
        assert worst[0] >= 4.5, (scheme, worst)  # WCAG 2.2, 1.4.3, AA


CONTRASTS = """
const light = text => {
  const part = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
};
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const contrasts = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest('[popover]')) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
  contrasts.push([(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80)]);
}
return {paper: light(behind(document.body)), contrasts};
"""


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
