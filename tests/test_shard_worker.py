"""What a worker does with shards, without any engine."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gpuseg import output, shard_worker
from gpuseg.discover import Source
from gpuseg.errors import UnreadableMaskError
from gpuseg.options import ReadOptions
from gpuseg.parcels import Outcome, Parcel
from tests.clusters import Poisoned

Do = Callable[[Sequence[Path]], Outcome]


@pytest.fixture
def do(tmp_path: Path) -> Iterator[Do]:
    """Does a shard as a worker of a run that writes to a folder."""
    task = Parcel.packed(Poisoned(ReadOptions()))
    with output.new_run() as token, output.marker(str(tmp_path), token) as marker:
        shard_worker.take(Parcel(token, task, marker=marker))

        def done(paths: Sequence[Path]) -> Outcome:
            bad = UnreadableMaskError("is a link to nothing")
            shard = pickle.dumps(
                [Source(str(p), p.name, error=bad if p.is_symlink() else None) for p in paths]
            )
            return Outcome.unpacked(shard_worker.run_shard(token, shard, "w"))

        try:
            yield done
        finally:
            shard_worker.leave(token)


def test_a_worker_that_sees_no_file_of_its_shard_says_so(do: Do, tmp_path: Path) -> None:
    """Its rows would all have failed, at once: it would be given the whole dump."""
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    outcome = do(paths)
    assert "sees none of the 3 files" in outcome.problem
    assert str(paths[0]) in outcome.problem
    assert not outcome.results
    assert "sees none of the 1 file " in do([tmp_path / "no folder" / "a.png"]).problem


def test_files_that_were_no_good_before_are_rows(do: Do, tmp_path: Path) -> None:
    for i in range(2):
        (tmp_path / f"{i}.png").symlink_to(tmp_path / "nothing")
    assert do(list(tmp_path.glob("*.png"))).done == 2


def test_files_that_have_gone_are_rows(do: Do, tmp_path: Path) -> None:
    there, gone = tmp_path / "a.png", tmp_path / "b.png"
    there.touch()
    assert (do([gone, there]).problem, do([gone, there]).done) == ("", 2)
    assert do([gone]).done == 1


def test_a_worker_that_may_not_write_says_so(
    do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))
    assert f"may not write to {tmp_path}" in do([tmp_path / "a.png"]).problem


def test_a_run_that_comes_takes_the_memory_of_those_at_rest(do: Do, tmp_path: Path) -> None:
    """A client that was killed leaves its run behind, with a table of 32 MiB, perhaps for weeks."""
    (tmp_path / "a.png").touch()
    assert do([tmp_path / "a.png"]).done == 1
    (before,) = shard_worker._runs.values()
    assert before._task is not None
    shard_worker.take(Parcel("0badcafe", Parcel.packed(Poisoned(ReadOptions()))))
    try:
        assert before._task is None
        assert do([tmp_path / "a.png"]).done == 1
    finally:
        shard_worker.leave("0badcafe")
