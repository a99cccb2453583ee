"""What reports say together: counts that add up, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg import kinds
from gpuseg.errors import UsageError
from gpuseg.pages import gathered as module
from gpuseg.pages.gathered import gather
from gpuseg.report_reading import read_report
from gpuseg.results import FileResult, UnknownColour
from tests.pages.making import END, failed, unknown, write_report


def done(source: str, **fields: object) -> FileResult:
    return FileResult(source=source, target=source, status="converted", width=4, height=3, **fields)


def test_rows_are_counted_and_stages_summed(tmp_path: Path) -> None:
    report = write_report(
        tmp_path / "r.jsonl",
        done("a.png", seconds={"read": 0.5, "index": 1.0}),
        done("b.png", seconds={"read": 0.25}, warnings=("odd", "odder")),
        FileResult(source="c.png", status="unchanged", width=100, height=100),
        failed("d.png"),
        {"type": "log", "message": "hello"},
        {"type": "strange"},
    )
    found = gather([report], frozenset({"b.png", "nothing.png"}))
    assert dict(found.files) == {"converted": 2, "unchanged": 1, "failed": 1}
    assert found.failed == 1
    assert found.pixels == 24
    assert dict(found.seconds) == {"read": 0.75, "index": 1.0}
    assert found.failures["broken"].rows == [("d.png", "is damaged")]
    assert {kind: each.count for kind, each in found.warnings.items()} == {"odd": 1, "odder": 1}
    assert found.log.rows == [("", "hello")]
    assert found.sources == {"b.png": "b.png"}
    assert found.unreadable == 1
    assert found.wall == 2.0
    assert found.head["verb"] == "convert"


def test_shards_are_taken_together_in_the_order_they_began(tmp_path: Path) -> None:
    second = write_report(tmp_path / "1.jsonl", done("a.png"), started="2026-02-01", dst="second")
    first = write_report(tmp_path / "2.jsonl", failed("b.png"), started="2026-01-01", dst="first")
    found = gather([second, first])
    assert [run.head["dst"] for run in found.runs] == ["first", "second"]
    assert (found.files.total(), found.failed, found.wall) == (2, 1, 4.0)


def test_unknown_colours_are_summed_over_files(tmp_path: Path) -> None:
    black, red = (0, 0, 0), (255, 0, 0)
    report = write_report(
        tmp_path / "r.jsonl",
        unknown("a.png", UnknownColour(black, 5, 1, 2), UnknownColour(red, 2, 3, 4)),
        unknown("b.png", UnknownColour(black, 9, 7, 8), pixels=20),
        unknown("c.png", pixels=3),
    )
    found = gather([report])
    assert (found.unknown_pixels, found.files_with_unknown, found.unlisted) == (30, 3, 14)
    first, second = found.most_frequent(9)
    assert (first.rgb, first.pixels, first.files) == (black, 14, 2)
    assert [(p.source, p.x, p.y) for p in first.places] == [("b.png", 7, 8), ("a.png", 1, 2)]
    assert (second.rgb, second.pixels, second.files) == (red, 2, 1)
    assert found.most_frequent(1) == [first]


def test_places_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [unknown(f"{i}.png", UnknownColour((1, 2, 3), i % 4 + 1, i, 0)) for i in range(9)]
    forth = gather([write_report(tmp_path / "a.jsonl", *rows)])
    back = gather([write_report(tmp_path / "b.jsonl", *rows[::-1])])
    assert forth.colours == back.colours
    assert [p.source for p in forth.most_frequent(1)[0].places] == ["3.png", "7.png", "2.png"]


def test_kinds_rows_and_colours_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_COLOURS", 3)
    rows = [unknown(f"{i}.png", UnknownColour((i, 0, 0), 1, 0, 0)) for i in range(8)]
    many = [failed(f"{i}.png", f"kind {i % 60}", "m") for i in range(600)]
    one = [failed(f"x{i}.png") for i in range(300)]
    stages = [done(f"s{i}.png", seconds={f"stage {i}": 1.0}) for i in range(90)]
    found = gather([write_report(tmp_path / "r.jsonl", *one, *many, *rows, *stages)])
    assert len(found.colours) == 3
    assert found.unlisted == 5
    assert len(found.failures) == kinds.MAX_KINDS + 1
    assert sum(kind.count for kind in found.failures.values()) == 900
    assert len(found.failures["broken"].rows) == kinds.SHOWN_ROWS
    assert kinds.OTHERS in found.failures
    assert len(found.seconds) == kinds.MAX_KINDS + 1
    assert sum(found.seconds.values()) == 90


def test_a_run_that_was_killed_has_no_end(tmp_path: Path) -> None:
    found = gather([write_report(tmp_path / "r.jsonl", done("a.png"), end=False)])
    assert found.runs[0].end is None
    assert found.wall == 0


def test_files_left_alone_come_from_the_end(tmp_path: Path) -> None:
    path = write_report(
        tmp_path / "r.jsonl", {**END, "left_alone": {".txt": 2, "": 1, "x": "y"}}, end=False
    )
    assert gather([path]).left_alone == {".txt": 2, "": 1, "x": 0}


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    for content in ("", "nonsense\n", '{"type": "file"}\n', "[1]\n"):
        path = tmp_path / "r.jsonl"
        path.write_text(content)
        with pytest.raises(UsageError, match="is no report of gpuseg"):
            read_report(path)
        with pytest.raises(UsageError, match="is no report of gpuseg"):
            gather([path])


def test_no_report_is_an_empty_one() -> None:
    found = gather([])
    assert (found.files.total(), found.head, found.wall) == (0, {}, 0)
