"""Runs by clusters of real processes: our own, and such as people start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from gpuseg import convert_directory, sharded, stats, verify
from gpuseg.discover import Walk
from gpuseg.options import ReadOptions
from gpuseg.runs import look
from tests import clusters
from tests.clusters import (
    ForeignCluster,
    Poisoned,
    foreign_cluster,
    is_running,
    wait_until,
)
from tests.helpers import (
    Finished,
    Lines,
    Place,
    check_exact,
    children,
    environment,
    gpuseg,
    read_report,
    temps,
)
from tests.making import save_mask

FILES = 150


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignCluster]:
    """A scheduler and two workers."""
    with foreign_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    for i in range(FILES):
        save_mask(place.src / str(i % 3) / f"{i}.png", 9 + i % 7, 14, seed=i)
    return place


def convert(place: Place, scheduler: str, *more: str | Path) -> Finished:
    options = ["--palette", str(place.palette), "--scheduler", scheduler, *map(str, more)]
    return gpuseg("convert", str(place.src), str(place.dst), *options)


def check_shares(report: Lines, files: int = FILES) -> None:
    """Each row names its worker, and the summary counts them."""
    shares = report.summary["workers"]
    assert sum(share["files"] for share in shares.values()) == files
    for name, share in shares.items():
        assert share["files"] == sum(row.get("worker") == name for row in report.files.values())


def test_workers_of_our_own(place: Place) -> None:
    before = children(os.getpid())  # servers of other tests
    (place.src / "bad.png").write_bytes(b"\x89PNG")
    done = convert(place, "local:2", "--verify")
    assert done.code == 1
    assert "bad.png" in done.err
    assert done.err.count("\n") == 1, done.err
    assert "2 workers (local-" in done.out
    report = place.report()
    assert report.failed() == ["bad.png"]
    check_shares(report, FILES + 1)
    assert report.header["scheduler"] == "local:2"
    assert len(check_exact(place)) == FILES
    assert temps(place.dst) == []
    assert not [pid for pid in children(os.getpid()) if pid not in before and is_running(pid)]
    assert convert(place, "local:1").code == 1  # a second run redoes nothing
    assert place.report().summary["files"]["unchanged"] == FILES


@pytest.mark.parametrize("way", ["address", "file"])
def test_workers_of_somebody_else(place: Place, foreign: ForeignCluster, way: str) -> None:
    scheduler = foreign.address if way == "address" else str(foreign.file)
    done = convert(place, scheduler)
    assert (done.code, done.err) == (0, "")
    check_shares(place.report())
    assert len(check_exact(place)) == FILES
    assert temps(place.dst) == []
    assert foreign.tasks() == {}


def test_relative_paths(
    place: Place, foreign: ForeignCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers were started in another folder."""
    monkeypatch.chdir(place.root)
    palette = str(place.palette)
    report = convert_directory("src", "dst", palette, scheduler=foreign.address)
    assert report.files["converted"] == FILES
    assert len(check_exact(place)) == FILES
    again = verify("src", "dst", scheduler=foreign.address)
    assert again.files["same"] == FILES


def test_all_verbs_take_a_scheduler(place: Place, foreign: ForeignCluster, tmp_path: Path) -> None:
    address = foreign.address
    assert convert(place, address).code == 0
    here, there = stats(place.dst), stats(place.dst, scheduler=address)
    assert here.as_csv() == there.as_csv()
    found = gpuseg("scan", str(place.src), "--json", "--scheduler", address)
    assert json.loads(found.out)["files"]["read"] == FILES
    palette = ["--palette", str(place.palette)]
    assert gpuseg("check", str(place.dst), *palette, "--scheduler", address).code == 0
    assert gpuseg("inspect", str(place.src), "--scheduler", address).code == 0
    colours = tmp_path / "colours"
    done = gpuseg("colorize", str(place.dst), str(colours), "--scheduler", address)
    assert done.code == 0, done
    check_shares(read_report(colours / "gpuseg-report.jsonl"))
    assert gpuseg("verify", str(colours), str(place.dst), "--scheduler", address).code == 0


def test_two_runs_of_one_process_at_once(place: Place, foreign: ForeignCluster) -> None:
    """By the same workers: each run has its own files, task and target."""
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(
                convert_directory,
                place.src / str(i),
                place.dst / str(i),
                place.palette,
                scheduler=foreign.address,
            )
            for i in range(2)
        ]
        for run in runs:
            assert run.result().files["converted"] == FILES // 3
    for i in range(2):
        names = {path.name for path in (place.src / str(i)).iterdir()}
        rows = read_report(place.dst / str(i) / "gpuseg-report.jsonl").files
        assert set(rows) == names
        assert {path.name for path in (place.dst / str(i)).glob("*.png")} == names
    assert foreign.tasks() == {}


def test_a_dry_run_writes_nothing(place: Place, foreign: ForeignCluster) -> None:
    assert convert(place, foreign.address, "--dry-run").code == 0
    assert not place.dst.exists()


def test_a_script_without_a_guard_is_not_run_by_workers(place: Place) -> None:
    script = place.root / "script.py"
    script.write_text(
        "import gpuseg\nprint('once')\n"
        f"report = gpuseg.convert_directory({str(place.src)!r}, {str(place.dst)!r}, "
        f"{str(place.palette)!r}, scheduler='local:2')\nprint(report.files['converted'])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], env=environment(), capture_output=True, text=True
    )
    assert (done.stdout.split(), done.stderr) == (["once", str(FILES)], "")


def test_files_that_kill_their_workers_fail_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharded, "FEWEST", 8)  # each halving costs two workers
    for i in range(20):
        (tmp_path / f"{i:03}{'-poison' * (i == 10)}.png").touch()
    report = look(
        Walk(str(tmp_path)),
        Poisoned(ReadOptions(scheduler="local:2")),
        verb="test",
        report=tmp_path / "report.jsonl",
    )
    rows = read_report(tmp_path / "report.jsonl").files
    assert len(rows) == 20
    failed = {name: row for name, row in rows.items() if row["status"] == "failed"}
    assert list(failed) == ["010-poison.png"]
    assert failed["010-poison.png"]["error"] == "worker"
    assert report.exit_code == 1


def test_fail_fast_leaves_no_tasks(place: Place, foreign: ForeignCluster) -> None:
    for i in range(300):
        (place.src / f"bad{i}.png").write_bytes(b"")
    assert convert(place, foreign.address, "--fail-fast").code == 1
    report = place.report()
    assert report.summary["stopped"] == "fail-fast"
    assert 1 <= len(report.failed()) <= 6
    assert foreign.tasks() == {}


def test_ctrl_c(tmp_path: Path, foreign: ForeignCluster) -> None:
    """Files in hand are finished, all others left; a row for each that was come to."""
    for i in range(500):
        (tmp_path / f"{i:03}.png").touch()
    code = (
        "from gpuseg.runs import look; from gpuseg.discover import Walk\n"
        "from gpuseg.options import ReadOptions; from gpuseg.errors import Interrupted\n"
        "from tests.clusters import Waiting\n"
        f"task = Waiting(ReadOptions(scheduler={foreign.address!r}))\n"
        f"try: look(Walk({str(tmp_path)!r}), task, verb='test', report={str(tmp_path / 'r')!r})\n"
        "except Interrupted as end: print(end.report.exit_code, flush=True)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.begun"))) == 2, "a file on each worker")
        run.send_signal(signal.SIGINT)
        wait_until(lambda: not any("gpuseg-" in k for k in plugins(foreign)), "workers to hear")
        begun = list(tmp_path.glob("*.begun"))
        for flag in begun:
            flag.unlink()
        out, err = run.communicate(timeout=clusters.PATIENCE)
    finally:
        run.kill()
        run.wait()
    assert (out.split(), err) == ([b"130"], b"")
    rows = read_report(tmp_path / "r")
    assert rows.summary["stopped"] == "interrupted"
    assert sorted(rows.files) == sorted(flag.name.removesuffix(".begun") for flag in begun)
    assert foreign.tasks() == {}


def plugins(foreign: ForeignCluster) -> list[str]:
    return [name for name, state in foreign.tasks().items() if state == "plugin"]


def test_archives_are_shards(place: Place, foreign: ForeignCluster) -> None:
    """Each is done as a whole by one worker: the same members as without a cluster."""
    tars = place.root / "tars"
    tars.mkdir()
    for k in range(3):
        with tarfile.open(tars / f"part-{k}.tar", "w") as tar:
            for path in sorted((place.src / str(k)).iterdir()):
                tar.add(path, f"{k}/{path.name}")
            tar.add(place.palette, "classes.txt")
    for name, options in (("here", []), ("there", ["--scheduler", foreign.address])):
        (place.root / name).mkdir()
        source, target = (str(folder / "part-{0..2}.tar") for folder in (tars, place.root / name))
        done = gpuseg("convert", source, target, "--palette", str(place.palette), *options)
        assert done.code == 0, done
    for k in range(3):
        found = []
        for name in ("here", "there"):
            with tarfile.open(place.root / name / f"part-{k}.tar") as tar:
                found.append({m.name: tar.extractfile(m).read() for m in tar})  # type: ignore[union-attr]
        assert found[0] == found[1]
        assert len(found[0]) == FILES // 3
    reports = [read_report(place.root / n / "gpuseg-report.jsonl") for n in ("here", "there")]
    check_shares(reports[1])
    assert reports[1].summary["left_alone"] == reports[0].summary["left_alone"] == {".txt": 3}
    assert foreign.tasks() == {}


def test_what_only_this_process_sees_is_refused(place: Place, foreign: ForeignCluster) -> None:
    """Archives, too, though without a scheduler their members come to the workers."""
    pytest.importorskip("fsspec")
    assert convert(place, foreign.address).code == 0
    before = place.report()
    for src, dst in [
        (place.src, "memory://bucket/dst"),
        (place.src, "memory://bucket/dst.tar"),
        ("memory://bucket/src", place.dst),
        ("memory://bucket/src.tar", place.dst),
    ]:
        arguments = ["convert", str(src), str(dst), "--palette", str(place.palette)]
        done = gpuseg(*arguments, "--scheduler", foreign.address)
        assert done.code == 2, done
        assert "in the memory of this process" in done.err
    assert place.report() == before
