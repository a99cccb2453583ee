"""Several devices, each in a process of its own; the CPU plays them."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import devices
from gpuseg.devices import DevicesFlow
from gpuseg.discover import Source, Walk
from gpuseg.errors import DeviceError
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from tests.making import PALETTE, indices, read_indices, save_mask

fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None


@pytest.fixture(autouse=True)
def _host_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "OPENS", ("tests.kernels.host_device", "open_device"))


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither of two devices has converted all before the other is there."""
    monkeypatch.setenv("GPUSEG_TEST_DEVICES", "2")
    monkeypatch.setenv("GPUSEG_TEST_FOLDER", str(tmp_path_factory.mktemp("devices")))


class Run:
    """A flow over a folder of masks by devices of these numbers."""

    def __init__(self, folder: Path, numbers: tuple[int, ...], files: int, **more: Any) -> None:
        for i in range(files):
            save_mask(folder / "src" / f"{i}.png", 5 + i % 7, 20, seed=i)
        self.folder, self.rows, self.lines, self.log = folder, [], [], []
        options = {"workers": 4, "batch_pixels": 2000, **more}
        job = Job.create(str(folder / "dst"), PALETTE, ConvertOptions(**options))
        self.feed: Feed[Source] = Feed(Walk(str(folder / "src")))
        self.fail_fast = bool(more.get("fail_fast"))
        self.flow = DevicesFlow(self.feed, job, self._add, numbers, self.log.append)

    rows: list[FileResult]
    lines: list[bytes | None]
    log: list[str]

    def _add(self, row: FileResult, line: bytes | None = None) -> None:
        self.rows.append(row)
        self.lines.append(line)
        if self.fail_fast and row.status == "failed":
            self.feed.close()

    def work(self) -> dict[str, FileResult]:
        run_threads(self.flow.work, self.flow.threads, self.feed.close, lambda: None)
        rows = {row.source: row for row in self.rows}
        assert len(rows) == len(self.rows)
        return rows

    def check(self) -> None:
        """What was converted is right."""
        for row in self.rows:
            if row.status == "converted":
                seed = int(Path(row.source).stem)
                want = indices(5 + seed % 7, 20, seed=seed)
                assert np.array_equal(read_indices(self.folder / "dst" / f"{seed}.png"), want)


@pytest.mark.usefixtures("two_at_once")
def test_two_devices_share_the_files(tmp_path: Path) -> None:
    run = Run(tmp_path, (0, 1), 300)
    (tmp_path / "src" / "5.png").write_bytes(b"broken")
    save_mask(tmp_path / "src" / "6.bmp", 11, 20, seed=6)
    (tmp_path / "src" / "6.png").unlink()
    rows = run.work()
    assert len(rows) == 300
    assert {name for name, row in rows.items() if row.status == "failed"} == {"5.png"}
    assert {row.device for row in rows.values() if row.device} == {"host:0", "host:1", "cpu"}
    assert all(line and line.startswith(b"{") for line in run.lines)
    assert run.flow.remark.endswith("(1 of a kind that the device does not take)") or (
        "2 files" in run.flow.remark
    )
    run.check()


def test_one_device_alone_in_its_process(tmp_path: Path) -> None:
    run = Run(tmp_path, (3,), 20)
    assert {row.device for row in run.work().values()} == {"host:3"}
    run.check()


@pytest.mark.usefixtures("two_at_once")
def test_a_device_that_cannot_be_opened_ends_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, (0, 7), 2000)
    with pytest.raises(DeviceError, match="there is no device 7"):
        run.work()
    assert len(run.rows) < 2000
    assert {row.status for row in run.rows} <= {"converted"}
    run.check()


@pytest.mark.usefixtures("two_at_once")
def test_a_process_that_dies_ends_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, (8, 0), 300)
    with pytest.raises(
        DeviceError, match=r"process of device cuda:8 died: ended with code 3; .*run"
    ):
        run.work()
    run.check()


@pytest.mark.usefixtures("two_at_once")
def test_closing_the_feed_finishes_what_is_in_hand(tmp_path: Path) -> None:
    run = Run(tmp_path, (0, 1), 3000, fail_fast=True)
    (tmp_path / "src" / "7.png").write_bytes(b"broken")
    first = sorted(Walk(str(tmp_path / "src")), key=lambda source: source.relative != "7.png")
    run.feed = run.flow._feed = Feed(first)
    rows = run.work()
    assert 0 < len(rows) < 3000
    assert rows["7.png"].status == "failed"
    run.check()


def test_workers_are_divided(tmp_path: Path) -> None:
    assert Run(tmp_path, (0, 1, 2), 1, workers=7).flow._job.options.workers == 2
    assert Run(tmp_path, (0, 1, 2), 1, workers=1).flow._job.options.workers == 1


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="sets the size of pipes")
def test_pipes_smaller_than_what_goes_through_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides write at once, and neither may wait for the other to read."""
    real = subprocess.Popen.__init__

    def small(process: Any, *arguments: Any, **more: Any) -> None:
        real(process, *arguments, **more)
        for pipe in (process.stdin, process.stdout):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 4096)

    monkeypatch.setattr(subprocess.Popen, "__init__", small)
    deep = tmp_path / "src" / ("x" * 250)
    run = Run(tmp_path, (0,), 8, batch_pixels=20_000)
    deep.mkdir()
    for i in range(1500):
        os.link(tmp_path / "src" / f"{i % 8}.png", deep / f"{i}.png")
    assert len(run.work()) == 1508


def test_an_error_of_the_parent_waits_for_nobody(tmp_path: Path) -> None:
    """The process is not asked to finish what nobody will take."""
    run = Run(tmp_path, (0,), 1500, batch_pixels=200_000)
    sources = list(Walk(str(tmp_path / "src")))

    def broken() -> Iterator[Source]:
        yield from sources[:1200]
        raise ValueError("the walk broke")

    run.feed = run.flow._feed = Feed(broken())
    with pytest.raises(ValueError, match="the walk broke"):
        run.work()
