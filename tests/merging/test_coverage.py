"""Which shards are missing, and which reports may share files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.discover import Source, in_shard
from gpuseg.merging.coverage import groups, missing
from gpuseg.options import Shard
from tests.merging.making import parts_of, row, write_run

SHARDS = st.sampled_from([Shard(k, n) for n in (1, 2, 3, 4, 6) for k in range(1, n + 1)])
FIRST = ", ".join(str(number) for number in range(1, 22) if number != 7)
SOURCES = [Source("", f"{i}.png") for i in range(300)]


def told(folder: Path, *shards: str, dead: tuple[str, ...] = ()) -> str:
    runs = [(shard, shard not in dead) for shard in shards]
    paths = [
        write_run(folder / f"{n}.jsonl", shard=shard, end=end, second=n)
        for n, (shard, end) in enumerate(runs)
    ]
    return missing(parts_of(*paths))


@pytest.mark.parametrize(
    ("shards", "dead", "want"),
    [
        (["1/1"], [], ""),
        (["2/2", "1/2"], [], ""),
        (["1/3", "3/3", "3/3"], [], "no report of shard 2 of 3"),
        (["1/4"], [], "no report of shards 2, 3, 4 of 4"),
        (["1/3", "2/3", "3/3"], ["1/3", "3/3"], "no whole report of shards 1, 3 of 3"),
        (["1/3", "2/3"], ["2/3"], "no report of shard 3 of 3 and no whole report of shard 2 of 3"),
        (["1/1"], ["1/1"], "no whole report of the only shard"),
        (["1/2", "2/4", "4/4"], [], ""),
        (["1/2", "2/4"], [], "no report of shard 4 of 4"),
        (["1/1", "1/2"], [], ""),
        (["1/1", "1/2", "2/2"], ["1/1"], ""),
        (["1/1", "1/2"], ["1/1"], "no report of shard 2 of 2"),
        (
            ["7/1000000000"],
            [],
            f"no report of shards {FIRST} and 999,999,979 others of 1,000,000,000",
        ),
    ],
)
def test_what_is_missing(tmp_path: Path, shards: list[str], dead: list[str], want: str) -> None:
    assert told(tmp_path, *shards, dead=tuple(dead)) == want


@pytest.mark.parametrize(
    "end", [{"stopped": "interrupted"}, {"problem": "full"}, {"files": {"converted": 2}}]
)
def test_a_report_that_is_not_whole(tmp_path: Path, end: dict[str, object]) -> None:
    parts = parts_of(write_run(tmp_path / "1.jsonl", row("a"), end=end))
    assert missing(parts) == "no whole report of the only shard"


@given(st.lists(SHARDS, min_size=1, max_size=6))
def test_files_decide(shards: list[Shard]) -> None:
    """By the files of each shard: groups share none, and nothing is missing where all are told."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            write_run(Path(folder, f"{n}.jsonl"), shard=str(shard), second=n)
            for n, shard in enumerate(shards)
        ]
        parts = parts_of(*paths)
    files = {part: {s.relative for s in SOURCES if in_shard(s, part.shard)} for part in parts}
    grouped = groups(parts)
    assert sorted(map(id, parts)) == sorted(id(part) for group in grouped for part in group)
    unions = [set.union(*(files[part] for part in group)) for group in grouped]
    assert sum(map(len, unions)) == len(set.union(*unions))
    if not missing(parts):
        assert len(set.union(*unions)) == len(SOURCES)
