"""Device memory: tables that are kept there, page-locked memory, arrays of other libraries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import Lookup

KEPT_TABLES = 4
"""Tables kept on the devices, 32 MiB each (64 at depth 16)."""

_tables: OrderedDict[tuple[int, Lookup], Any] = OrderedDict()
_tables_lock = threading.Lock()


def empty_pinned(size: int) -> NDArray[np.uint8]:
    """Page-locked host memory, uint8 (size,), not initialised."""
    if not size:
        return np.empty(0, np.uint8)
    memory = cupy.cuda.alloc_pinned_memory(size)  # freed with the last array that views it
    return np.frombuffer(memory, np.uint8, size)


def device_table(lookup: Lookup) -> Any:
    """The table of a lookup on the current device, uint16 or uint32 (2**24,).

    The last few are kept, by the identity of the lookup. Safe to call from any thread.
    """
    key = (cupy.cuda.Device().id, lookup)  # a Lookup compares and hashes by identity
    with _tables_lock:
        if key not in _tables:
            _tables[key] = cupy.asarray(lookup.table)
            cupy.cuda.get_current_stream().synchronize()  # other streams may read it next
            while len(_tables) > KEPT_TABLES:
                _tables.popitem(last=False)
        _tables.move_to_end(key)
        return _tables[key]


def forget_tables() -> None:
    """Drop the tables kept on the devices."""
    with _tables_lock:
        _tables.clear()


def device_count() -> int:
    """Number of CUDA devices. Raises CuPy's CUDARuntimeError, which says what is missing."""
    return int(cupy.cuda.runtime.getDeviceCount())


def from_foreign(array: Any) -> Any:
    """An array of another library on a device, as a CuPy array without a copy.

    Takes what speaks DLPack or __cuda_array_interface__.
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
