"""`auto` where there is a device: who is faster converts the rest. The time is played."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import choice, processes
from gpuseg.batch import LabelLines
from gpuseg.choice import MeasuredFlow
from gpuseg.discover import Walk
from gpuseg.errors import WorkerError
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from tests.kernels.host_device import HostDevice
from tests.making import PALETTE, indices, read_indices, save_mask

FILES = 400


class Clock:
    """Time that passes only where something is said to take it."""

    def __init__(self) -> None:
        self._now, self._lock = 0.0, threading.Lock()

    def __call__(self) -> float:
        return self._now

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


class Paced(HostDevice):
    """A device whose batches take a given time, and that fails at one of them if told so."""

    def __init__(self, seconds: float, fails_at: int = 1 << 30) -> None:
        self.seconds, self.fails_at, self.calls = seconds, fails_at, 0
        self.clock = Clock()

    def index(self, *arguments: Any) -> LabelLines:
        self.clock.pass_by(self.seconds)
        self.calls += 1
        if self.calls >= self.fails_at:
            raise RuntimeError("it fell off the bus")
        return super().index(*arguments)


class Run:
    """A folder of masks to be converted, one file taking `pace` seconds on a thread of the CPU."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, pace: float) -> None:
        self.folder, self._patch, self._pace = folder, patch, pace
        self.job = Job.create(
            str(folder / "dst"), PALETTE, ConvertOptions(workers=2, batch_pixels=200)
        )
        self.told: list[str] = []

    def make(self, files: int) -> None:
        for i in range(files):
            save_mask(self.folder / "src" / f"{i}.png", 8, 12, seed=i)

    def work(
        self, device: Paced, unchanged: float = 0, most: int = 1 << 30
    ) -> dict[str, FileResult]:
        """Convert; unchanged: seconds of a file that is up to date. most: rows until Ctrl-C."""
        real, real_begin = choice.convert_source, choice.begin

        def convert(*arguments: Any) -> FileResult:
            device.clock.pass_by(self._pace)
            return real(*arguments)

        def begin(*arguments: Any) -> Any:
            found = real_begin(*arguments)
            if isinstance(found, FileResult):
                device.clock.pass_by(unchanged)
            return found

        with self._patch.context() as patch:
            patch.setattr(choice, "convert_source", convert)
            patch.setattr(choice, "begin", begin)
            patch.setattr(choice, "monotonic", device.clock)
            for name in ("CPU_SECONDS", "WARM_UP_SECONDS", "DEVICE_SECONDS"):
                patch.setattr(choice, name, 0.1)
            return self._run(device, most)

    def _run(self, device: Paced, most: int) -> dict[str, FileResult]:
        walk = Walk(str(self.folder / "src"))
        feed = Feed(sorted(walk, key=lambda source: int(Path(source.relative).stem)))
        rows: list[FileResult] = []

        def add(row: FileResult, line: bytes | None = None) -> None:
            rows.append(row)
            if len(rows) == most:
                feed.close()

        self.flow = MeasuredFlow(feed, self.job, add, device, self.told.append, self.told.append)
        run_threads(self.flow.work, self.flow.threads, feed.close, lambda: None)
        found = {row.source: row for row in rows}
        assert len(found) == len(rows)
        assert len(rows) >= min(most, len(list((self.folder / "src").iterdir())))
        assert {row.status for row in rows} <= {"converted", "unchanged"}
        for i in range(0, min(most, len(rows)), 17):
            label = read_indices(self.folder / "dst" / f"{i}.png")
            assert np.array_equal(label, indices(8, 12, seed=i))
        return found


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A hundred files a second on one thread of the CPU."""
    run = Run(tmp_path, monkeypatch, pace=0.01)
    run.make(FILES)
    return run


def devices(rows: dict[str, FileResult]) -> list[str]:
    return [row.device for row in rows.values() if row.status == "converted"]


def test_a_slow_device_leaves_the_rest_to_the_cpu(run: Run) -> None:
    found = devices(run.work(Paced(0.05)))
    assert run.told[-1].startswith("cpu: host converted ")
    assert "on one thread, times 2)" in run.told[-1]
    assert 0 < found.count("host") < FILES / 2 < found.count("cpu")


def test_a_fast_device_converts_the_rest(run: Run) -> None:
    found = devices(run.work(Paced(0.002)))
    assert run.told[-1].startswith("cuda: host converted ")
    assert 0 < found.count("cpu") < 20
    assert run.flow.remark == ""


def test_files_that_are_up_to_date_do_not_count(run: Run) -> None:
    """They come first, take the time of all phases, and say nothing of either."""
    run.work(Paced(0.002))
    for i in range(FILES, FILES + 300):
        save_mask(run.folder / "src" / f"{i}.png", 8, 12, seed=i)
    rows = run.work(Paced(0.002), unchanged=0.03)
    assert sum(row.status == "unchanged" for row in rows.values()) == FILES
    assert run.told[-1].startswith("cuda: host converted ")
    assert " could 0 " not in run.told[-1]


def test_ctrl_c_also_stops_what_was_looked_ahead_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*arguments: Any, **options: Any) -> None:
        raise WorkerError("cannot be started")

    for name, value in (("PATIENCE", 0.0), ("ENOUGH", 200), ("Worker", none)):
        monkeypatch.setattr(processes, name, value)
    assert len(run.work(Paced(0.05), most=200)) < 220


def test_few_files_are_told_apart_from_a_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, monkeypatch, pace=0)
    run.make(3)
    run.work(Paced(0))
    assert run.told == [
        "auto: the run was over before its first files told if host or the CPU is faster"
    ]


@pytest.mark.parametrize("call", [1, 2, 20, 80, 150])
def test_a_device_that_fails_leaves_the_rest_to_the_cpu(run: Run, call: int) -> None:
    """At its first batch, while it is measured, and once it was chosen."""
    found = devices(run.work(Paced(0.002, fails_at=call)))
    assert run.told[-1] == "cpu: host failed (RuntimeError: it fell off the bus)"
    assert found.count("cpu") > 10
    assert run.told[0].startswith("cuda: host converted ") == (call == 150)


def test_what_several_flows_left_to_the_cpu_is_added_up(run: Run) -> None:
    for i in range(40):
        save_mask(run.folder / "src" / f"{i}.bmp", 8, 12, seed=i)
        (run.folder / "src" / f"{i}.png").unlink()
    run.work(Paced(0.002))
    assert run.flow.remark.count("left to the CPU") == 1
