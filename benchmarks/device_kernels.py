"""The CUDA kernel against the device's own memory, and the copies to and from the device."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Script, Table, Times, interleaved, stopwatch
from benchmarks.device_facts import NEEDS, gpu_problem
from benchmarks.measured import is_met
from benchmarks.samples import blobs, noise, paint, voc_palette
from gpuseg.kernels import cpu
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import IndexOptions

BYTES_A_PIXEL = 4
"""What the kernel must move: 3 bytes read, 1 written (the table's own lines not counted)."""

BAR = "≥ 80"
"""Per cent of the copy's bandwidth that the index kernel reaches."""

ROTATED = 1 << 28
"""Inputs are rotated among buffers of this many bytes in all, more than a device's cache holds."""

LAUNCHES = 16
"""Launches between two events, so that the gaps between launches do not count."""

COUNTED = (
    "Device time between events, best of several; GB/s counts the bytes that must move: 3 read "
    "and 1 written a pixel, and as many for the copy (2 read, 2 written)."
)

QUEUED = (
    f"{LAUNCHES} launches are queued at once, on rotating buffers; the smallest size can be "
    "bound by launching. Kernel time only: compare it with no end-to-end figure."
)


class Device(Protocol):
    """What is measured on: a CUDA device, or memory of the host in the tests."""

    def upload(self, array: NDArray[Any]) -> Any:
        """A copy of a host array on the device."""

    def download(self, array: Any) -> NDArray[Any]:
        """A copy of a device array on the host."""

    def empty(self, size: int, dtype: type) -> Any:
        """Device memory, not initialised."""

    def pinned(self, size: int) -> NDArray[np.uint8]:
        """Page-locked host memory."""

    def index(self, pixels: Any, offsets: Any, table: Any, labels: Any, unknown: Any) -> None:
        """Launch the index kernel."""

    def copy(self, target: Any, source: Any) -> None:
        """Launch a copy within the device."""

    def send(self, target: Any, source: NDArray[Any]) -> None:
        """Copy host to device and wait."""

    def fetch(self, target: NDArray[Any], source: Any) -> None:
        """Copy device to host and wait."""

    def seconds(self, launches: Sequence[Callable[[], None]]) -> float:
        """Seconds a launch, by the device's own clock, all launches queued at once."""


class CudaDevice:
    """The current CUDA device, by CuPy."""

    def __init__(self) -> None:
        import cupy

        from gpuseg.kernels import cuda

        self._cupy, self._cuda = cupy, cuda
        self.upload, self.empty, self.pinned = cupy.asarray, cupy.empty, cuda.empty_pinned
        self.index = cuda.index_pixels

    def download(self, array: Any) -> NDArray[Any]:
        """A copy of a device array on the host."""
        return self._cupy.asnumpy(array)  # type: ignore[no-any-return]

    def copy(self, target: Any, source: Any) -> None:
        """Launch a copy within the device."""
        target.data.copy_from_device_async(source.data, source.nbytes)

    def send(self, target: Any, source: NDArray[Any]) -> None:
        """Copy host to device and wait."""
        target.set(source)
        self._cupy.cuda.get_current_stream().synchronize()

    def fetch(self, target: NDArray[Any], source: Any) -> None:
        """Copy device to host and wait."""
        source.get(out=target)
        self._cupy.cuda.get_current_stream().synchronize()

    def seconds(self, launches: Sequence[Callable[[], None]]) -> float:
        """Seconds a launch, by CUDA events around all of them."""
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        start.record()
        for launch in launches:
            launch()
        end.record()
        end.synchronize()
        return self._cupy.cuda.get_elapsed_time(start, end) / 1e3 / len(launches)  # type: ignore[no-any-return]


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The tables, on the current CUDA device."""
    if problem := gpu_problem():
        raise SystemExit(f"{NEEDS}, but {problem}")
    yield from measure(CudaDevice(), args.repeats, tiny=args.tiny)


def measure(device: Device, repeats: int, *, tiny: bool) -> Iterator[Table]:
    """The tables, on any device."""
    sizes = (1 << 12, (1 << 12) + 3) if tiny else (1 << 21, 1 << 25, 1 << 28)
    yield kernel_table(device, sizes, repeats)
    yield copies_table(device, (1 << 12,) if tiny else (6 << 20, 96 << 20), repeats)


def kernel_table(device: Device, sizes: Sequence[int], repeats: int) -> Table:
    """The index kernel, and a copy of as many bytes within the device, in turn."""
    table = Table("CUDA index kernel against a copy within the device")
    lookup = build_lookup(voc_palette(21), IndexOptions(unknown="ignore"))
    entries = device.upload(lookup.table)
    for size in sizes:
        for content, pixels in _contents(size).items():
            _kernel_row(device, table, (content, pixels), (lookup, entries), repeats)
    table.notes += [COUNTED, QUEUED]
    return table


def _contents(size: int) -> dict[str, NDArray[np.uint8]]:
    """Flat pixels of several kinds, made by repeating 2 Mpx."""
    shape, palette = (1024, 2048), voc_palette(21)
    tiles = {
        "blobs": paint(blobs(*shape, 21, seed=1), palette),
        "noise of palette colours": paint(noise(*shape, 21, seed=1), palette),
        "noise of all colours": np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8),
    }
    return {name: np.resize(tile.reshape(-1), 3 * size) for name, tile in tiles.items()}


def _kernel_row(
    device: Device,
    table: Table,
    content: tuple[str, NDArray[np.uint8]],
    tables: tuple[Lookup, Any],
    repeats: int,
) -> None:
    (name, pixels), (lookup, entries) = content, tables
    size = pixels.size // 3
    sets = min(LAUNCHES, max(1, ROTATED // (BYTES_A_PIXEL * size)))
    sources = [device.upload(pixels) for _ in range(sets)]
    outputs = [device.empty(size, np.uint8) for _ in range(sets)]
    offsets, unknown = device.upload(np.array([0, size])), device.empty(1, np.int64)
    halves = [(device.empty(2 * size, np.uint8), s[: 2 * size]) for s in sources]

    def index(which: int) -> Callable[[], None]:
        return lambda: device.index(sources[which], offsets, entries, outputs[which], unknown)

    def copy(which: int) -> Callable[[], None]:
        return lambda: device.copy(*halves[which])

    def clock(make: Callable[[int], Callable[[], None]]) -> Callable[[], float]:
        launches = [make(which) for which, _ in zip(cycle(range(sets)), range(LAUNCHES))]
        return lambda: device.seconds(launches)

    times = interleaved({"index": clock(index), "copy": clock(copy)}, repeats)
    share = 100 * times["copy"].best / times["index"].best
    moved = BYTES_A_PIXEL * size / 1e9
    table.add(
        Mpx=size / 1e6,
        content=name,
        kernel__us=1e6 * times["index"].best,
        kernel__GB_per_s=moved / times["index"].best,
        copy__GB_per_s=moved / times["copy"].best,
        share_of_the_copy__pct=share,
        bar__pct=BAR,
        met=is_met(share, BAR),
        kernel__Mpx_per_s=size / times["index"].best / 1e6,
        equal=_equal(pixels, lookup, device.download(outputs[-1]), device.download(unknown)),
    )


def _equal(
    pixels: NDArray[np.uint8],
    lookup: Lookup,
    labels: NDArray[np.uint8],
    unknown: NDArray[np.int64],
) -> bool:
    """Whether a device's labels and count are those of the CPU kernel."""
    expected, count = np.empty_like(labels), np.zeros(1, np.int64)
    cpu.index_pixels(pixels, np.array([0, labels.size]), lookup.table, expected, count)
    return np.array_equal(labels, expected) and int(unknown[0]) == int(count[0])


def copies_table(device: Device, sizes: Sequence[int], repeats: int) -> Table:
    """Host to device and back, from pageable and from page-locked memory."""
    table = Table("Copies between host and device")
    for size in sizes:
        for kind in ("pageable", "pinned"):
            host = np.ones(size, np.uint8) if kind == "pageable" else device.pinned(size)
            host[:] = 1
            there = device.upload(host)
            directions: dict[str, Callable[[], None]] = {
                "to the device": lambda host=host, there=there: device.send(there, host),
                "to the host": lambda host=host, there=there: device.fetch(host, there),
            }
            times: dict[str, Times] = interleaved(
                {name: stopwatch(work) for name, work in directions.items()}, repeats
            )
            for name, taken in times.items():
                table.add(
                    MiB=size / 2**20,
                    memory=kind,
                    direction=name,
                    best__ms=1e3 * taken.best,
                    median__ms=1e3 * taken.median,
                    speed__GB_per_s=size / taken.best / 1e9,
                )
    table.notes.append("Wall clock, until the copy is finished. 6 MiB is one mask of 2 Mpx.")
    return table


SCRIPT = Script("device_kernels", str(__doc__), run)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
