"""Reports: whole lines from many threads, and a summary whatever happens."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from gpuseg import check, convert_directory, stats, verify
from gpuseg.errors import OutputError
from gpuseg.report_file import ReportWriter
from gpuseg.results import FileResult
from tests.making import PALETTE, save_mask


def test_rows_of_many_threads_are_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "r" / "report.jsonl"
    with ReportWriter(path, {"gpuseg": "x"}) as writer:

        def add() -> None:
            for i in range(200):
                writer.add(FileResult(source=f"{i}\udcff.png", status="converted"))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["type"] for row in rows] == ["run", *["file"] * 800, "summary"]
    assert rows[1]["source"].endswith("\udcff.png")
    assert rows[-1]["files"]["converted"] == 800


def test_the_summary_of_a_run_that_died_says_so(tmp_path: Path) -> None:
    def die() -> None:
        with ReportWriter(tmp_path / "r.jsonl", {}):
            raise RuntimeError("the device fell off the bus")

    with pytest.raises(RuntimeError):
        die()
    summary = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[-1])
    assert (summary["stopped"], summary["exit_code"]) == ("error", 1)


def test_a_look_does_not_replace_the_report_of_a_conversion(tmp_path: Path) -> None:
    src, dst = tmp_path / "src", tmp_path / "dst"
    save_mask(src / "a.png")
    convert_directory(src, dst, PALETTE)
    kept, other = dst / "gpuseg-report.jsonl", tmp_path / "other.jsonl"
    before = kept.read_bytes()
    for look in (
        lambda path: check(dst, PALETTE, report=path),
        lambda path: verify(src, dst, report=path),
        lambda path: stats(dst, report=path).report,
    ):
        with pytest.raises(OutputError, match="would replace that of `gpuseg convert`"):
            look(kept)
        for _ in range(2):  # their own reports are replaced
            assert look(other).exit_code == 0
    assert kept.read_bytes() == before
    assert convert_directory(src, dst, PALETTE, report=kept).exit_code == 0
