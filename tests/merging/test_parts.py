"""What reports say of themselves, and which are of one job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpuseg.errors import UsageError
from gpuseg.merging.parts import head_of_job, read_parts
from tests.merging.making import STARTED, write_run


def test_the_first_to_begin_is_first_and_twice_is_once(tmp_path: Path) -> None:
    late = write_run(tmp_path / "1.jsonl", second=9, shard="1/2")
    early = write_run(tmp_path / "2.jsonl", second=1, shard="2/2")
    link = tmp_path / "3.jsonl"
    link.symlink_to(early)
    parts = read_parts([late, early, link])
    assert [str(part.shard) for part in parts] == ["2/2", "1/2"]


def test_zones_do_not_change_the_order(tmp_path: Path) -> None:
    late = write_run(tmp_path / "1.jsonl", started="2026-11-26T02:00:00+02:00", host="late")
    early = write_run(tmp_path / "2.jsonl", started="2026-11-25T23:00:00+00:00", host="early")
    assert [part.host for part in read_parts([late, early])] == ["early", "late"]


def test_a_head_says_what_all_say(tmp_path: Path) -> None:
    options = {"unknown": "error", "workers": 2, "shard": "1/2"}
    one = write_run(tmp_path / "1.jsonl", shard="1/2", options=options, backend="cpu")
    options = {**options, "workers": 4, "shard": "2/2"}
    two = write_run(tmp_path / "2.jsonl", shard="2/2", second=1, host="two", options=options)
    head = head_of_job(read_parts([two, one]))
    assert head == {
        "type": "run",
        "gpuseg": "1",
        "verb": "convert",
        "src": "/s",
        "dst": "/d",
        "pattern": None,
        "started": STARTED.format(0),
        "options": {"unknown": "error"},
        "merged": [
            {"report": "1.jsonl", "shard": "1/2", "host": "one", "started": STARTED.format(0)},
            {"report": "2.jsonl", "shard": "2/2", "host": "two", "started": STARTED.format(1)},
        ],
    }


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"verb": "verify"}, "verb: 'convert' and 'verify'"),
        ({"src": "/other"}, "SRC: '/s' and '/other'"),
        ({"dst": None}, "DST: '/d' and None"),
        ({"pattern": "*.png"}, "pattern: None and '\\*.png'"),
        ({"palette": "voc"}, "palette: 'p' and 'voc'"),
        ({"ignore_index": 254}, "ignore index: 255 and 254"),
        ({"class_table": [1]}, "classes of the palette: they differ"),
        ({"merged_table": [1]}, "classes that the palette merged: they differ"),
        ({"digest": "cd"}, "options that shape the targets: they differ"),
        ({"digest": "cd", "options": {"unknown": "ignore"}}, "unknown is 'error' and 'ignore'"),
        ({"digest": "cd", "options": {"unknown": "error"}}, "targets: they differ"),
    ],
)
def test_other_jobs_are_refused(tmp_path: Path, head: dict[str, Any], words: str) -> None:
    job = {"palette": "p", "ignore_index": 255, "class_table": [], "digest": "ab"}
    job["options"] = {"unknown": "error"}
    one = write_run(tmp_path / "1.jsonl", shard="1/2", **job)
    two = write_run(tmp_path / "2.jsonl", shard="2/2", **{**job, **head})
    with pytest.raises(UsageError, match=f"not of one job: .*{words}; merge reports of one"):
        read_parts([one, two])


def test_what_may_differ(tmp_path: Path) -> None:
    one = write_run(tmp_path / "1.jsonl", shard="1/2", options={"workers": 1}, gpuseg="1")
    two = write_run(tmp_path / "2.jsonl", shard="2/2", options={"workers": 2}, gpuseg="2")
    assert len(read_parts([one, two])) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "is no report of gpuseg"),
        ("{}", "is no report of gpuseg"),
        ('{"type": "file"}', "is no report of gpuseg"),
        ('{"type": "run"}', "must tell its shard"),
        ('{"type": "run", "shard": "1/2"}', "must tell its shard .* when it began"),
        ('{"type": "run", "shard": [1], "started": "2026-11-26"}', "must tell its shard"),
        ('{"type": "run", "shard": "1/2", "started": "today"}', "and 'today'"),
        ('{"type": "run", "merged": []}', "is merged already"),
    ],
)
def test_what_is_no_report_of_a_run(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "1.jsonl").write_text(line)
    with pytest.raises(UsageError, match=words):
        read_parts([tmp_path / "1.jsonl"])


def test_no_file_and_no_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_parts([tmp_path / "1.jsonl"])
    with pytest.raises(UsageError, match="no report was given"):
        read_parts([])


def test_a_report_that_grows_is_told(tmp_path: Path) -> None:
    (part,) = read_parts([write_run(tmp_path / "1.jsonl", end=False)])
    part.check_unchanged()
    with part.path.open("a") as file:
        file.write(json.dumps({"type": "log", "message": "m"}) + "\n")
    with pytest.raises(UsageError, match="changed while it was read"):
        part.check_unchanged()
    part.path.unlink()
    with pytest.raises(UsageError, match="changed while it was read"):
        part.check_unchanged()
