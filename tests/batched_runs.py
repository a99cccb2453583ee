"""Runs of the batched flow over folders of masks, on devices that are small, slow or broken."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg import staging
from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.batched import BatchedFlow
from gpuseg.discover import Source, Walk
from gpuseg.kernels.lut import Lookup
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from tests.kernels.host_device import HostDevice
from tests.making import PALETTE, indices, read_indices, save_mask


class SpyDevice(HostDevice):
    """Remembers batches and memory; small, slow or broken if told so."""

    def __init__(self, **fields: Any) -> None:
        self.batches: list[tuple[int, int]] = []  # images and pixels of each
        self.memory: list[int] = []
        self.most_pixels = 1 << 60
        self.before: Any = lambda batch: None
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        for name, value in fields.items():
            setattr(self, name, value)

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        self.before(batch)
        if batch.pixels > self.most_pixels:
            raise MemoryError
        with self._lock:
            self.batches.append((len(batch), batch.pixels))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return super().index(batch, lookup, out)
        finally:
            with self._lock:
                self.at_once -= 1

    def empty(self, size: int) -> NDArray[np.uint8]:
        self.memory.append(size)
        return super().empty(size)


class Run:
    """A flow over a folder; `work` runs it."""

    def __init__(self, folder: Path, device: HostDevice, **options: Any) -> None:
        self.rows: list[FileResult] = []
        self.log: list[str] = []
        self.dst = folder / "dst"
        settings = ConvertOptions(**{"workers": 3, "batch_pixels": 700, **options})
        job = Job.create(str(self.dst), PALETTE, settings)
        self.feed: Feed[Source] = Feed(Walk(str(folder / "src")))
        self.flow = BatchedFlow(self.feed, job, self.rows.append, device, self.log.append)

    def work(self) -> dict[str, FileResult]:
        run_threads(self.flow.work, self.flow.threads, self.feed.close, lambda: None)
        assert len({row.source for row in self.rows}) == len(self.rows)
        return {row.source: row for row in self.rows}

    def check(self, shapes: dict[str, tuple[int, int]]) -> None:
        """Each of these masks (seed: its place) has become the right label map."""
        for seed, (name, shape) in enumerate(shapes.items()):
            assert np.array_equal(read_indices(self.dst / name), indices(*shape, seed=seed)), name


def wait_for_all_rooms(run: Run) -> None:
    deadline = monotonic() + 20
    while run.flow._staging.busy < staging.MOST_ROOMS:
        assert monotonic() < deadline
        sleep(0.005)


def make(folder: Path, shapes: list[tuple[int, int]]) -> dict[str, tuple[int, int]]:
    for seed, shape in enumerate(shapes):
        save_mask(folder / "src" / f"{seed:04}.png", *shape, seed=seed)
    return {f"{seed:04}.png": shape for seed, shape in enumerate(shapes)}
