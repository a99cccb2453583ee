"""Worker processes: the same files, rows and bytes as by threads, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gpuseg import child, processes
from gpuseg.child import Worker
from gpuseg.errors import WorkerError
from gpuseg.kernels import jit
from gpuseg.options import ConvertOptions
from gpuseg.pipeline import Conversion
from gpuseg.plan import Job
from gpuseg.task import Reach, Task
from tests import impatient
from tests.helpers import (
    Place,
    check_exact,
    check_run,
    children,
    environment,
    start,
    temps,
    tree,
)
from tests.making import PALETTE, save_mask

Start = Callable[..., None]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.good(9)
    return place


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Processes are used at once; the ids of those that a test starts."""
    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    monkeypatch.setattr(processes.ProcessFlow, "_is_decided", impatient.decided)
    ids: list[int] = []

    class Noted(Worker):
        def __init__(self, task: Task, *, lines: bool, reach: Reach) -> None:
            super().__init__(task, lines=lines, reach=reach)
            ids.append(self._process.pid)

    monkeypatch.setattr(processes, "Worker", Noted)
    return ids


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run_as(monkeypatch: pytest.MonkeyPatch, function: Callable[[], None]) -> None:
    """Worker processes run a function of `impatient`."""
    monkeypatch.setattr(child, "_COMMAND", impatient.COMMAND.format(function.__name__))


def test_processes_convert_as_threads_do(place: Place, started: list[int]) -> None:
    (place.src / "bad.png").write_bytes(b"\x89PNG")
    (place.src / "jpeg.png").write_bytes(b"\xff\xd8\xff")
    report = check_run(place, place.convert("--verify"), "bad.png", "jpeg.png", converted=9)
    assert len(started) == 2
    assert not any(is_running(pid) for pid in started)
    for row in report.files.values():
        if row["status"] == "converted":
            assert row["codec"] == "png"
            assert set(row["seconds"]) == {"read", "inflate", "index", "encode", "write", "verify"}
    assert place.convert("--quiet").code == 1  # a second run redoes nothing
    assert place.report().summary["files"]["unchanged"] == 9


@pytest.mark.parametrize(
    "options", [("--unknown", "nearest"), ("--depth", "16"), ("--dry-run",), ("--codec", "pillow")]
)
def test_options_reach_the_processes(
    place: Place, started: list[int], options: tuple[str, ...]
) -> None:
    done = place.convert(*options)
    assert done.code == 0, done
    assert started
    if "--dry-run" in options:
        assert not place.dst.exists()
        return
    fields = {"depth": 16} if "--depth" in options else {}
    assert len(check_exact(place, **fields)) == 9


def test_few_files_are_left_to_threads(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    monkeypatch.setattr(processes, "Worker", None)  # not called
    check_run(place, place.convert(), converted=9)


def test_threads_do_all_where_each_process_would_compile(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PATIENCE", 0.0), ("ENOUGH", 1), ("TIMES_DONE", 0), ("Worker", None)):
        monkeypatch.setattr(processes, name, value)
    monkeypatch.setattr(jit, "_cached", False)
    check_run(place, place.convert(), converted=9)


def test_one_worker_is_this_process(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_run(place, place.convert("--workers", "1"), converted=9)
    assert started == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_file_that_kills_its_worker_fails_alone(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_mask(place.src / "poison.png")
    save_mask(place.src / "sub" / "poison.png")
    run_as(monkeypatch, impatient.poisoned)
    assert place.convert().code == 1
    report = place.report()
    assert report.failed() == ["poison.png", "sub/poison.png"]
    counts = report.summary["files"]  # what the dead one had finished is found to be there
    assert counts["converted"] + counts["unchanged"] == 9
    assert len(check_exact(place)) == 9
    assert report.files["poison.png"]["error"] == "worker"
    assert "killed from outside" in report.files["poison.png"]["message"]
    assert not any(is_running(pid) for pid in started)


@pytest.mark.parametrize("worker", [impatient.talkative, impatient.chatty_start])
def test_what_is_printed_in_a_worker_is_no_answer(
    place: Place,
    started: list[int],
    monkeypatch: pytest.MonkeyPatch,
    worker: Callable[[], None],
) -> None:
    run_as(monkeypatch, worker)
    check_run(place, place.convert(), converted=9)
    assert started


@pytest.mark.parametrize("way", ["no interpreter", "no such program", "stillborn"])
def test_threads_do_the_work_where_no_process_starts(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "stillborn":
        run_as(monkeypatch, impatient.stillborn)
    else:
        monkeypatch.setattr(sys, "executable", "" if way == "no interpreter" else "/no/python")
    done = place.convert()
    check_run(place, done, converted=9)
    assert "a worker process" in done.out
    assert "threads did its work" in place.report().summary["remark"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_no_other_worker_starts_after_a_death(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the dead one had in hand fails and says why; threads do the rest."""
    monkeypatch.setenv("GPUSEG_TEST_FLAG", str(place.root / "flag"))
    monkeypatch.setattr(processes, "RESTARTS", 2)
    run_as(monkeypatch, impatient.dies_once)
    assert place.convert("--workers", "2").code == 1
    report = place.report()
    assert len(report.files) == 9
    assert report.failed()
    for name in report.failed():
        assert "no other could be started; run again" in report.files[name]["message"]
    assert place.convert().code == 0  # the flag is still there: threads do all
    assert len(check_exact(place)) == 9


def test_a_current_folder_that_is_gone(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.syspath_prepend("")
    gone.rmdir()
    check_run(place, place.convert(), converted=9)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_meanwhile_does_not_hold_the_run_up(tmp_path: Path) -> None:
    """A forked child keeps copies of the pipes open, so their end alone would not be seen."""
    worker = Worker(Conversion(Job.create(str(tmp_path), PALETTE, ConvertOptions())))
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = subprocess.Popen(command, pass_fds=[worker._process.stdin.fileno()])
    try:
        began = time.monotonic()
        worker.close()
        assert time.monotonic() - began < 20
    finally:
        child.kill()
        child.wait()


def test_fail_fast_ends_a_turn(place: Place, started: list[int]) -> None:
    for i in range(300):
        (place.src / f"bad{i}.png").write_bytes(b"")
    assert place.convert("--fail-fast", "--workers", "1").code == 1
    assert len(place.report().failed()) == 1
    assert place.convert("--fail-fast").code == 1
    assert len(place.report().failed()) <= 2


def test_a_worker_that_does_not_get_ready_is_given_up(
    place: Place, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "START_LIMIT", 0.3)
    monkeypatch.setattr(child, "_COMMAND", "import time; time.sleep(60)")
    began = time.monotonic()
    check_run(place, place.convert(), converted=9)
    assert time.monotonic() - began < 20
    assert "threads did its work" in place.report().summary["remark"]


def test_workers_are_started_as_their_parent_was() -> None:
    command = [sys.executable, "-X", "utf8", "-c", "from gpuseg.child import _flags as f; "]
    command[-1] += "print(' '.join(f()))"
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    assert "utf8" in done.stdout


def test_a_dead_worker_says_so(tmp_path: Path) -> None:
    worker = Worker(Conversion(Job.create(str(tmp_path), PALETTE, ConvertOptions())))
    worker._process.kill()
    with pytest.raises(WorkerError, match=r"died: (killed|ended)"):
        worker.run([])
    worker.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_run(tmp_path: Path, way: signal.Signals) -> None:
    place = Place(tmp_path)
    for i in range(6000):
        path = place.src / f"{i}.png"
        if i < 5:
            save_mask(path, 150, 200, seed=i)
        else:
            os.link(place.src / f"{i % 5}.png", path)
    run = start(place, "tests.impatient")
    workers: list[int] = []
    while run.poll() is None and (len(workers) < 2 or len(tree(place.dst)) < 40):
        workers = children(run.pid) or workers
        time.sleep(0.01)
    run.send_signal(way)
    out, err = run.communicate(timeout=300)
    assert len(workers) == 2, (out, err)
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_running(pid) for pid in workers)
    assert err == b""
    done = check_exact(place)
    assert 40 <= len(done) < 6000
    assert temps(place.dst) == []
    if way == signal.SIGINT:
        assert run.returncode == 130
        assert sorted(row["target"] for row in place.report().files.values()) == done
