"""Where the time of a conversion by a device goes: a picture, a row for each thread."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.common import Script, Table, positive
from benchmarks.device_facts import NEEDS, gpu_problem
from benchmarks.samples import MaskSet, draw_large
from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.batched import LAUNCHERS, BatchedFlow
from gpuseg.discover import Source, Walk
from gpuseg.kernels.device import Device
from gpuseg.kernels.lut import Lookup
from gpuseg.options import ConvertOptions, usable_cpus
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult

# The palette of Okabe and Ito, which most colour-blind people tell apart.
COLOURS = {
    "inflate": "#0072B2",
    "deflate and write": "#009E73",
    "upload": "#E69F00",
    "index": "#D55E00",
    "download": "#CC79A7",
}

WIDTH, ROW, LEFT, TOP = 1600, 26, 150, 64
"""Sizes of the picture in pixels: all of it, a row, the names, what stands above the rows."""

STEPS = [m * 10.0**e for e in range(-6, 6) for m in (1, 2, 5)]
"""Seconds between two lines of the time axis: the first by which there are few enough."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a thread, or a launcher's stream on the device, did from when to when, in s."""

    row: str
    what: str
    start: float
    end: float


class Recorder:
    """A device that notes what is done on it and around it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.name = device.name
        self.bars: list[Bar] = []
        self._rows: dict[int, str] = {}
        self._lock = threading.Lock()

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        """See Device; its stages are noted backwards from the end, by the device's own clock."""
        row = self._row("stream")
        start = perf_counter()
        lines = self._device.index(batch, lookup, out)
        end = perf_counter()
        seconds = lines.seconds or {"index": end - start}
        for what in ("download", "index", "upload"):
            if what in seconds:
                self.bars.append(Bar(row, what, end - seconds[what], end))
                end -= seconds[what]
        return lines

    def empty(self, size: int) -> NDArray[np.uint8]:
        """See Device."""
        return self._device.empty(size)

    def free_memory(self) -> int:
        """See Device."""
        return self._device.free_memory()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """See Device."""
        start = perf_counter()
        with self._range(name):
            yield
        self.bars.append(Bar(self._row("worker"), name, start, perf_counter()))

    def _range(self, name: str) -> AbstractContextManager[object]:
        return self._device.span(name)

    def _row(self, kind: str) -> str:
        """The name of this thread's row."""
        thread = threading.get_ident()
        with self._lock:
            if thread not in self._rows:
                number = sum(row.startswith(kind) for row in self._rows.values())
                self._rows[thread] = f"{kind} {number}"
            return self._rows[thread]


def convert(masks: MaskSet, device: Device, workers: int, work: Path) -> tuple[list[Bar], int]:
    """Convert a set; what was done when, and how many files."""
    recorder = Recorder(device)
    rows: list[FileResult] = []
    with tempfile.TemporaryDirectory(dir=work) as target:
        job = Job.create(target, masks.palette, ConvertOptions(workers=workers))
        feed: Feed[Source] = Feed(Walk(str(masks.folder)))
        flow = BatchedFlow(feed, job, rows.append, recorder, print)
        run_threads(flow.work, flow.threads, feed.close, lambda: None)
    return recorder.bars, len(rows)


def draw(bars: Sequence[Bar], title: str, path: Path) -> None:
    """Save a picture of the bars as PNG."""
    start = min(bar.start for bar in bars)
    whole = max(bar.end for bar in bars) - start
    rows = sorted({bar.row for bar in bars}, key=lambda row: (row[0] == "w", len(row), row))
    height = TOP + ROW * len(rows) + 40
    image = Image.new("RGB", (WIDTH, height), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    pen.text((10, 8), title, "black", font)
    at = LEFT
    for what, colour in COLOURS.items():
        pen.rectangle((at, 36, at + 14, 50), colour)
        pen.text((at + 20, 34), what, "black", font)
        at += 40 + int(pen.textlength(what, font))
    scale = (WIDTH - LEFT - 20) / whole
    bottom = TOP + ROW * len(rows)
    step = next(s for s in STEPS if whole / s <= 12)
    for k in range(int(whole / step) + 1):
        x = LEFT + scale * step * k
        pen.line((x, TOP, x, bottom), "#dddddd")
        label = f"{1e3 * step * k:g}" + ("" if k else " ms")
        pen.text((x - pen.textlength(label, font) / 2, bottom + 6), label, "black", font)
    for k, row in enumerate(rows):
        pen.text((10, TOP + ROW * k + 5), row, "black", font)
    for bar in bars:
        y = TOP + ROW * rows.index(bar.row)
        left, right = (LEFT + scale * (t - start) for t in (bar.start, bar.end))
        pen.rectangle((left, y + 3, max(left, right - 1), y + ROW - 4), COLOURS[bar.what])
    image.save(path)


def shares(bars: Sequence[Bar], workers: int, files: int) -> Table:
    """Milliseconds a file, and how busy workers and streams were."""
    whole = max(bar.end for bar in bars) - min(bar.start for bar in bars)
    table = Table("Where the time goes")
    for what in COLOURS:
        taken = sum(bar.end - bar.start for bar in bars if bar.what == what)
        threads = workers if what in ("inflate", "deflate and write") else LAUNCHERS
        table.add(
            what=what,
            ms_a_file=1e3 * taken / files,
            share_of_its_threads__pct=100 * taken / whole / threads,
        )
    table.notes.append(f"{files} files in {1e3 * whole:.0f} ms by {workers} workers.")
    return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument("--workers", type=positive, default=usable_cpus())
    parser.add_argument("--picture", type=Path, metavar="FILE", help="save the picture there")
    parser.add_argument("--copies", type=positive, default=12)


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The table, and the picture."""
    if problem := gpu_problem():
        raise SystemExit(f"{NEEDS}, but {problem}")
    from gpuseg.kernels import backend

    yield measure(backend.open_device(0), args, work)


def measure(device: Device, args: argparse.Namespace, work: Path) -> Table:
    """The table and the picture, of any device."""
    masks = draw_large(work, 1 if args.tiny else args.copies, tiny=args.tiny)
    convert(masks, device, args.workers, work)  # warms up
    bars, files = convert(masks, device, args.workers, work)
    if args.picture is not None:
        args.picture.parent.mkdir(parents=True, exist_ok=True)
        draw(bars, f"{files} masks of 2048 x 1024 px on {device.name}", args.picture)
    return shares(bars, args.workers, files)


SCRIPT = Script("timeline", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
