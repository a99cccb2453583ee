"""Confusion matrices on a device: `confusion.cu`, its launches, and a matrix that stays there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

CODE = files(__package__).joinpath("confusion.cu").read_text(encoding="utf-8")

TYPES = {
    "u1": "unsigned char",
    "i1": "signed char",
    "u2": "unsigned short",
    "i2": "short",
    "u4": "unsigned int",
    "i4": "int",
    "u8": "unsigned long long",
    "i8": "long long",
}
"""Integers of NumPy, and what the CUDA text calls them."""

FEW, MOST = 1 << 12, 3 << 12
"""Cells that a block counts in shared memory: 16 KiB, of which a multiprocessor holds many, or
48 KiB, the most that each device gives a block unasked."""

MOST_TILES = 8
"""Tiles of a matrix, each of which reads all pixels; what is larger is counted in global memory."""

WARPS = 16
"""Warps of a block: of 48 KiB, two fill half a multiprocessor of sm_90, and one that of sm_75."""

STRETCH, PIXELS_A_CELL, BLOCKS = 1 << 14, 4, 1 << 13
"""Pixels of a block: so many at least, and so many for each cell that it clears and merges; and
more where there were more blocks than this."""

GROUP = 16
"""Stretches are whole groups, of 16 pixels at most."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a launch is divided.

    cells: counts of a block in shared memory, or 0. tiles: of a matrix, a block each.
    stretch: pixels of a block. blocks: of the launch.
    """

    cells: int
    tiles: int
    stretch: int
    blocks: int


def layout(pixels: int, bins: int) -> Layout:
    """The division of so many pixels for matrices of `bins` rows and columns."""
    cells = FEW if bins * bins <= FEW else MOST
    tiles = -(-bins // (cells // bins)) if bins <= cells else MOST_TILES + 1
    if tiles > MOST_TILES:
        cells, tiles = 0, 1
    least = max(STRETCH, PIXELS_A_CELL * min(cells, bins * bins), -(-pixels // BLOCKS))
    stretch = -(-least // GROUP) * GROUP
    return Layout(cells, tiles, stretch, tiles * -(-pixels // stretch))


def kernel_name(truth: str, prediction: str, cells: int) -> str:
    """The kernel for labels of such types, for instance `u1` and `i8`."""
    return f"confuse<{TYPES[truth]}, {TYPES[prediction]}, {cells}>"


@cache
def get_kernel(name: str) -> Any:
    """The kernel of that name; each is compiled when it is first needed."""
    module = cupy.RawModule(code=CODE, options=("-std=c++17",), name_expressions=[name])
    return module.get_function(name)


def confuse(truth: Any, prediction: Any, offsets: Any, slots: Any, counts: Any) -> None:
    """Add the pixels of a ragged batch to the confusion matrices of its images.

    Launched on the current stream, and not waited for. Arrays are CuPy's, contiguous, and of the
    current device; see `reference_confusion.confuse`. offsets: None where there is one image.
    """
    bins = counts.shape[-1]
    plan = layout(truth.size, bins)
    if not plan.blocks:
        return
    # as strings without the byte order, which is the device's in any case
    kernel = get_kernel(kernel_name(truth.dtype.str[1:], prediction.dtype.str[1:], plan.cells))
    sizes = (np.int64(truth.size), np.int64(plan.stretch))
    numbers = (np.int32(counts.shape[0]), np.int32(slots.size), np.int32(bins))
    starts = np.uintp(0) if offsets is None else offsets
    arrays = (truth, prediction, starts, slots, counts.view(np.uint64))
    kernel((plan.blocks,), (32, WARPS), (*arrays, *sizes, *numbers))


def confuse_host(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    offsets: NDArray[np.int64],
    slots: NDArray[np.uint16],
    bins: int,
) -> NDArray[np.int64]:
    """Confusion matrices of a batch in host memory, int64 (N, bins, bins), by the current device.

    Both images are best page-locked. Returns when all is done. Raises what CuPy raises:
    OutOfMemoryError, a MemoryError, when the device has no room.
    """
    images = cupy.asarray(truth), cupy.asarray(prediction)
    counts = cupy.zeros((len(offsets) - 1, bins, bins), np.int64)
    confuse(*images, cupy.asarray(offsets), cupy.asarray(slots), counts)
    done = cupy.cuda.Event(block=True, disable_timing=True)
    done.record()
    done.synchronize()  # asleep: to wait for a copy costs a core
    matrices: NDArray[np.int64] = counts.get()
    return matrices


class DeviceMatrix:
    """A confusion matrix in the memory of the current device, which batches are added to.

    Nothing waits for the device but `get`. Streams may differ from call to call: each waits for
    the one before, on the device.
    """

    def __init__(self, slots: NDArray[np.uint16], bins: int) -> None:
        self.device = cupy.cuda.Device()
        self._slots = _allocate(slots)
        self._counts = _allocate(np.zeros((1, bins, bins), np.int64))
        cupy.cuda.get_current_stream().synchronize()
        self._done = cupy.cuda.Event(disable_timing=True)
        self._done.record()

    def add(self, truth: Any, prediction: Any) -> None:
        """Add the pixels of two CuPy arrays, flat, contiguous, of this device."""
        with self.device:
            cupy.cuda.get_current_stream().wait_event(self._done)
            confuse(truth, prediction, None, self._slots, self._counts)
            self._done.record()

    def get(self) -> NDArray[np.int64]:
        """The matrix, int64 (S, S), in host memory, once all batches are in it."""
        with self.device:
            cupy.cuda.get_current_stream().wait_event(self._done)
            matrix: NDArray[np.int64] = self._counts.get()[0]
            return matrix


def _allocate(array: NDArray[Any]) -> Any:
    """A copy on the device that is not in CuPy's pool.

    The pool gives memory away that a kernel on another stream still writes to; what the driver
    frees, it frees when all kernels are done.
    """
    memory = cupy.cuda.MemoryPointer(cupy.cuda.Memory(array.nbytes), 0)
    kept = cupy.ndarray(array.shape, array.dtype, memory)
    kept.set(array)
    return kept
