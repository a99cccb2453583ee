"""The flow shard by shard, over a cluster that is played: nothing here takes time."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from gpuseg import sharded
from gpuseg.discover import Source
from gpuseg.distributed.cluster import Finished
from gpuseg.errors import SchedulerError
from gpuseg.options import ReadOptions
from gpuseg.parcels import Outcome, Parcel
from gpuseg.pool import Feed
from gpuseg.report_file import ReportWriter
from gpuseg.results import FileResult, Report
from gpuseg.shard_worker import MissingParcelError
from gpuseg.sharded import FEWEST, MOST, ShardedFlow
from tests.clusters import Poisoned

Does = Callable[["Played", int, list[Source]], Finished]


def done(cluster: Played, number: int, sources: list[Source]) -> Finished:
    """All of a shard is done."""
    rows = [(FileResult(source=s.relative, status="read"), None) for s in sources]
    return Finished(number, Outcome(f"w{number % cluster.workers}", 0.5, len(rows), rows))


def poison(*names: str) -> Does:
    """A shard that holds one of these files kills its workers."""

    def does(cluster: Played, number: int, sources: list[Source]) -> Finished:
        if any(source.relative in names for source in sources):
            return Finished(number, killed=True)
        return done(cluster, number, sources)

    return does


class Played:
    """A cluster whose shards end in order, as `does` says; it notes what it is asked."""

    name = "played:8786"

    def __init__(self, does: Does = done, workers: int = 2) -> None:
        self.does, self.workers = does, workers
        self.under_way: deque[tuple[int, list[Source]]] = deque()
        self.shards: list[list[str]] = []
        self.most = 0
        self.alone: list[list[str]] = []  # shards that were sent while nothing else was
        self.parcels: list[Parcel] = []
        self.taken_back = 0

    def hand_out(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)

    def take_back(self) -> None:
        self.taken_back += 1

    def submit(self, number: int, shard: bytes, resources: Any) -> None:
        sources = pickle.loads(shard)
        names = [source.relative for source in sources]
        if not self.under_way:
            self.alone.append(names)
        self.shards.append(names)
        self.under_way.append((number, sources))
        self.most = max(self.most, len(self.under_way))

    def finished(self, timeout: float) -> list[Finished]:
        return [self.does(self, *self.under_way.popleft())] if self.under_way else []

    def threads(self, resources: Any) -> int:
        return self.workers

    def cancel(self) -> None:
        self.under_way.clear()


class Run:
    """A flow over so many files, which are not there."""

    def __init__(self, cluster: Played, files: int, **options: Any) -> None:
        self.rows: list[str] = []
        self.failed: dict[str, str] = {}
        self.feed = Feed(Source(f"/x/{i}.png", f"{i}.png") for i in range(files))
        self.writer = ReportWriter(None, {})
        self.fail_fast = options.pop("fail_fast", False)
        task = Poisoned(ReadOptions(fail_fast=self.fail_fast))
        self.flow = ShardedFlow(
            self.feed, task, self.add, cluster=cluster, writer=self.writer, **options
        )

    @property
    def report(self) -> Report:
        return self.writer.report

    def add(self, result: FileResult, line: bytes | None = None) -> None:
        self.rows.append(result.source)
        if result.is_wrong:
            self.failed[result.source] = result.message
            if self.fail_fast:
                self.feed.close()

    def work(self) -> Run:
        self.flow.work()
        return self


def check(run: Run, files: int) -> None:
    """Every file has one row."""
    assert Counter(run.rows) == Counter(f"{i}.png" for i in range(files))


def test_shards_depend_on_the_order_of_files_only() -> None:
    cluster, other = Played(workers=2), Played(workers=7)
    check(Run(cluster, 40_000).work(), 40_000)
    Run(other, 40_000).work()
    assert cluster.shards == other.shards
    sizes = [len(shard) for shard in cluster.shards]
    assert sizes[0] == FEWEST
    assert max(sizes) == MOST
    assert sizes[:-1] == sorted(sizes[:-1])
    assert [name for shard in cluster.shards for name in shard] == [
        f"{i}.png" for i in range(40_000)
    ]


def test_the_feed_is_drawn_as_shards_end() -> None:
    cluster = Played(workers=3)
    run = Run(cluster, 20_000)
    drawn: list[int] = []

    def look(played: Played, number: int, sources: list[Source]) -> Finished:
        drawn.append(run.feed.drawn - len(run.rows))
        return done(played, number, sources)

    cluster.does = look
    check(run.work(), 20_000)
    assert cluster.most == sharded.AHEAD * 3 + 1
    assert max(drawn) <= cluster.most * MOST


def test_who_did_what_is_told() -> None:
    run = Run(Played(workers=2), 640).work()
    shares = run.report.workers.as_dict()
    assert set(shares) == {"w0", "w1"}
    assert sum(share["files"] for share in shares.values()) == 640
    assert sum(share["shards"] for share in shares.values()) == 10
    assert sum(share["seconds"] for share in shares.values()) == 5.0


def test_files_that_kill_their_workers_fail_alone() -> None:
    bad = ("0.png", "77.png", "78.png", "999.png")
    cluster = Played(poison(*bad))
    run = Run(cluster, 1000).work()
    check(run, 1000)
    assert sorted(run.failed) == sorted(bad)
    assert "died" in run.failed["0.png"]
    # what is halved is alone in the cluster, else another shard may be to blame
    for shard in cluster.shards:
        if len(shard) < FEWEST and shard[-1] != "999.png":
            assert shard in cluster.alone


def test_many_suspects_are_not_kept_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharded, "MOST_SUSPECTS", 2)
    bad = [f"{i * FEWEST}.png" for i in range(12)]
    cluster = Played(poison(*bad))
    run = Run(cluster, 2000)
    most: list[int] = []

    def look(played: Played, number: int, sources: list[Source]) -> Finished:
        most.append(len(run.flow._suspects))
        return poison(*bad)(played, number, sources)

    cluster.does = look
    check(run.work(), 2000)
    assert sorted(run.failed) == sorted(bad)
    assert max(most) < 2 + sharded.AHEAD * 2 + 1 + 8


def test_what_a_leaving_worker_has_not_come_to_is_done_by_another() -> None:
    def leaves(cluster: Played, number: int, sources: list[Source]) -> Finished:
        ended = done(cluster, number, sources)
        if number % 3:
            return ended
        assert ended.outcome is not None
        rows = ended.outcome.results[: len(sources) // 2]
        return Finished(number, Outcome("leaver", 0.1, len(rows), rows))

    check(Run(Played(leaves), 1000).work(), 1000)


def test_a_worker_that_missed_the_parcel_gets_it_again() -> None:
    def missed(cluster: Played, number: int, sources: list[Source]) -> Finished:
        if number == 2:
            return Finished(number, error=MissingParcelError("no part"))
        return done(cluster, number, sources)

    cluster = Played(missed)
    check(Run(cluster, 500).work(), 500)
    assert len(cluster.parcels) == 2


@pytest.mark.parametrize("error", [MissingParcelError("never"), ImportError("no module")])
def test_what_no_worker_can_do_ends_the_run(error: Exception) -> None:
    cluster = Played(lambda cluster, number, sources: Finished(number, error=error))
    with pytest.raises(SchedulerError, match="run again for the rest"):
        Run(cluster, 500).work()
    assert cluster.taken_back == 1


def test_a_worker_that_can_do_nothing_ends_the_run() -> None:
    problem = Outcome("w1", problem="runs gpuseg 9")
    cluster = Played(lambda cluster, number, sources: Finished(number, problem))
    with pytest.raises(SchedulerError, match="worker w1 runs gpuseg 9"):
        Run(cluster, 500).work()


def test_closing_the_feed_ends_shards_early() -> None:
    cluster = Played(workers=4)
    run = Run(cluster, 100_000)

    def half(played: Played, number: int, sources: list[Source]) -> Finished:
        if number == 5:
            run.feed.close()
        ended = done(played, number, sources)
        if not played.taken_back:
            return ended
        assert ended.outcome is not None
        return Finished(number, Outcome("w", 0.1, 3, ended.outcome.results[:3]))

    cluster.does = half
    run.work()
    assert len(run.rows) == len(set(run.rows)) < 3000
    assert cluster.taken_back
    assert not cluster.under_way


def test_fail_fast(tmp_path: Path) -> None:
    def fails(cluster: Played, number: int, sources: list[Source]) -> Finished:
        row = FileResult(source=sources[0].relative, status="failed", message="no")
        return Finished(number, Outcome("w", 0.1, 1, [(row, None)]))

    cluster = Played(fails)
    run = Run(cluster, 10_000, fail_fast=True).work()
    assert 1 <= len(run.failed) <= cluster.most


def test_a_run_without_workers_says_so_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 5))
    monkeypatch.setattr(sharded, "monotonic", lambda: float(next(clock)))
    cluster = Played(workers=0)
    monkeypatch.setattr(cluster, "finished", lambda timeout: [])
    run = Run(cluster, 10)
    logged: list[str] = []
    monkeypatch.setattr(run.writer, "log", logged.append)
    with pytest.raises(SchedulerError, match="has no workers: waiting for 6"):
        run.work()
    assert 10 < len(logged) < 40
    assert "played:8786 has no workers" in run.report.waiting


def test_workers_without_a_device_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharded, "WAIT_LIMIT", -1.0)
    with pytest.raises(SchedulerError, match="announce a GPU"):
        Run(Played(workers=0), 10, orders=sharded.Orders(opens=("module", "function", 0))).work()
