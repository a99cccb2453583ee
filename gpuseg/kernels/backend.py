"""Which device runs the kernels: chosen once, after a smoke run, with a reason that is kept."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelBatch, MaskBatch, pixel_offsets
from gpuseg.errors import BackendError
from gpuseg.kernels.lut import COLOURS, Lookup
from gpuseg.options import Device

Name = Literal["cpu", "cuda"]
IndexBatch = Callable[[MaskBatch, Lookup], LabelBatch]
EmptyPixels = Callable[[int], NDArray[np.uint8]]

INSTALL = (
    "pip install 'cupy-cuda13x>=14,<15' 'nvidia-cuda-nvrtc>=13,<14' (for a CUDA 12 driver "
    "'cupy-cuda12x>=14,<15' 'nvidia-cuda-nvrtc-cu12>=12,<13')"
)
"""What the extras cuda13 and cuda12 install, so that the line works wherever gpuseg came from."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A device that passed its smoke run.

    name: `cpu` or `cuda`. reason: why it was chosen.
    index_batch: label maps of a batch in host memory; safe to call from several threads.
    empty_pixels: host memory for that many bytes of pixels, uint8 (n,), not initialised;
        for a device it is page-locked, so that copies run at the speed of the bus.
    """

    name: Name
    reason: str
    index_batch: IndexBatch
    empty_pixels: EmptyPixels

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """A row of `gpuseg info`: a backend, whether it can be used, and why or why not."""

    name: Name
    usable: bool
    reason: str


def select(device: Device) -> Backend:
    """The backend for `auto`, `cpu` or `cuda`.

    `auto` takes cuda if it passes its probe, else cpu, and keeps the reason. Raises
    BackendError when the device that was asked for, or the last one left, cannot be used.
    """
    if device == "cpu":
        return _require_cpu("asked for")
    problem = probe_cuda()
    if not problem:
        reason = "asked for" if device == "cuda" else "a CUDA device passed its smoke run"
        return Backend("cuda", reason, _cuda_index_batch, _cuda_empty_pixels)
    if device == "cuda":
        raise BackendError(
            f"device cuda needs an NVIDIA GPU, its driver and CuPy, but {problem}; "
            f"{INSTALL}, or use --device cpu"
        )
    return _require_cpu(f"no CUDA device: {problem}")


def describe_backends() -> tuple[BackendStatus, ...]:
    """All backends, the preferred one first, whether usable or not."""
    rows: tuple[tuple[Name, str], ...] = (("cuda", probe_cuda()), ("cpu", probe_cpu()))
    return tuple(
        BackendStatus(name, not problem, problem or "passed its smoke run")
        for name, problem in rows
    )


@cache
def probe_cuda() -> str:
    """Why cuda cannot be used, or an empty string; from cheap questions to costly ones."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError as error:
        return f"the CUDA driver cannot be loaded ({error})"
    try:
        cuda = importlib.import_module("gpuseg.kernels.cuda")
    except Exception as error:  # CuPy raises several types for libraries that do not fit
        return f"CuPy cannot be imported ({_first_line(error)})"
    try:
        if not cuda.device_count():
            return "the driver reports no device"
    except RuntimeError as error:
        return f"the driver reports no device ({_first_line(error)})"
    problem = _smoke(_cuda_index_batch)
    cuda.forget_tables()
    return problem


@cache
def probe_cpu() -> str:
    """Why cpu cannot be used, or an empty string."""
    return _smoke(_cpu_index_batch)


def _require_cpu(reason: str) -> Backend:
    problem = probe_cpu()
    if problem:
        raise BackendError(
            f"device cpu needs numba, but {problem}; reinstall: pip install --force-reinstall numba"
        )
    return Backend("cpu", reason, _cpu_index_batch, _cpu_empty_pixels)


def _cpu_index_batch(batch: MaskBatch, lookup: Lookup) -> LabelBatch:
    from gpuseg.kernels import cpu

    labels: Any = np.empty(batch.pixels.size // 3, lookup.label_dtype)
    unknown = np.empty(len(batch), np.int64)
    cpu.index_pixels(batch.pixels, batch.offsets, lookup.table, labels, unknown)
    return LabelBatch(labels, batch.shapes, batch.offsets, unknown)


def _cuda_index_batch(batch: MaskBatch, lookup: Lookup) -> LabelBatch:
    from gpuseg.kernels import cuda

    return cuda.index_batch(batch, lookup)


def _cpu_empty_pixels(size: int) -> NDArray[np.uint8]:
    return np.empty(size, np.uint8)


def _cuda_empty_pixels(size: int) -> NDArray[np.uint8]:
    from gpuseg.kernels import cuda

    return cuda.empty_pinned(size)


def _smoke(index_batch: IndexBatch) -> str:
    """Run the real kernel on 2 images of 9 pixels; what went wrong, or an empty string.

    Nothing cheaper notices a missing NVRTC, a GPU the kernel cannot be compiled for, or a
    device that another process holds.
    """
    table = np.zeros(COLOURS, np.uint16)
    table[0x030201], table[0xFFFFFF] = 7, 256 | 255
    pixels = np.array([[1, 2, 3], [255, 255, 255], [0, 0, 0]] * 3, np.uint8).reshape(-1)
    shapes = ((1, 5), (2, 2))
    try:
        result = index_batch(
            MaskBatch(pixels, shapes, pixel_offsets(shapes)), Lookup(table, 8, "rgb")
        )
    except Exception as error:  # whatever it is, this backend is not usable here
        return f"its smoke run failed ({type(error).__name__}: {_first_line(error)})"
    labels, unknown = result.labels.tolist(), result.unknown.tolist()
    if labels != [7, 255, 0] * 3 or unknown != [2, 1]:
        return (
            f"its smoke run gave wrong labels (expected {[7, 255, 0] * 3} and [2, 1] unknown, "
            f"got {labels} and {unknown})"
        )
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
