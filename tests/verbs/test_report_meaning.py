"""Pages: what indices mean there, by the report of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import gpuseg
from gpuseg.errors import UsageError
from gpuseg.labels import save_label
from tests.making import PALETTE
from tests.rasterizing.places import Place
from tests.verbs.pages import outline, run

pytest.importorskip("jinja2")


def test_the_ignore_index_is_the_one_that_was_written(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore", ignore_index=77)
    for palette in (None, PALETTE):
        assert "2 of the ignore index 77" in outline(gpuseg.report(dst, palette=palette)).text


def test_annotations_are_no_pictures_to_show(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.save()
    place.run()
    page = outline(gpuseg.report(place.dst))
    assert "drawn of annotations: --over" in page.text
    assert "The source" not in page.text
    assert {image["alt"].partition(" of ")[0] for image in page.all("img")} == {"Label map"}


def test_a_report_of_looking_does_not_hide_what_the_run_meant(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore", ignore_index=77)
    gpuseg.stats(dst, report=dst / "gpuseg-report-0.jsonl")  # the first by name
    page = outline(gpuseg.report(dst))
    assert "2 of the ignore index 77" in page.text
    assert "index 3" not in page.text
    assert "background" in page.text


@pytest.mark.parametrize("wrong", [-1, 65536, "77", None, True])
def test_an_ignore_index_that_is_none_is_the_usual_one(tmp_path: Path, wrong: object) -> None:
    save_label(tmp_path / "a.png", np.array([[0, 1, 255]], np.uint8), PALETTE)
    head = {"type": "run", "ignore_index": wrong, "class_table": []}
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head))
    assert "1 of the ignore index 255" in outline(gpuseg.report(tmp_path)).text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_no_report(tmp_path: Path) -> None:
    """And nobody waits for one who writes to it."""
    save_label(tmp_path / "a.png", np.zeros((2, 2), np.uint8), PALETTE)
    os.mkfifo(tmp_path / "gpuseg-report.jsonl")
    assert gpuseg.stats(tmp_path).palette == ""
    with pytest.raises(UsageError, match="cannot be read: it is no regular file"):
        gpuseg.report(tmp_path)
