"""Clusters that cannot be used, are waited for, or have devices."""

from __future__ import annotations

import socket
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from gpuseg import convert_directory, output
from gpuseg.discover import Walk
from gpuseg.distributed import cluster, own
from gpuseg.errors import SchedulerError
from gpuseg.options import ReadOptions
from gpuseg.runs import look
from tests.clusters import (
    ForeignCluster,
    Unpicklable,
    foreign_cluster,
)
from tests.helpers import (
    Place,
    check_exact,
)
from tests.making import read_indices, save_mask
from tests.test_distributed import FILES, convert, foreign, place  # noqa: F401  # fixtures


def test_a_task_that_cannot_be_unpacked_ends_the_run(
    tmp_path: Path, foreign: ForeignCluster
) -> None:
    save_mask(tmp_path / "a.png")
    task = Unpicklable(ReadOptions(scheduler=foreign.address))
    with pytest.raises(SchedulerError, match="no such module here"):
        look(Walk(str(tmp_path)), task, verb="test")
    assert foreign.tasks() == {}


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:9", "missing.json"])
def test_no_scheduler_no_report(
    place: Place, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT", 0.5)
    monkeypatch.chdir(place.root)
    done = convert(place, scheduler)
    assert done.code == 2
    assert scheduler in done.err
    assert "dask scheduler" in done.err
    assert not place.dst.exists()


def test_what_takes_connections_and_says_nothing_is_no_scheduler(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        done = convert(place, f"tcp://127.0.0.1:{mute.getsockname()[1]}")
    assert done.code == 2
    assert "no scheduler answers at tcp://127.0.0.1" in done.err


def test_without_the_extra(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = convert(place, "local:2")
    assert done.code == 2
    assert "pip install 'gpuseg[dask]'" in done.err


def test_other_versions_are_refused(
    place: Place, foreign: ForeignCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "versions", lambda: ("9.9.9", "3.99"))
    done = convert(place, foreign.address)
    assert done.code == 2
    assert "this run gpuseg 9.9.9 on Python 3.99; install the same on all machines" in done.err


def test_a_worker_that_does_not_see_dst_ends_the_run(
    place: Place, foreign: ForeignCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "marker", lambda folder, run: nullcontext(f"{folder}/not-there"))
    done = convert(place, foreign.address)
    assert done.code == 1, done
    assert "a DST that all machines share" in done.err
    assert done.out.startswith("no file has a row; stopped early (error)")
    assert place.report().summary["stopped"] == "error"


def test_workers_that_do_not_start(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_COMMAND", "import sys; sys.exit(5)")
    done = convert(place, "local:2")
    assert done.code == 2
    assert "do not start: they ended with code 5" in done.err


def test_a_run_waits_for_workers(place: Place, tmp_path: Path) -> None:
    with foreign_cluster(tmp_path / "empty", workers=0) as empty:
        seen: list[str] = []

        def progress(report: Any) -> None:
            if report.waiting and not seen:
                seen.append(report.waiting)
                empty.add_worker()

        report = convert_directory(
            place.src, place.dst, place.palette, scheduler=empty.address, progress=progress
        )
    assert "has no workers: waiting for" in seen[0]
    assert report.files["converted"] == FILES


def test_a_worker_with_a_device(place: Place, tmp_path: Path) -> None:
    """Only workers that announce a GPU get shards; what opens it is a device that is played."""
    with foreign_cluster(tmp_path / "gpu") as some:
        some.add_worker("--no-nanny", "--resources", "GPU=1")
        from gpuseg import convert as door

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(door, "OPENS", ("tests.clusters", "play_device"))
            options = ("--device", "cuda", "--workers", "2")
            done = convert(place, some.address, *options)
    assert done.code == 0, done
    report = place.report()
    assert {row["worker"] for row in report.files.values()} == {"w2"}
    assert {row["device"] for row in report.files.values()} == {"host"}
    for i in range(FILES):
        name = f"{i % 3}/{i}.png"
        assert read_indices(place.dst / name).shape == (9 + i % 7, 14)
    assert len(check_exact(place)) == FILES
