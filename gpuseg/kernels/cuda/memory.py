"""Device memory: tables that are kept there, page-locked memory, arrays of other libraries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import Lookup

KEPT_TABLES = 4
"""Lookup tables kept on the devices, 32 MiB each (64 at depth 16)."""

KEPT_COLOURS = 16
"""Colour tables kept on the devices, 1 KiB each (256 at depth 16)."""


class _Kept:
    """The last few host arrays that were needed on a device, by device and key.

    Who launches a kernel on one holds it until the kernel is done: the memory of one that lost
    its place goes back to the stream that it was made on.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._arrays: OrderedDict[tuple[int, Any], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any, array: NDArray[Any]) -> Any:
        """The array on the current device. Safe to call from any thread."""
        place = (cupy.cuda.Device().id, key)
        with self._lock:
            if place not in self._arrays:
                self._arrays[place] = cupy.asarray(array)
                cupy.cuda.get_current_stream().synchronize()  # other streams may read it next
                while len(self._arrays) > self._most:
                    self._arrays.popitem(last=False)
            self._arrays.move_to_end(place)
            return self._arrays[place]

    def clear(self) -> None:
        with self._lock:
            self._arrays.clear()

    def __len__(self) -> int:
        return len(self._arrays)


_tables = _Kept(KEPT_TABLES)
_colours = _Kept(KEPT_COLOURS)


def empty_pinned(size: int) -> NDArray[np.uint8]:
    """Page-locked host memory, uint8 (size,), not initialised."""
    if not size:
        return np.empty(0, np.uint8)
    memory = cupy.cuda.alloc_pinned_memory(size)  # freed with the last array that views it
    return np.frombuffer(memory, np.uint8, size)


def device_table(lookup: Lookup) -> Any:
    """The table of a lookup on the current device, uint16 or uint32 (2**24,)."""
    return _tables.get(lookup, lookup.table)  # a Lookup compares and hashes by identity


def device_colours(colours: NDArray[np.uint32]) -> Any:
    """A colour table on the current device, uint32 (256,) or (65536,)."""
    return _colours.get(colours.tobytes(), colours)


def forget_tables() -> None:
    """Drop the tables kept on the devices."""
    _tables.clear()
    _colours.clear()


def device_count() -> int:
    """Number of CUDA devices. Raises CuPy's CUDARuntimeError, which says what is missing."""
    return int(cupy.cuda.runtime.getDeviceCount())


def from_foreign(array: Any) -> Any:
    """An array of another library on a device, as a CuPy array without a copy.

    Takes what speaks DLPack or __cuda_array_interface__. By DLPack the owner makes CuPy's current
    stream wait for what its own is still writing, and the other way round when a result is given
    back. Whoever uses the array must not return before the device has read it, for its owner
    may use the memory again then: our functions end with a copy of a count to the host, which
    waits, or work in turn with the owner (`foreign.in_turn`).
    """
    if isinstance(array, cupy.ndarray):
        return array
    if hasattr(array, "__dlpack__"):
        return cupy.from_dlpack(array)
    return cupy.asarray(array)


def contiguous(array: Any) -> Any:
    """The array itself where it is C-contiguous, else one copy on its device."""
    with array.device:
        return cupy.ascontiguousarray(array)


class _Stream:
    """A stream of another library, as CuPy takes it."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        """Version of the protocol, and handle."""
        return 0, self._handle


@contextmanager
def on_stream(device: int, handle: int) -> Iterator[None]:
    """CuPy works on a device, by number, and on a stream of another library, meanwhile."""
    with cupy.cuda.Device(device), cupy.cuda.Stream.from_external(_Stream(handle)):
        yield


def finish(array: Any) -> None:
    """Wait for what was launched on the current stream of the device of an array of any library."""
    with from_foreign(array).device:
        cupy.cuda.get_current_stream().synchronize()
