"""Clusters that lose workers, their scheduler, the network, their disk or the time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from gpuseg import convert_directory
from gpuseg.distributed import cluster
from gpuseg.errors import SchedulerError
from tests import clusters
from tests.clusters import (
    ForeignCluster,
    foreign_cluster,
    is_running,
    wait_until,
)
from tests.helpers import (
    Lines,
    Place,
    ahead,
    children,
    environment,
    read_report,
    temps,
    tree,
)
from tests.making import indices, read_indices, save_mask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc"),
]

FILES, DIFFERENT = 1500, 12


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Masks that take some time, in five folders; a few different ones, under many names."""
    place = Place(tmp_path / "place")
    for i in range(FILES):
        path = place.src / str(i % 5) / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        if i < DIFFERENT:
            save_mask(path, 300, 400, seed=i)
        else:
            os.link(place.src / str(i % DIFFERENT % 5) / f"{i % DIFFERENT}.png", path)
    yield place
    while Run.started:  # by a test that has failed
        Run.started.pop().kill()


class Run:
    """A run of the command line in a process of its own."""

    started: ClassVar[list[subprocess.Popen[str]]] = []

    def __init__(
        self,
        place: Place,
        scheduler: str,
        report: str = "r.jsonl",
        prefix: Sequence[str] = (),
    ) -> None:
        self.report_path = place.root / report
        self.dst = place.dst
        arguments = [
            "convert", str(place.src), str(place.dst), "--palette", str(place.palette),
            "--scheduler", scheduler, "--report", str(self.report_path),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "gpuseg", *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(self.process)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def done(self) -> int:
        """Label maps that are there."""
        return len(tree(self.dst)) if self.dst.exists() else 0

    def wait_for(self, files: int) -> None:
        wait_until(lambda: self.done() >= files, f"{files} label maps")
        assert not self.is_over, self.process.communicate()

    def end(self, code: int = 0) -> tuple[str, str]:
        """Wait until it has ended, with this exit code; what it has printed."""
        try:
            out, err = self.process.communicate(timeout=3 * clusters.PATIENCE)
        finally:
            self.process.kill()
        assert self.process.returncode == code, (out, err)
        assert "Traceback" not in err, err
        return out, err

    def report(self) -> Lines:
        return read_report(self.report_path)


@cache
def expected(number: int) -> np.ndarray:
    return indices(300, 400, seed=number % DIFFERENT)


def whole(place: Place) -> list[str]:
    """The label maps that are there: each of them right, and none that should not be."""
    half = set(temps(place.dst))
    names = [name for name in tree(place.dst) if name not in half]
    for name in names:
        assert np.array_equal(read_indices(place.dst / name), expected(int(Path(name).stem))), name
    return names


def check(place: Place, report: Lines) -> None:
    """Each input has one row, each label map is there and right, and nothing else is."""
    assert len(report.files) == FILES
    assert {row["status"] for row in report.files.values()} <= {"converted", "unchanged"}
    assert len(whole(place)) == FILES


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_workers_killed_twenty_times(place: Place) -> None:
    choice = random.Random(6)
    run = Run(place, "local:2")
    killed: list[int] = []
    while len(killed) < 20:
        before = run.done()
        wait_until(lambda: run.done() > before or run.is_over, "another label map")  # noqa: B023
        assert not run.is_over, run.process.communicate()
        if alive := [pid for pid in children(run.process.pid) if is_running(pid)]:
            killed.append(choice.choice(alive))
            kill(killed[-1])
            wait_until(lambda: not is_running(killed[-1]), "its end")
    out, err = run.end()
    assert err == ""
    assert "worker" in out
    check(place, run.report())
    assert len(temps(place.dst)) <= 20
    assert not any(map(is_running, killed))


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[ForeignCluster]:
    with foreign_cluster(tmp_path / "cluster") as made:
        yield made


def test_workers_that_come_and_go(place: Place, foreign: ForeignCluster) -> None:
    run = Run(place, foreign.address)
    run.wait_for(100)
    kill(foreign.workers[0].pid)
    run.wait_for(300)
    foreign.add_worker()
    foreign.workers[1].terminate()  # says goodbye
    run.end()
    check(place, run.report())
    assert "w2" in run.report().summary["workers"]
    assert foreign.tasks() == {}


def test_two_runs_of_one_job_at_once(place: Place, foreign: ForeignCluster) -> None:
    """Both by the same workers, and a third by workers of its own."""
    schedulers = (foreign.address, foreign.address, "local:1")
    runs = [Run(place, s, report=f"{i}.jsonl") for i, s in enumerate(schedulers)]
    for run in runs:
        run.end()
        check(place, run.report())
    assert temps(place.dst) == []
    assert foreign.tasks() == {}


def test_a_lost_scheduler(place: Place, tmp_path: Path) -> None:
    with foreign_cluster(tmp_path / "one") as one:
        run = Run(place, one.address)
        run.wait_for(100)
        kill(one.scheduler.pid)
        out, err = run.end(1)
        assert "is lost; files that are finished are kept, so run again for the rest" in err
        assert "stopped early (error)" in out
        report = run.report()
        assert report.summary["stopped"] == "error"
        assert len(report.files) < FILES
        for worker in one.workers:
            worker.wait(clusters.PATIENCE)
    kept = whole(place)
    assert len(kept) >= 100
    with foreign_cluster(tmp_path / "two") as two:
        run = Run(place, two.address)
        run.end()
    check(place, run.report())
    assert run.report().summary["files"]["unchanged"] == len(kept)


def test_a_scheduler_that_does_not_answer(
    place: Place, foreign: ForeignCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ANSWER_LIMIT", 2.0)

    def stop(report: object) -> None:
        if len(tree(place.dst)) > 50:
            os.kill(foreign.scheduler.pid, signal.SIGSTOP)

    with pytest.raises(SchedulerError, match="has not answered") as caught:
        convert_directory(
            place.src, place.dst, place.palette, scheduler=foreign.address, progress=stop
        )
    assert caught.value.report is not None
    assert caught.value.report.stopped == "error"
    whole(place)


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_our_own_workers_end_with_the_run(place: Place, way: signal.Signals) -> None:
    run = Run(place, "local:2")
    run.wait_for(50)
    workers = children(run.process.pid)
    assert len(workers) == 2
    run.process.send_signal(way)
    run.end(130 if way == signal.SIGINT else -way)
    wait_until(lambda: not any(map(is_running, workers)), "the end of the workers")
    assert 50 <= len(whole(place)) < FILES
    again = Run(place, "local:2")
    again.end()
    check(place, again.report())


def test_a_run_that_is_killed_leaves_no_tasks(place: Place, foreign: ForeignCluster) -> None:
    run = Run(place, foreign.address)
    run.wait_for(50)
    run.process.kill()
    run.end(-signal.SIGKILL)
    wait_until(lambda: all(s == "plugin" for s in foreign.tasks().values()), "no more tasks")
    again = Run(place, foreign.address)
    again.end()
    check(place, again.report())


def test_a_clock_that_is_a_week_ahead(place: Place, foreign: ForeignCluster) -> None:
    foreign.add_worker("--no-nanny", **ahead())
    run = Run(place, foreign.address)
    run.end()
    check(place, run.report())
    assert run.report().summary["workers"]["w2"]["files"]
    assert temps(place.dst) == []
