"""`auto` where there is a device: who is faster converts the rest."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest

from gpuseg import choice
from gpuseg.batch import LabelLines
from gpuseg.choice import MeasuredFlow
from gpuseg.discover import Source, Walk
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.report import FileResult
from tests.kernels.host_device import HostDevice
from tests.making import PALETTE, indices, read_indices, save_mask

FILES = 400


class Paced(HostDevice):
    """A device whose batches take a given time more."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def index(self, *arguments: Any) -> LabelLines:
        sleep(self.seconds)
        return super().index(*arguments)


def convert(
    tmp_path: Path, device: HostDevice, monkeypatch: pytest.MonkeyPatch, pace: float
) -> tuple[dict[str, FileResult], str, MeasuredFlow]:
    """Convert many files; pace: seconds that one takes more on the CPU."""
    for i in range(FILES):
        save_mask(tmp_path / "src" / f"{i}.png", 8, 12, seed=i)
    real = choice.convert_source

    def slow(*arguments: Any) -> FileResult:
        sleep(pace)
        return real(*arguments)

    monkeypatch.setattr(choice, "convert_source", slow)
    for name in ("CPU_SECONDS", "WARM_UP_SECONDS", "DEVICE_SECONDS"):
        monkeypatch.setattr(choice, name, 0.1)
    options = ConvertOptions(workers=2, batch_pixels=200)
    job = Job.create(str(tmp_path / "dst"), PALETTE, options)
    feed: Feed[Source] = Feed(Walk(str(tmp_path / "src")))
    rows: list[FileResult] = []
    told: list[str] = []

    def add(row: FileResult, line: bytes | None = None) -> None:
        rows.append(row)

    flow = MeasuredFlow(feed, job, add, device, told.append, told.append)
    run_threads(flow.work, flow.threads, feed.close, lambda: None)
    assert len({row.source for row in rows}) == len(rows) == FILES
    assert {row.status for row in rows} == {"converted"}
    for i in range(0, FILES, 17):
        assert np.array_equal(read_indices(tmp_path / "dst" / f"{i}.png"), indices(8, 12, seed=i))
    return {row.source: row for row in rows}, told[-1], flow


def test_a_slow_device_leaves_the_rest_to_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, told, _ = convert(tmp_path, Paced(0.05), monkeypatch, pace=0.001)
    assert told.startswith("cpu: host converted ")
    assert "on one thread, times 2)" in told
    devices = [row.device for row in rows.values()]
    assert 0 < devices.count("host") < FILES / 2 < devices.count("cpu")


def test_a_fast_device_converts_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, told, flow = convert(tmp_path, Paced(0.01), monkeypatch, pace=0.02)
    assert told.startswith("cuda: host converted ")
    devices = [row.device for row in rows.values()]
    assert 0 < devices.count("cpu") < 20
    assert flow.remark == ""


def test_few_files_are_told_apart_from_a_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.test_choice.FILES", 3)
    _, told, _ = convert(tmp_path, Paced(0), monkeypatch, pace=0)
    assert told == "auto: too few files to tell if host or the CPU is faster"
