"""The CUDA kernel of confusion matrices against the device's own memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Script, Table, interleaved
from benchmarks.device_facts import NEEDS, gpu_problem
from benchmarks.device_kernels import LAUNCHES, QUEUED, ROTATED, CudaDevice
from benchmarks.samples import blobs, noise
from gpuseg.kernels import confusion

CLASSES = (21, 150)
"""Of VOC, whose matrix fits the shared memory of a block; of ADE20K, which is counted by tiles."""

COUNTED = (
    "Device time between events, best of several; GB/s counts the pixels of both images, read "
    "once; the copy reads and writes half as many bytes each. Images of a batch: 4."
)

IMAGES = 4


class Device(Protocol):
    """What is measured on; see `device_kernels.Device`."""

    def upload(self, array: NDArray[Any]) -> Any:
        """A copy of a host array on the device."""

    def download(self, array: Any) -> NDArray[Any]:
        """A copy of a device array on the host."""

    def confuse(self, truth: Any, prediction: Any, offsets: Any, slots: Any, counts: Any) -> None:
        """Launch the kernel."""

    def copy(self, target: Any, source: Any) -> None:
        """Launch a copy within the device."""

    def seconds(self, launches: Sequence[Callable[[], None]]) -> float:
        """Seconds a launch, by the device's own clock, all launches queued at once."""


class CudaConfusionDevice(CudaDevice):
    """The current CUDA device, by CuPy."""

    def __init__(self) -> None:
        super().__init__()
        self.confuse = self._cuda.confuse


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The table, on the current CUDA device."""
    if problem := gpu_problem():
        raise SystemExit(f"{NEEDS}, but {problem}")
    yield measure(CudaConfusionDevice(), args.repeats, tiny=args.tiny)


def measure(device: Device, repeats: int, *, tiny: bool) -> Table:
    """Label maps of each size, content, type and number of classes."""
    table = Table("CUDA kernel of confusion matrices against a copy within the device")
    for size in (1 << 12,) if tiny else (1 << 21, 1 << 25):
        for classes in CLASSES:
            for content, pair in _contents(size, classes).items():
                for dtype in (np.uint8, np.int64):
                    pixels = [labels.astype(dtype) for labels in pair]
                    _row(device, table, (content, classes), pixels, repeats)
    table.notes += [COUNTED, QUEUED]
    return table


def _contents(size: int, classes: int) -> dict[str, list[NDArray[np.uint8]]]:
    """Flat truths and predictions: blobs, predicted a little beside the truth, and noise."""
    truth = blobs(1024, 2048, classes, seed=1).astype(np.uint8)
    prediction = np.roll(truth, (3, 5), (0, 1))
    tiles = {
        "blobs": [truth, prediction],
        "noise": [noise(1024, 2048, classes, seed=k).astype(np.uint8) for k in (1, 2)],
    }
    return {name: [np.resize(t.reshape(-1), size) for t in pair] for name, pair in tiles.items()}


def _row(
    device: Device,
    table: Table,
    what: tuple[str, int],
    pixels: list[NDArray[Any]],
    repeats: int,
) -> None:
    (content, classes), (size, moved) = what, (pixels[0].size, sum(p.nbytes for p in pixels))
    slots = np.full(256, classes + 1, np.uint16)
    slots[:classes] = np.arange(classes)
    offsets = np.linspace(0, size, IMAGES + 1).astype(np.int64)
    counts = np.zeros((IMAGES, classes + 2, classes + 2), np.int64)
    sets = min(LAUNCHES, max(1, ROTATED // moved))
    pairs = [[device.upload(p) for p in pixels] for _ in range(sets)]
    tables = [device.upload(array) for array in (offsets, slots, counts)]

    def launch(which: int) -> Callable[[], None]:
        return lambda: device.confuse(*pairs[which], *tables)

    def copy(which: int) -> Callable[[], None]:
        return lambda: device.copy(*pairs[which])

    def clock(make: Callable[[int], Callable[[], None]]) -> Callable[[], float]:
        launches = [make(which) for which, _ in zip(cycle(range(sets)), range(LAUNCHES))]
        return lambda: device.seconds(launches)

    times = interleaved({"confuse": clock(launch)}, repeats)
    fresh = device.upload(counts)
    device.confuse(*pairs[0], *tables[:2], fresh)
    confusion.confuse(*pixels, offsets, slots, counts)
    equal = np.array_equal(device.download(fresh), counts)
    times |= interleaved({"copy": clock(copy)}, repeats)  # last: it writes over predictions
    known = {"content": content, "dtype": pixels[0].dtype.name, "classes": classes}
    kernel, copied = times["confuse"].best, times["copy"].best
    table.add(Mpx=size / 1e6, **known, **_rates(size, moved, kernel, copied), equal=equal)


def _rates(pixels: int, moved: int, kernel: float, copied: float) -> dict[str, float]:
    """What the seconds of the kernel and of the copy say. moved: bytes."""
    return {
        "kernel__us": 1e6 * kernel,
        "kernel__GB_per_s": moved / 1e9 / kernel,
        "copy__GB_per_s": moved / 1e9 / copied,
        "of_the_copy__pct": 100 * copied / kernel,
        "kernel__Mpx_per_s": pixels / kernel / 1e6,
    }


SCRIPT = Script("device_confusion", str(__doc__), run)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
