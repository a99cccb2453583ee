"""A CUDA device as the flows see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.kernels.cuda import confusion, memory, scanlines
from gpuseg.kernels.lut import Lookup

NO_MEMORY = 2
"""The number of the driver's and the runtime's error for it."""


class CudaDevice:
    """One CUDA device. A batch has a stream of its own, so that several overlap. See `Device`."""

    def __init__(self, number: int) -> None:
        self.name = f"cuda:{number}"
        self._device = cupy.cuda.Device(number)
        self._idle: deque[Any] = deque()  # streams: CuPy keeps memory apart for each
        self.free_memory()  # raises where there is no such device

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        """Labels of a batch, see `scanlines.index_batch`."""
        with self._working():
            return scanlines.index_batch(batch, lookup, out)

    def confuse(
        self,
        truth: NDArray[np.uint8],
        prediction: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        slots: NDArray[np.uint16],
        bins: int,
    ) -> NDArray[np.int64]:
        """Confusion matrices of a batch, see `confusion.confuse_host`."""
        with self._working():
            return confusion.confuse_host(truth, prediction, offsets, slots, bins)

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Page-locked host memory, uint8 (size,), not initialised."""
        with self._device:
            return memory.empty_pinned(size)

    def free_memory(self) -> int:
        """Bytes that are free on the device, or kept for this process."""
        with self._device:
            free, _ = cupy.cuda.runtime.memGetInfo()
            return int(free) + int(cupy.get_default_memory_pool().free_bytes())

    def span(self, name: str) -> AbstractContextManager[object]:
        """A range of the calling thread, for profilers of NVIDIA (NVTX)."""
        return scanlines.span(name)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Work on this device, on a stream that no other is on. A want of memory is MemoryError."""
        try:
            with self._device, self._stream():
                yield
        except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
            if error.status != NO_MEMORY:
                raise
            raise MemoryError(str(error)) from error

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """Make a stream the current one that no other batch is on."""
        try:
            stream = self._idle.pop()
        except IndexError:
            stream = cupy.cuda.Stream(non_blocking=True)
        try:
            with stream:
                yield
        finally:
            self._idle.append(stream)


def cupy_device(number: int) -> AbstractContextManager[object]:
    """Makes the device of that number the current one of this thread."""
    device: AbstractContextManager[object] = cupy.cuda.Device(number)
    return device


def open_device(number: int) -> CudaDevice:
    """The CUDA device of that number. Raises what CuPy raises where there is none."""
    return CudaDevice(number)
