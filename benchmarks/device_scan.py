"""The CUDA kernels over scanlines against the device's own memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Script, Table, interleaved
from benchmarks.device_facts import NEEDS, gpu_problem
from benchmarks.free_device import label_lines
from benchmarks.measured import is_met
from benchmarks.samples import Pixels, blobs, noise, paint, voc_palette
from gpuseg.batch import ScanlineBatch
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import IndexOptions

BAR = "≥ 40"
"""Per cent of the copy's bandwidth that undoing filters and indexing reach together."""

LAUNCHES = 8
"""Launches between two events, so that the gaps between launches do not count."""

BYTES_A_PIXEL = 4
"""What must move: 3 bytes read, 1 written."""

COUNTED = (
    "Device time between events, best of several. GB/s counts the bytes that must move: 3 read "
    "and 1 written a pixel, and as many for the copy within the device (2 read, 2 written). scan "
    "undoes the row filters and looks the labels up, filter makes scanlines of label maps."
)

REPEATED = (
    "All images of a batch are the same one; filters as Pillow chooses them, or one for all rows. "
    "Kernel time only: compare it with no end-to-end figure."
)


class Prepared(Protocol):
    """A batch on a device."""

    def scan(self) -> None:
        """Launch the kernel from scanlines to labels."""

    def filter_rows(self) -> Any:
        """Launch the kernel from labels to scanlines of label maps, which it returns."""


class ScanDevice(Protocol):
    """What is measured on: a CUDA device, or memory of the host in the tests."""

    def prepare(self, batch: ScanlineBatch, lookup: Lookup) -> Prepared:
        """A batch with all the memory that it needs."""

    def copier(self, size: int) -> Callable[[], None]:
        """Launches a copy of `size` bytes within the device."""

    def download(self, array: Any) -> NDArray[Any]:
        """A device array on the host."""

    def seconds(self, launches: Sequence[Callable[[], object]]) -> float:
        """Seconds a launch, by the device's own clock."""


class CudaScanDevice:
    """The current CUDA device."""

    def prepare(self, batch: ScanlineBatch, lookup: Lookup) -> Prepared:
        """See ScanDevice."""
        import cupy

        from gpuseg.kernels.cuda import scanlines

        data = cupy.empty(scanlines.padded(batch.data.size), np.uint8)
        data[scanlines.PAD : scanlines.PAD + batch.data.size].set(batch.data)
        plan = scanlines.geometry(batch, lookup.depth)
        return scanlines.Launch.prepare(data, batch, plan, lookup)

    def copier(self, size: int) -> Callable[[], None]:
        """See ScanDevice."""
        import cupy

        source, target = cupy.zeros(size, np.uint8), cupy.empty(size, np.uint8)
        return lambda: target.data.copy_from_device_async(source.data, size)

    def download(self, array: Any) -> NDArray[Any]:
        """See ScanDevice."""
        import cupy

        return cupy.asnumpy(array)  # type: ignore[no-any-return]

    def seconds(self, launches: Sequence[Callable[[], object]]) -> float:
        """See ScanDevice."""
        import cupy

        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for launch in launches:
            launch()
        end.record()
        end.synchronize()
        return cupy.cuda.get_elapsed_time(start, end) / 1e3 / len(launches)  # type: ignore[no-any-return]


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The table, on the current CUDA device."""
    if problem := gpu_problem():
        raise SystemExit(f"{NEEDS}, but {problem}")
    yield measure(CudaScanDevice(), args.repeats, tiny=args.tiny)


def measure(device: ScanDevice, repeats: int, *, tiny: bool) -> Table:
    """The table, on any device."""
    table = Table("CUDA kernels over scanlines against a copy within the device")
    lookup = build_lookup(voc_palette(21), IndexOptions())
    shapes = [(12, 17)] if tiny else [(1024, 2048), (360, 480)]
    for shape in shapes:
        for content, lines in _contents(shape):
            for pixels in (2000,) if tiny else (1 << 25, 1 << 27):
                count = max(2, pixels // (shape[0] * shape[1]))
                _add(device, table, (content, shape), repeat(lines, shape, count), lookup, repeats)
    table.notes += [COUNTED, REPEATED]
    return table


def _contents(shape: tuple[int, int]) -> Iterator[tuple[str, Pixels]]:
    """Scanlines of one image of several kinds, uint8 (H, 1 + 3 * W)."""
    palette = voc_palette(21)
    drawn = paint(blobs(*shape, 21, seed=1), palette)
    yield "blobs, filters chosen for each row", filtered(drawn, None)
    yield "blobs, all rows Paeth", filtered(drawn, 4)
    yield "noise, all rows Paeth", filtered(paint(noise(*shape, 21, seed=1), palette), 4)


def filtered(pixels: Pixels, kind: int | None) -> Pixels:
    """Scanlines of an image, uint8 (H, W, 3); kind None: the filter of least sum, row by row."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, -1).astype(np.int16)
    left = np.pad(rows, ((0, 0), (3, 0)))[:, : 3 * width]
    above = np.pad(rows, ((1, 0), (0, 0)))[:height]
    corner = np.pad(above, ((0, 0), (3, 0)))[:, : 3 * width]
    guess = left + above - corner
    to = [abs(guess - each) for each in (left, above, corner)]
    paeth = np.where((to[0] <= to[1]) & (to[0] <= to[2]), left,
                     np.where(to[1] <= to[2], above, corner))  # fmt: skip
    predictors = (0 * rows, left, above, (left + above) // 2, paeth)
    residuals = np.stack([(rows - each).astype(np.uint8) for each in predictors])
    sums = abs(residuals.astype(np.int8).astype(np.int32)).sum(axis=2)  # libpng's heuristic
    kinds = sums.argmin(axis=0) if kind is None else np.full(height, kind)
    chosen = residuals[kinds, np.arange(height)]
    return np.column_stack([kinds.astype(np.uint8), chosen])


def repeat(lines: Pixels, shape: tuple[int, int], count: int) -> ScanlineBatch:
    """A batch of `count` times the same image."""
    height, width = shape
    data = np.tile(lines.reshape(-1), count)
    ones = np.ones(count, np.int64)
    starts = np.arange(count, dtype=np.int64) * lines.size
    empty = np.empty((0, 256), np.uint16)
    return ScanlineBatch(data, starts, width * ones, height * ones, 3 * ones, empty, 0 * ones)


def _add(
    device: ScanDevice,
    table: Table,
    named: tuple[str, tuple[int, int]],
    batch: ScanlineBatch,
    lookup: Lookup,
    repeats: int,
) -> None:
    content, (height, width) = named
    prepared = device.prepare(batch, lookup)
    copy = device.copier(BYTES_A_PIXEL * batch.pixels // 2)

    def clock(launch: Callable[[], object]) -> Callable[[], float]:
        return lambda: device.seconds([launch] * LAUNCHES)

    kernels = {"scan": prepared.scan, "filter": prepared.filter_rows, "copy": copy}
    times = interleaved({name: clock(launch) for name, launch in kernels.items()}, repeats)
    found = device.download(prepared.filter_rows())
    expected = label_lines(batch, 0, lookup)
    equal = bool((found.reshape(len(batch), -1) == expected).all())
    share = 100 * times["copy"].best / times["scan"].best
    table.add(
        content=content,
        images=f"{len(batch)} of {height}×{width}",
        scan__us=1e6 * times["scan"].best,
        filter__us=1e6 * times["filter"].best,
        scan__GB_per_s=BYTES_A_PIXEL * batch.pixels / 1e9 / times["scan"].best,
        copy__GB_per_s=BYTES_A_PIXEL * batch.pixels / 1e9 / times["copy"].best,
        share_of_the_copy__pct=share,
        bar__pct=BAR,
        met=is_met(share, BAR),
        equal=equal,
    )


SCRIPT = Script("device_scan", str(__doc__), run)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
