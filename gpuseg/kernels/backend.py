"""Which device runs the kernels: chosen once, after a smoke run, with a reason that is kept."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels, ScanlineBatch, pixel_offsets
from gpuseg.errors import BackendError
from gpuseg.kernels.device import Device
from gpuseg.kernels.lut import COLOURS, Lookup
from gpuseg.options import Codec, device_numbers

Name = Literal["cpu", "cuda"]

Index = Callable[[NDArray[np.uint8], NDArray[np.int64], Lookup], tuple[Labels, NDArray[np.int64]]]
"""Labels and unknown counts of pixels in host memory, as `cuda.index_arrays` has them."""

INSTALL = (
    "pip install 'cupy-cuda13x>=14.1,<15' 'nvidia-cuda-nvrtc>=13,<14' "
    "'nvidia-cuda-runtime>=13,<14' (for a CUDA 12 driver 'cupy-cuda12x>=14.1,<15' "
    "'nvidia-cuda-nvrtc-cu12>=12,<13' 'nvidia-cuda-runtime-cu12>=12,<13')"
)
"""What the extras cuda13 and cuda12 install, so that the line works wherever gpuseg came from."""

NO_SUCH_DEVICE = "there is no device"


@dataclass(frozen=True, slots=True)
class Backend:
    """What runs the kernels, once it has passed its smoke run.

    name: `cpu` or `cuda`. reason: why it was chosen. numbers: which CUDA devices.
    """

    name: Name
    reason: str
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """A row of `gpuseg info`: a backend, whether it can be used, and why or why not."""

    name: Name
    usable: bool
    reason: str


def select(device: str, codec: Codec = "auto") -> Backend:
    """The backend for `auto`, `cpu`, `cuda`, `cuda:1` or `cuda:0,1` (see `device_numbers`).

    `auto` takes cuda if it passes its probe, else cpu, and keeps the reason. Raises
    BackendError when the device that was asked for, or the last one left, cannot be used.
    Several devices are counted and not probed: a process for each will do that.
    codec: `pillow` leaves a device nothing to do.
    """
    if device == "cpu":
        return _require_cpu("asked for")
    if codec == "pillow":
        return _require_cpu("codec pillow leaves a device nothing to do")
    numbers = device_numbers(device)
    problem = probe_cuda(numbers[0]) if len(numbers) == 1 else count_problem(max(numbers))
    if not problem:
        reason = "asked for"
        if device == "auto":
            reason = "a CUDA device passed its smoke run; the first files tell if it is faster"
        return Backend("cuda", reason, numbers)
    if device == "auto":
        return _require_cpu(f"no CUDA device: {problem}")
    if problem.startswith(NO_SUCH_DEVICE):
        raise BackendError(f"device {device} cannot be used: {problem}")
    raise BackendError(
        f"device {device} needs an NVIDIA GPU, its driver and CuPy, but {problem}; "
        f"{INSTALL}, or use --device cpu"
    )


def select_elsewhere(device: str, codec: Codec = "auto") -> Backend:
    """The backend of the workers of a cluster; see `select`. They find out if it can be used.

    `auto` is the CPU: whether workers have devices is known to those who ask for them.
    """
    if device.startswith("cuda"):
        return Backend("cuda", "asked for, on the workers of the cluster", device_numbers(device))
    chosen = _require_cpu("asked for")  # kernels are compiled once, before many would do it
    if device == "cpu":
        return chosen
    return Backend("cpu", "auto is the CPU with a scheduler; ask for cuda where workers have it")


def describe_backends() -> tuple[BackendStatus, ...]:
    """All backends, the preferred one first, whether usable or not."""
    rows: tuple[tuple[Name, str], ...] = (("cuda", probe_cuda()), ("cpu", probe_cpu()))
    return tuple(
        BackendStatus(name, not problem, problem or "passed its smoke run")
        for name, problem in rows
    )


@cache
def probe_cuda(number: int = 0) -> str:
    """Why a CUDA device cannot be used, or an empty string."""
    if problem := count_problem(number):
        return problem
    from gpuseg.kernels import cuda

    try:
        with cuda.cupy_device(number):
            problem = _smoke(cuda.index_host)
        problem = problem or _smoke_scanlines(cuda.open_device(number))
        cuda.forget_tables()
    except Exception as error:  # whatever it is, this device is not usable here
        return f"its smoke run failed ({type(error).__name__}: {_first_line(error)})"
    return problem


def count_problem(number: int) -> str:
    """Why there is no CUDA device of that number; from cheap questions to costly ones."""
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
        devices = cuda.device_count()
    except RuntimeError as error:
        return f"the driver reports no device ({_first_line(error)})"
    if not devices:
        return "the driver reports no device"
    if number >= devices:
        return f"{NO_SUCH_DEVICE} {number}: the driver reports {devices}, counted from 0"
    return ""


@cache
def probe_cpu() -> str:
    """Why cpu cannot be used, or an empty string."""
    try:
        return _smoke(_cpu_index)
    except Exception as error:  # whatever it is, numba is not usable here
        return f"its smoke run failed ({type(error).__name__}: {_first_line(error)})"


def _require_cpu(reason: str) -> Backend:
    problem = probe_cpu()
    if problem:
        raise BackendError(
            f"device cpu needs numba, but {problem}; reinstall: pip install --force-reinstall numba"
        )
    return Backend("cpu", reason)


def open_device(number: int) -> Device:
    """The CUDA device of that number, for the batched flow; it has been probed before."""
    from gpuseg.kernels import cuda

    device: Device = cuda.open_device(number)
    return device


def open_probed(number: int) -> Device:
    """`open_device` for a process of its own. Raises BackendError where it cannot be used."""
    if problem := probe_cuda(number):
        raise BackendError(f"device cuda:{number} cannot be used: {problem}")
    return open_device(number)


def _cpu_index(
    pixels: NDArray[np.uint8], offsets: NDArray[np.int64], lookup: Lookup
) -> tuple[Labels, NDArray[np.int64]]:
    from gpuseg.kernels import cpu

    labels = np.empty(pixels.size // 3, lookup.label_dtype)
    unknown = np.empty(len(offsets) - 1, np.int64)
    cpu.index_pixels(pixels, offsets, lookup.table, labels, unknown)
    return labels, unknown


def _smoke_lookup() -> Lookup:
    """(1, 2, 3) is class 7, black class 0, and white is unknown and becomes 255."""
    table = np.zeros(COLOURS, np.uint16)
    table[0x030201], table[0xFFFFFF] = 7, 256 | 255
    table.flags.writeable = False
    return Lookup(table, 8, "rgb")


def _smoke(index: Index) -> str:
    """Run the real kernel on 2 images of 9 pixels; what is wrong with it, or an empty string.

    Nothing cheaper notices a missing NVRTC, a GPU the kernel cannot be compiled for, or a
    device that another process holds. Raises what the kernel raises.
    """
    pixels = np.array([[1, 2, 3], [255, 255, 255], [0, 0, 0]] * 3, np.uint8).reshape(-1)
    labels, unknown = index(pixels, pixel_offsets([(1, 5), (2, 2)]), _smoke_lookup())
    return _compare([7, 255, 0] * 3, [2, 1], labels, unknown)


SMOKE_LINES = bytes.fromhex(
    "00010203ffffff 01ffffff020304 02020304fffefd 03fffefe808080 04010101010203"
)
"""Scanlines of 5 × 2 pixels, a row of each filter: (1, 2, 3), white and black mixed."""


def _smoke_scanlines(device: Device) -> str:
    """Run the kernels of the batched flow on one image; what is wrong, or an empty string."""
    one = np.ones(1, np.int64)
    batch = ScanlineBatch(
        np.frombuffer(SMOKE_LINES, np.uint8), 0 * one, 2 * one, 5 * one, 3 * one,
        np.empty((0, 256), np.uint16), 0 * one,
    )  # fmt: skip
    lines = device.index(batch, _smoke_lookup(), device.empty(15))
    # all rows of filter None: so short a row gains nothing by another
    expected = [0, 7, 255, 0, 255, 7, 0, 7, 0, 0, 255, 255, 0, 0, 7]
    return _compare(expected, [4], lines.data, lines.unknown)


def _compare(
    labels: list[int], unknown: list[int], found: Labels, counted: NDArray[np.int64]
) -> str:
    got, counts = found.tolist(), counted.tolist()
    if got == labels and counts == unknown:
        return ""
    return (
        f"its smoke run gave wrong labels (expected {labels} and {unknown} unknown, "
        f"got {got} and {counts})"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
