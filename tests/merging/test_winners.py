"""Which rows count: one run's for each input, in bounded memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.merging import winners as module
from gpuseg.merging.parts import read_parts
from gpuseg.merging.winners import winners
from tests.merging.making import row, write_run

NAMES = st.sampled_from(["a", "b", "c", "\udcff"])
STATUSES = st.sampled_from(["converted", "unchanged", "failed", "planned"])
RUNS = st.lists(st.dictionaries(NAMES, STATUSES, max_size=4), min_size=1, max_size=5)


def plainly(runs: list[dict[str, str]]) -> set[tuple[int, str]]:
    """The specification: (run, name) of the rows that count."""
    last: dict[str, int] = {}
    made: dict[str, int] = {}
    for number, run in enumerate(runs):
        for name, status in run.items():
            last[name] = number
            if status == "converted":
                made[name] = number
    return {
        (made[name] if runs[number][name] == "unchanged" and name in made else number, name)
        for name, number in last.items()
    }


def found(folder: Path, runs: list[list[tuple[str, str]]]) -> list[tuple[int, str]]:
    paths = [
        write_run(folder / f"{n}.jsonl", *(row(name, status) for name, status in run), second=n)
        for n, run in enumerate(runs)
    ]
    keep = winners(read_parts(paths)).tolist()
    names = [(number, name) for number, run in enumerate(runs) for name, _ in run]
    return [each for each, kept in zip(names, keep, strict=True) if kept]


@given(RUNS)
def test_as_a_dictionary_would(runs: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = found(Path(folder), [list(run.items()) for run in runs])
    assert sorted(kept) == sorted(plainly(runs))


def test_two_inputs_of_one_name_are_two(tmp_path: Path) -> None:
    """Files that are listed one by one may share a name: they collide, and each has a row."""
    once = [("x.png", "failed"), ("y.png", "converted"), ("x.png", "failed")]
    again = [("x.png", "failed"), ("x.png", "failed"), ("y.png", "unchanged")]
    assert found(tmp_path, [once, again]) == [(0, "y.png"), (1, "x.png"), (1, "x.png")]


@pytest.mark.parametrize("other", [{"type": "log", "message": "m"}, row(""), row("a", "lost")])
def test_rows_of_no_file_are_passed_over(tmp_path: Path, other: dict[str, str]) -> None:
    one = write_run(tmp_path / "1.jsonl", row("a"), other)
    two = write_run(tmp_path / "2.jsonl", other, row("b"), second=1)
    assert winners(read_parts([one, two])).tolist() == [True, True]


def test_nothing_at_all(tmp_path: Path) -> None:
    assert winners(read_parts([write_run(tmp_path / "1.jsonl")])).tolist() == []


def test_half_of_a_hash_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(name: bytes, digest_size: int) -> SimpleNamespace:
        return SimpleNamespace(digest=lambda: name.rjust(digest_size, b"0"))

    monkeypatch.setattr(module.hashlib, "blake2b", half)
    runs = [[("a", "failed"), ("b", "failed"), ("a" + "7" * 15, "failed")], [("b", "failed")]]
    assert [name[0] for _, name in found(tmp_path, runs)] == ["a", "a", "b"]


def kept_of(folder: Path, src: str, *runs: list[dict[str, Any]], stopped: str = "") -> list[str]:
    """`run source` of the rows that count; the last run ended so."""
    ends = [{}] * (len(runs) - 1) + [{"stopped": stopped}]
    paths = [
        write_run(folder / f"{n}.jsonl", *run, second=n, src=src, end=end)
        for n, (run, end) in enumerate(zip(runs, ends, strict=True))
    ]
    keep = winners(read_parts(paths)).tolist()
    names = [f"{n} {each['source']}" for n, run in enumerate(runs) for each in run]
    return [name for name, kept in zip(names, keep, strict=True) if kept]


FAILED = row("b.tar", "failed", error="archive")


def test_an_archive_that_failed_is_over_once_it_was_made(tmp_path: Path) -> None:
    first = [row("a.tar/1.png"), row("b.tar/1.png"), FAILED]
    again = [row("a.tar", "unchanged"), row("b.tar/1.png"), row("b.tar/2.png")]
    found = kept_of(tmp_path, "/s/{a,b}.tar", first, again)
    assert found == ["0 a.tar/1.png", "1 b.tar/1.png", "1 b.tar/2.png"]


def test_an_archive_that_failed_again_counts_once(tmp_path: Path) -> None:
    found = kept_of(tmp_path, "/s/{a,b}.tar", [row("b.tar/1.png"), FAILED], [FAILED])
    assert found == ["0 b.tar/1.png", "1 b.tar"]


def test_an_archive_that_failed_is_not_over_by_a_run_that_broke_off(tmp_path: Path) -> None:
    found = kept_of(tmp_path, "/s/{a,b}.tar", [FAILED], [row("a.tar/1.png")], stopped="interrupted")
    assert found == ["0 b.tar", "1 a.tar/1.png"]


def test_one_archive_that_is_unchanged(tmp_path: Path) -> None:
    again = [row("b.tar", "unchanged")]
    assert kept_of(tmp_path, "/s/b.tar", [row("1.png")], again) == ["0 1.png"]
    assert kept_of(tmp_path, "/s/b.tar", again) == ["0 b.tar"]


def test_a_folder_named_as_an_archive_is_none(tmp_path: Path) -> None:
    found = kept_of(tmp_path, "/s", [row("x.tar/1.png")], [row("x.tar/1.png", "unchanged")])
    assert found == ["0 x.tar/1.png"]
