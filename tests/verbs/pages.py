"""Folders that pages are made of: a run with all that a page can show, and hostile names."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.convert import convert_directory
from gpuseg.palette import Palette
from tests.making import COLOURS, PALETTE, indices, mask, save_mask

HOSTILE = Palette.from_colours(
    COLOURS,
    [
        '"><script>document.title="pwned"</script>',
        "</style><style>body{display:none}",
        "{{7*7}}{% raw %}",
        "ro\u202ead\ud800",
        "' onmouseover='alert(1)",
        "x" * 3000,
    ],
    name="<img src=x onerror=alert(1)>",
)

NAMES = [
    '"><img src=x onerror=alert(1)>.png',
    "'><script>document.title='pwned'<&script>.png",
    "{{7*7}}.png",
    "<&style><&title><b>.png",
    "gnp.\u202eexe.png",
    "line\nbreak.png",
    "عربى.png",
    "y" * 240 + ".png",
]

ROWS = [
    b"nonsense",
    b"[1]",
    b"[" * 100_000,
    b'{"type": "file", "source": 3, "status": "converted"}',
    b'{"type": "log", "message": "<script>alert(1)</script>"}',
    json.dumps(
        {
            "type": "file",
            "source": "../secret.png",
            "target": "../secret.png",
            "status": "failed",
            "error": "<b>kind</b>",
            "message": "<script>document.title='pwned'</script>",
            "warnings": ["<u>odd</u>", 3],
            "unknown_pixels": 99,
            "unknown_colours": [
                {"hex": "#fafbfc", "pixels": 99, "x": 0, "y": 0},
                {"hex": "red;}body{display:none", "pixels": "many"},
            ],
            "seconds": {"</svg><script>alert(1)</script>": 1, "x": "y", "z": 1e300},
        }
    ).encode(),
]


def run(root: Path, **options: object) -> Path:
    """A small run: three masks, one with an unknown colour; returns DST."""
    for i in range(3):
        save_mask(root / "src" / f"m{i}.png", 30, 40, seed=i)
    pixels = mask(30, 40, seed=9)
    pixels[10:12, 20] = (1, 2, 3)
    Image.fromarray(pixels).save(root / "src/odd.png")
    settings = {"device": "cpu", "workers": 1, **options}
    convert_directory(root / "src", root / "dst", PALETTE, **settings)
    return root / "dst"


def hostile_run(root: Path, palette: Palette = HOSTILE) -> Path:
    """Label maps, with their report, whose every name is somebody's attempt; returns DST."""
    src, dst = root / "src", root / "dst"
    src.mkdir(parents=True)
    names = list(NAMES)
    if os.name == "posix":
        names.append(os.fsdecode(b"bad\xff.png"))
    for i, name in enumerate(names):
        pixels = palette.colours[indices(40, 60, seed=i)]
        if i % 2:
            pixels[20, 30] = (250, 251, 252)
        try:
            Image.fromarray(pixels).save(src / name, "PNG")
        except OSError:  # a file system that has no such names
            continue
    Image.fromarray(np.full((9, 9, 3), (250, 251, 252), np.uint8)).save(root / "secret.png")
    (src / "<b>broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    convert_directory(src, dst, palette, unknown="ignore", device="cpu", workers=1)
    report = dst / "gpuseg-report.jsonl"
    lines = report.read_bytes().splitlines()
    report.write_bytes(b"\n".join([*lines[:-1], *ROWS, lines[-1]]) + b"\n")
    return dst


class Outline(HTMLParser):
    """What a page is built of: `tags` as (name, attributes), `text`, and open tags left over."""

    VOID = frozenset({"meta", "img", "input", "rect", "br", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text, self.open = "", [""]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("td", "th", "li", "dd"):
            self.text += " "

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each tag of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def outline(path: Path) -> Outline:
    """A page, taken apart."""
    pytest.importorskip("jinja2")
    return Outline(path.read_text("utf-8"))
