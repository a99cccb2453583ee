"""Who did what, and how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.merging.accounts import SHOWN_REMARKS, accounts, remark, time_under_way
from tests.merging.making import parts_of, write_run


def test_hosts_are_sums_of_their_runs(tmp_path: Path) -> None:
    parts = parts_of(
        write_run(tmp_path / "1.jsonl", shard="1/3", host="a"),
        write_run(tmp_path / "2.jsonl", shard="2/3", host="b", second=1, end=False),
        write_run(tmp_path / "3.jsonl", shard="3/3", host="a", second=2, end={"exit_code": 1}),
    )
    for number, part in enumerate(parts):
        part.files["converted"] = 10 * number
    parts[2].files["failed"] = 1
    found = accounts(parts)
    assert found["hosts"] == {
        "a": {"runs": 2, "files": 21, "seconds": 4.0},
        "b": {"runs": 1, "files": 10, "seconds": 0.0},
    }
    assert [run["seconds"] for run in found["runs"]] == [2.0, None, 2.0]
    assert [run["exit_code"] for run in found["runs"]] == [0, None, 1]
    assert found["runs"][2]["files"] == {"converted": 20, "failed": 1}
    assert found["runs"][2]["shard"] == "3/3"


@pytest.mark.parametrize(
    ("runs", "want"),
    [
        ([(0, 2)], 2),
        ([(0, 2), (0, 2), (1, 2)], 3),  # side by side
        ([(0, 2), (10, 3)], 5),  # the next day
        ([(0, 9), (1, 2), (3, 1)], 9),
        ([(0, 2), (5, None), (6, 1)], 3),
    ],
)
def test_time_is_counted_once(
    tmp_path: Path, runs: list[tuple[int, float | None]], want: float
) -> None:
    parts = parts_of(
        *(
            write_run(
                tmp_path / f"{n}.jsonl",
                second=second,
                end=False if seconds is None else {"seconds": seconds},
            )
            for n, (second, seconds) in enumerate(runs)
        )
    )
    assert time_under_way(parts) == pytest.approx(want)


def test_remarks_are_told_once_and_a_few(tmp_path: Path) -> None:
    texts = ["", "slow", "slow", *"abcdef"]
    parts = parts_of(
        *(
            write_run(tmp_path / f"{n}.jsonl", second=n, end={"remark": text})
            for n, text in enumerate(texts)
        ),
        write_run(tmp_path / "dead.jsonl", second=30, end=False, host="two"),
    )
    parts[1].unread = 3
    told = remark(parts).split("; ")
    assert told == [
        "merged from 10 reports of 2 hosts",
        "1 run did not end, dead.jsonl first",
        "lines that are no rows: 3, 1.jsonl first",
        *["slow", "a", "b", "c", "d"][:SHOWN_REMARKS],
        "and 2 other remarks",
    ]
