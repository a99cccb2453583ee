"""Batches of scanlines to labels on a device: `scanlines.cu`, and how it is launched."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import cupy
import numpy as np
from cupy.cuda import nvtx
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch, pitch
from gpuseg.kernels.cuda.memory import device_table
from gpuseg.kernels.lut import Lookup

CODE = files(__package__).joinpath("scanlines.cu").read_text(encoding="utf-8")

SCAN = {8: "scan<unsigned short, unsigned int>", 16: "scan<unsigned int, unsigned long long>"}
"""The kernel from scanlines to labels, by depth."""

FILTER = "filter_rows"
"""The kernel from labels of 8 bits to the scanlines of a label map."""

ROWS, GROUP, PAD = 32, 4, 960
"""Rows of a band, pixels of a group, and bytes around the data, as in the CUDA text."""

FILTER_WARPS = 8
"""Warps of a block of `filter_rows`."""

IMAGE = np.dtype(
    [
        ("start", np.int64),
        ("label_start", np.int64),
        ("line_start", np.int64),
        ("edge_start", np.int64),
        ("width", np.int32),
        ("height", np.int32),
        ("channels", np.int32),
        ("table", np.int32),
    ]
)
"""`struct Image` of the CUDA text."""

BAND = np.dtype([("image", np.int32), ("row", np.int32)])
"""`struct Band` of the CUDA text."""

module = cupy.RawModule(
    code=CODE, options=("-std=c++17",), name_expressions=[*SCAN.values(), FILTER]
)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where everything of a batch lies.

    images: IMAGE (N,). bands: BAND (M,), from top to bottom, image by image.
    groups: of 4 labels in all. edge_words: uint32 words of all edges.
    label_starts: `ScanlineBatch.label_starts`.
    """

    images: NDArray[np.void]
    bands: NDArray[np.void]
    groups: int
    edge_words: int
    label_starts: NDArray[np.int64]


def geometry(batch: ScanlineBatch, depth: int) -> Geometry:
    """Lay out a batch whose labels have `depth` bits."""
    counts = -(-batch.heights // ROWS)
    groups = pitch(batch.widths) // GROUP
    label_starts = batch.label_starts(depth)
    images = np.zeros(len(batch), IMAGE)
    images["start"], images["line_start"] = PAD + batch.starts, label_starts[:-1]
    for name, sizes in (
        ("label_start", groups * batch.heights),
        ("edge_start", counts * groups * batch.channels),
    ):
        images[name] = np.cumsum(sizes) - sizes
    for name in ("width", "height", "channels"):
        images[name] = getattr(batch, f"{name}s" if name != "channels" else name)
    images["table"] = batch.tables
    bands = np.zeros(int(counts.sum()), BAND)
    bands["image"] = np.repeat(np.arange(len(batch)), counts)
    bands["row"] = ROWS * (np.arange(len(bands)) - np.repeat(np.cumsum(counts) - counts, counts))
    edge_words = int((counts * groups * batch.channels).sum())
    return Geometry(images, bands, int((groups * batch.heights).sum()), edge_words, label_starts)


def padded(size: int) -> int:
    """Bytes that the data of a batch take on the device."""
    return PAD + -(-size // 4) * 4 + PAD


def index_batch(batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
    """Labels of a batch in host memory, by the current device on the current stream.

    out: where they go, uint8, `batch.label_starts(depth)[-1]` bytes at least. Both buffers are
    best page-locked. Returns when all is done. Raises what CuPy raises: OutOfMemoryError, a
    MemoryError, when the device has no room.
    """
    plan = geometry(batch, lookup.depth)
    size = int(plan.label_starts[-1])
    clock = _Clock()
    with span("upload"):
        data = cupy.empty(padded(batch.data.size), np.uint8)
        data[PAD : PAD + batch.data.size].set(batch.data)
        launch = Launch.prepare(data, batch, plan, lookup)
        clock.lap("upload")
    with span("index"):
        launch.scan()
        result = launch.filter_rows() if lookup.depth == 8 else launch.labels.view(np.uint8)
        clock.lap("index")
    with span("download"):
        result.get(out=out[:size], blocking=False)  # CuPy would wait at the cost of a core
        clock.lap("download")
        clock.wait()
        unknown, flags = launch.unknown.get(), launch.flags.get()
    return LabelLines(out[:size], plan.label_starts, unknown.view(np.int64), flags, clock.seconds())


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """The arrays of a batch on the device, and the kernels over them, on the current stream."""

    plan: Geometry
    depth: int
    table: Any  # held until all is done, see `memory`
    data: Any
    images: Any
    bands: Any
    entries: Any
    labels: Any  # uint32 (groups,) at depth 8, uint64 at 16: 4 labels each
    edges: Any
    unknown: Any
    flags: Any

    @classmethod
    def prepare(cls, data: Any, batch: ScanlineBatch, plan: Geometry, lookup: Lookup) -> Launch:
        """Memory for a batch. data: its bytes on the device, `padded`."""
        return cls(
            plan,
            lookup.depth,
            device_table(lookup),
            data,
            cupy.asarray(plan.images.view(np.uint8)),
            cupy.asarray(plan.bands.view(np.uint8)),
            cupy.asarray(np.ascontiguousarray(batch.entries)),
            cupy.empty(plan.groups, np.uint32 if lookup.depth == 8 else np.uint64),
            cupy.empty(plan.edge_words, np.uint32),
            cupy.zeros(len(batch), np.uint64),
            cupy.zeros(len(batch), np.uint32),
        )

    def scan(self) -> None:
        """Undo the row filters and look the pixels up, to `labels`, `unknown` and `flags`."""
        bands = len(self.plan.bands)
        progress = cupy.zeros(1 + bands, np.uint32)
        arrays = (self.images, self.bands, self.table, self.entries, self.labels, self.edges)
        kernel = module.get_function(SCAN[self.depth])
        kernel(
            (bands,), (ROWS,),
            (self.data, *arrays, self.unknown, self.flags, progress),
        )  # fmt: skip

    def filter_rows(self) -> Any:
        """The scanlines of the label maps, uint8 (L,), from `labels` at depth 8."""
        lines = cupy.empty(int(self.plan.label_starts[-1]), np.uint8)
        kernel = module.get_function(FILTER)
        arrays = (self.images, self.bands, self.labels, lines)
        kernel((len(self.plan.bands),), (ROWS, FILTER_WARPS), arrays)
        return lines


class _Clock:
    """Time between points of the current stream, by the device's clock."""

    def __init__(self) -> None:
        self._points = [("", self._now())]

    def lap(self, name: str) -> None:
        self._points.append((name, self._now()))

    def wait(self) -> None:
        """Sleep until the last lap is over."""
        self._points[-1][1].synchronize()

    def seconds(self) -> dict[str, float]:
        """Seconds of each lap, once they are over."""
        times = zip(self._points, self._points[1:], strict=False)
        return {
            name: cupy.cuda.get_elapsed_time(before, after) / 1e3
            for (_, before), (name, after) in times
        }

    @staticmethod
    def _now() -> Any:
        event = cupy.cuda.Event(block=True)
        event.record()
        return event


def span(name: str) -> AbstractContextManager[object]:
    """A range of the calling thread, for profilers of NVIDIA (NVTX)."""
    return _Range(name) if nvtx.available else nullcontext()


class _Range:
    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        nvtx.RangePush(f"gpuseg {self._name}")

    def __exit__(self, *error: object) -> None:
        nvtx.RangePop()
