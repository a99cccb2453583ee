"""CuPy played by NumPy, so that our code around CUDA kernels runs without a device."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.kernels.lut import Lookup
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import ThreadedKernels
from tests.kernels.host_device import HostDevice


class DeviceArray(np.ndarray):
    """A NumPy array with what our code uses of a CuPy array."""

    @property
    def data(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(ptr=self.ctypes.data)

    @property
    def device(self) -> Any:  # type: ignore[override]
        return contextlib.nullcontext()

    def get(self, out: NDArray[Any] | None = None, blocking: bool = True) -> Any:
        if out is None:
            return np.asarray(self).copy()
        assert out.dtype == self.dtype
        assert out.shape == self.shape
        out[...] = self
        return out

    def set(self, array: NDArray[Any]) -> None:
        assert array.dtype == self.dtype
        assert array.shape == self.shape
        self[...] = array


def on_device(array: Any) -> Any:
    return np.array(array).view(DeviceArray)


class Device:
    """Stands for cupy.cuda.Device; `current` is its number."""

    current = 0

    @property
    def id(self) -> int:
        return self.current


class Event:
    """Stands for cupy.cuda.Event."""

    def __init__(self, block: bool = False) -> None: ...

    def record(self) -> None: ...

    def synchronize(self) -> None: ...


def played_cupy() -> SimpleNamespace:
    """What our code uses of CuPy; memory is full of what nobody wrote."""
    stream = SimpleNamespace(synchronize=lambda: None)
    return SimpleNamespace(
        asarray=on_device,
        empty=lambda size, dtype: on_device(np.full(size, 171, dtype)),
        zeros=lambda size, dtype: on_device(np.zeros(size, dtype)),
        cuda=SimpleNamespace(
            Device=Device,
            Event=Event,
            get_current_stream=lambda: stream,
            get_elapsed_time=lambda start, end: 1.5,
        ),
    )


class PlayedDevice(HostDevice):
    """`scanlines.index_batch` itself, with its kernels run by a thread for each lane."""

    name = "played"

    def __init__(self, kernels: ThreadedKernels, patch: pytest.MonkeyPatch) -> None:
        self._module = load("gpuseg.kernels.cuda.scanlines")
        memory = load("gpuseg.kernels.cuda.memory")
        self._kernels, self._alone = kernels, threading.Lock()
        for module in (self._module, memory):
            patch.setattr(module, "cupy", played_cupy())
        patch.setattr(self._module, "module", SimpleNamespace(get_function=self._function))
        memory.forget_tables()

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        lines = self._module.index_batch(batch, lookup, out)
        assert lines.seconds == {"upload": 0.0015, "index": 0.0015, "download": 0.0015}
        return lines

    def _function(self, name: str) -> Callable[..., None]:
        names = {self._module.SCAN[8]: "scan_8", self._module.SCAN[16]: "scan_16"}
        kernel = names.get(name, name)

        def launch(grid: tuple[int], block: tuple[int, ...], arrays: tuple[Any, ...]) -> None:
            warps = block[1] if len(block) > 1 else 1
            assert block[0] == 32
            writable = [array if array.flags.writeable else array.copy() for array in arrays]
            with self._alone:  # it has one pair of files
                self._kernels.run(kernel, writable, grid[0], warps)

        return launch
