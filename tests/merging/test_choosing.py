"""Reports of one folder that are taken together tell of no file twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpuseg
from gpuseg.errors import UsageError
from gpuseg.merging.choosing import reports_in
from tests.merging.making import row, write_run


def shards(folder: Path, *names: str) -> list[Path]:
    return [
        write_run(folder / f"gpuseg-report-{n}-of-x.jsonl", row(f"{n}.png"), shard=shard, second=n)
        for n, shard in enumerate(names)
    ]


def test_shards_are_taken_together_until_they_are_merged(tmp_path: Path) -> None:
    reports = shards(tmp_path, "1/2", "2/2")
    assert reports_in(tmp_path) == reports
    merged = gpuseg.merge_reports(tmp_path).path
    assert reports_in(tmp_path) == [merged]


def test_a_run_of_another_verb_stays(tmp_path: Path) -> None:
    shards(tmp_path, "1/2", "2/2")
    looked = write_run(tmp_path / "gpuseg-report-verify.jsonl", verb="verify")
    merged = gpuseg.merge_reports(tmp_path).path
    assert merged is not None
    assert reports_in(tmp_path) == sorted([looked, merged])


def test_a_shard_that_ran_after_the_merge(tmp_path: Path) -> None:
    shards(tmp_path, "1/2", "2/2")
    gpuseg.merge_reports(tmp_path)
    write_run(tmp_path / "gpuseg-report-0-of-x.jsonl", row("0.png"), shard="1/2", second=30)
    with pytest.raises(UsageError, match="tell of the same files; merge all reports"):
        reports_in(tmp_path)
    gpuseg.merge_reports(tmp_path)
    assert len(reports_in(tmp_path)) == 1


@pytest.mark.parametrize("names", [["1/2", "1/2"], ["1/1", "3/4"], ["1/2", "3/4"], ["2/3", "4/8"]])
def test_files_that_are_told_twice(tmp_path: Path, names: list[str]) -> None:
    shards(tmp_path, *names)
    with pytest.raises(UsageError, match="tell of the same files"):
        reports_in(tmp_path)


@pytest.mark.parametrize("names", [[], ["1/1"], ["1/2", "2/4", "4/4"], ["3/6", "1/3", "2/3"]])
def test_files_that_are_told_once(tmp_path: Path, names: list[str]) -> None:
    reports = shards(tmp_path, *names)
    assert reports_in(tmp_path) == reports


def test_what_is_no_report_of_ours_is_left_to_its_reader(tmp_path: Path) -> None:
    for number, text in enumerate(["", "{}", '{"type": "run", "merged": 7, "shard": [1]}']):
        (tmp_path / f"gpuseg-report-{number}.jsonl").write_text(text)
    hostile = '{"type": "run", "merged": [7, {"report": [1]}, {}], "started": [1], "shard": "x"}'
    (tmp_path / "gpuseg-report-3.jsonl").write_text(hostile)
    assert len(reports_in(tmp_path)) == 4
