"""`gpuseg merge-reports`: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers import Place, gpuseg
from tests.merging.making import row, write_run


def test_shards_of_a_job(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.good(5)
    for number in (1, 2):
        assert place.convert("--shard", f"{number}/2").code == 0
    done = gpuseg("merge-reports", str(place.dst))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("5 converted")
    assert "merged from 2 reports of 1 host" in done.out
    assert done.out.endswith(f"report: {place.dst / 'gpuseg-report.jsonl'}\n")
    assert set(place.report().files) == {f.relative_to(place.src).as_posix() for f in
                                         place.src.rglob("*.png")}  # fmt: skip


def test_what_is_missing_is_told_however_it_is_printed(tmp_path: Path) -> None:
    one = write_run(tmp_path / "gpuseg-report-1-of-2.jsonl", row("a"), shard="1/2")
    done = gpuseg("merge-reports", str(one))
    assert done.code == 1
    assert "the report is incomplete: no report of shard 2 of 2; run them again" in done.out
    quiet = gpuseg("merge-reports", str(one), "-q")
    assert (quiet.code, quiet.out) == (1, "")
    assert quiet.err.startswith("no report of shard 2 of 2")
    told = gpuseg("merge-reports", str(one), "--json", "--out", str(tmp_path / "all.jsonl"))
    assert told.err.startswith("no report of shard 2 of 2")
    found = json.loads(told.out)
    assert found["files"]["converted"] == 1
    assert found["report"] == str(tmp_path / "all.jsonl")


def test_failures_are_listed(tmp_path: Path) -> None:
    failed = row("a.png", "failed", error="broken", message="is damaged")
    write_run(tmp_path / "gpuseg-report-1-of-1.jsonl", failed)
    done = gpuseg("merge-reports", str(tmp_path))
    assert (done.code, done.err) == (1, "failed a.png: is damaged\n")


def test_other_jobs_are_wrong_usage(tmp_path: Path) -> None:
    one = write_run(tmp_path / "1.jsonl", shard="1/2")
    two = write_run(tmp_path / "2.jsonl", shard="2/2", src="/other")
    done = gpuseg("merge-reports", str(one), str(two))
    assert done.code == 2
    assert "not of one job: SRC" in done.err
    assert gpuseg("merge-reports").code == 2
