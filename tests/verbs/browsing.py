"""Looking at pages in a browser: sizes, schemes, and whether text can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def resize(browser: Any, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(browser: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait(holds: Callable[[], object], seconds: float = 5) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(holds())


def check_phone(browser: Any) -> None:
    """The page that is open needs no scrolling sideways on small screens."""
    for width in (390, 320):
        resize(browser, width, 800)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def check_schemes(browser: Any) -> None:
    """The page that is open is light or dark as asked for, and all its text can be read."""
    found = {}
    for scheme in ("light", "dark"):
        prefer(browser, scheme)
        found[scheme] = browser.execute_script(CONTRASTS)
    prefer(browser, "light")
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
