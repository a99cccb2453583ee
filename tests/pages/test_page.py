"""A page of anything: whatever a report holds, there is a page and it is well built."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.frequencies.counts import Tally
from gpuseg.frequencies.statistics import conclude
from gpuseg.pages.classes import Classes
from gpuseg.pages.gallery import Folders
from gpuseg.pages.gathered import gather
from gpuseg.pages.page import Material, make_page
from gpuseg.palettes.of_run import palette_of_head
from gpuseg.results import FileResult, Report
from tests.pages.making import counted
from tests.test_report_reading import JSON, TEXTS
from tests.verbs.pages import Outline

pytest.importorskip("jinja2")

NAMES = (*FileResult.__slots__, "hex", "x", "y", "index", "name", "colour", "exit_code")
HEADS = (
    *("gpuseg", "verb", "src", "started", "palette", "ignore_index", "class_table", "backend"),
    *("options", "left_alone", "files", "stopped", "problem", "remark", "exit_code", "message"),
    *("merged_classes", "merged_table"),
)
KINDS = st.sampled_from(["run", "file", "log", "summary", "other"])
ANY = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4) | JSON
ROW = st.builds(
    lambda kind, row: {**row, "type": kind},
    KINDS,
    st.dictionaries(st.sampled_from(HEADS), ANY, max_size=6)
    | st.fixed_dictionaries(
        {"source": TEXTS, "status": st.sampled_from(["failed", "converted", "extra"])},
        optional={name: ANY for name in NAMES if name not in ("source", "status")},
    ),
)


@given(st.dictionaries(st.sampled_from(HEADS), ANY, max_size=6), st.lists(ROW, max_size=5))
@settings(max_examples=25)
def test_any_report_has_a_page(head: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        lines = [json.dumps(row) for row in ({**head, "type": "run"}, *rows)]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        gathered = gather([path])
        palette = palette_of_head(head)
        tally = Tally(255)
        tally.add(counted("a.png", {0: 3, 7: 1}))
        stats = conclude(Report(), tally, palette)
        folders, classes = Folders(folder, folder), Classes(palette, 255)
        page = make_page(Material("t", gathered, stats, ["a.png"], folders, classes, 1 << 20))
    text = page.decode("utf-8")
    outline = Outline(text)
    assert outline.open == [""]
    assert not outline.all("script")
    assert not outline.all("b")
