"""How a run went, in words and numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.kinds import Kind
from gpuseg.pages.gathered import Gathered, gather
from gpuseg.pages.summary import MAX_ROWS, RunRow, groups, summary
from gpuseg.results import FileResult, UnknownColour
from tests.pages.making import END, failed, unknown, write_report


def of(tmp_path: Path, *rows: object, **head: object) -> Gathered:
    return gather([write_report(tmp_path / "r.jsonl", *rows, **head)])


def done(name: str, **fields: object) -> FileResult:
    size = {"width": 1000, "height": 4000}
    return FileResult(source=name, status="converted", **size, **fields)


def test_tiles_show_what_there_is(tmp_path: Path) -> None:
    rows = [done("a"), done("b"), failed("c"), unknown("d", UnknownColour((1, 2, 3), 7, 0, 0))]
    found = summary(of(tmp_path, *rows), "t")
    tiles = {tile.title: (tile.value, tile.state) for tile in found.tiles}
    assert tiles == {
        "converted": ("3", ""),
        "failed": ("1", "bad"),
        "unknown colours": ("7", "bad"),
        "pixels": ("8 M", ""),
        "time": ("2.0 s", ""),
        "rate": ("2", ""),
    }


def test_heads_are_told_and_their_types_do_not_matter(tmp_path: Path) -> None:
    options = {"depth": 8, "verify": False, "tolerance": None, "x": [1], "y": {"z": 1}}
    found = summary(of(tmp_path, options=options, backend="cpu", reason="asked for"), "t")
    facts = dict(found.facts)
    assert facts["Options"] == ("depth: 8", "verify: no")
    assert facts["Device"] == ("cpu · asked for",)
    assert facts["Exit code"] == ("0 (all well)",)
    assert (found.verb, found.version) == ("convert", "9.9")
    strange = summary(of(tmp_path, options=[1], verb=3, backend={}, palette=None), "t")
    assert strange.verb == ""
    assert "Options" not in dict(strange.facts)


def test_times_are_read_by_people(tmp_path: Path) -> None:
    assert summary(of(tmp_path, started="2026-11-26T01:12:09+00:00"), "t").started == (
        "2026-11-26 01:12 UTC"
    )
    assert summary(of(tmp_path, started="yesterday"), "t").started == "yesterday"


def test_stages_fill_the_bar_in_the_order_of_the_work(tmp_path: Path) -> None:
    seconds = {"write": 1.0, "index": 2.0, "strange": 0.5, "read": 0.5, "none": 0.0}
    stages = summary(of(tmp_path, done("a", seconds=seconds)), "t").stages
    assert [stage.name for stage in stages] == ["read", "index", "write", "strange"]
    assert [(stage.start, stage.length) for stage in stages] == [
        (0, 12.5),
        (12.5, 50),
        (62.5, 25),
        (87.5, 12.5),
    ]
    assert sum(stage.share for stage in stages) == pytest.approx(1)


def test_what_must_not_be_overlooked(tmp_path: Path) -> None:
    assert "no report of a run" in summary(gather([]), "t").remarks[0]
    killed = gather([write_report(tmp_path / "k.jsonl", end=False)])
    assert "has no end" in summary(killed, "t").remarks[0]
    end = {**END, "stopped": "fail-fast", "problem": "disk full", "remark": "one died"}
    ended = gather([write_report(tmp_path / "e.jsonl", end, {"type": "?"}, end=False)])
    told = " ".join(summary(ended, "t").remarks)
    for words in ("fail-fast", "disk full", "one died", "1 lines"):
        assert words in told


def test_several_reports_are_listed(tmp_path: Path) -> None:
    paths = [
        write_report(tmp_path / "1.jsonl", done("a"), started="1"),
        write_report(tmp_path / "2.jsonl", done("b"), end=False, started="2", palette="other"),
    ]
    found = summary(gather(paths), "t")
    assert [(run.name, run.end) for run in found.runs] == [
        ("1.jsonl", "0 (all well)"),
        ("2.jsonl", "not ended"),
    ]
    assert any("differ" in remark for remark in found.remarks)
    assert dict(found.facts)["Exit code"] == ("0 (all well)", "not ended")


def test_groups_share_the_rows_they_may_show() -> None:
    kinds = {
        name: Kind(count, [(str(i), "m") for i in range(min(count, 200))])
        for name, count in (("few", 3), ("many", 5000), ("some", 90), ("other", 90))
    }
    found = groups(kinds)
    assert [group.kind for group in found] == ["many", "other", "some", "few"]
    assert [group.count - group.more for group in found] == [50, 50, 50, 3]
    assert sum(len(group.rows) for group in found) <= MAX_ROWS


def test_a_merged_report_lists_the_runs_that_it_was_made_from(tmp_path: Path) -> None:
    run = {"report": "1", "host": "h", "started": "2026-11-26T01:12:09.123+00:00"}
    ended = {**run, "files": {"converted": 2}, "seconds": 1.5, "exit_code": 0}
    end = {**END, "runs": [ended, {**run, "seconds": None, "exit_code": None}, 7, {}]}
    path = write_report(tmp_path / "r.jsonl", done("a"), end, end=False)
    found = summary(gather([path]), "t")
    assert found.runs[0] == RunRow("1 (h)", "2026-11-26 01:12 UTC", 2, 1.5, "0 (all well)")
    assert found.runs[1:] == (
        RunRow("1 (h)", "2026-11-26 01:12 UTC", 0, None, "not ended"),
        RunRow("", "", 0, None, "not ended"),
    )
    assert [tile.note for tile in found.tiles if tile.title == "time"] == ["in 3 runs"]
