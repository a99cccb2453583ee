"""The choice of a device: what is tried, in which order, and what is said about it."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gpuseg.batch import LabelLines
from gpuseg.errors import BackendError
from gpuseg.kernels import backend, reference
from gpuseg.kernels.lut import Lookup
from tests.kernels.host_device import HostDevice


@pytest.fixture(autouse=True)
def _fresh_probes() -> Iterator[None]:
    backend.probe_cuda.cache_clear()
    yield
    backend.probe_cuda.cache_clear()
    backend.probe_cpu.cache_clear()


class FakeCuda:
    """Stands for `gpuseg.kernels.cuda` on a machine that has a device."""

    def __init__(self) -> None:
        self.devices: int | Exception = 1
        self.forgotten = False

    def device_count(self) -> int:
        if isinstance(self.devices, Exception):
            raise self.devices
        return self.devices

    def index_host(self, pixels: Any, offsets: Any, lookup: Lookup) -> Any:
        return backend._cpu_index(pixels, offsets, lookup)

    def cupy_device(self, number: int) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def open_device(self, number: int) -> HostDevice:
        return HostDevice()

    def forget_tables(self) -> None:
        self.forgotten = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    """A machine with CuPy, a driver and a device that works; break one of them."""
    cuda = FakeCuda()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(name=name))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    monkeypatch.setitem(sys.modules, "gpuseg.kernels.cuda", cuda)  # type: ignore[arg-type]
    monkeypatch.setattr("gpuseg.kernels.cuda", cuda, raising=False)
    return cuda


def _refusal() -> str:
    with pytest.raises(BackendError) as caught:
        backend.select("cuda")
    message = str(caught.value)
    assert "pip install 'cupy-cuda13x" in message
    assert "'cupy-cuda12x" in message
    chosen = backend.select("auto")
    assert chosen.name == "cpu"
    assert str(chosen).startswith("cpu: no CUDA device: ")
    assert chosen.reason.removeprefix("no CUDA device: ") in message
    return message


def test_a_device_that_works_is_taken(fake: FakeCuda) -> None:
    assert backend.select("auto").name == "cuda"
    assert backend.select("cuda").reason == "asked for"
    assert fake.forgotten
    assert [row.usable for row in backend.describe_backends()] == [True, True]


def test_cpu_asked_for_looks_for_no_device(fake: FakeCuda) -> None:
    fake.devices = AssertionError("was asked")
    assert str(backend.select("cpu")) == "cpu: asked for"


def test_without_cupy(fake: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "but CuPy is not installed" in _refusal()
    rows = backend.describe_backends()
    assert [(row.name, row.usable) for row in rows] == [("cuda", False), ("cpu", True)]
    assert rows[0].reason == "CuPy is not installed"


@pytest.mark.parametrize(("platform", "library"), [("linux", "libcuda.so.1"), ("win32", "nvcuda")])
def test_without_a_driver(
    fake: FakeCuda, monkeypatch: pytest.MonkeyPatch, platform: str, library: str
) -> None:
    def load(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(sys, "platform", platform)
    message = _refusal()
    assert "driver cannot be loaded" in message
    assert library in message


def test_cupy_that_cannot_be_imported(fake: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpuseg.kernels.cuda", None)
    assert "CuPy cannot be imported" in _refusal()


def test_without_devices(fake: FakeCuda) -> None:
    fake.devices = 0
    assert "the driver reports no device" in _refusal()


def test_a_driver_that_fails(fake: FakeCuda) -> None:
    fake.devices = RuntimeError("cudaErrorInsufficientDriver: too old\nand more")
    assert "(cudaErrorInsufficientDriver: too old)" in _refusal()


def test_a_kernel_that_raises(fake: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(pixels: Any, offsets: Any, lookup: Lookup) -> Any:
        raise RuntimeError("no NVRTC")

    monkeypatch.setattr(fake, "index_host", missing)
    assert "its smoke run failed (RuntimeError: no NVRTC)" in _refusal()


def test_a_kernel_that_is_wrong(fake: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(pixels: Any, offsets: Any, lookup: Lookup) -> Any:
        return backend._cpu_index(pixels, offsets, lookup)[0], np.array([3, 0])

    monkeypatch.setattr(fake, "index_host", wrong)
    assert "its smoke run gave wrong labels (expected" in _refusal()


def test_kernels_over_scanlines_that_are_wrong(
    fake: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(HostDevice):
        def index(self, *arguments: Any) -> LabelLines:
            lines = super().index(*arguments)
            lines.data[7] ^= 1
            return lines

    monkeypatch.setattr(fake, "open_device", lambda number: Wrong())
    assert "its smoke run gave wrong labels (expected [0, 7, 255, 0" in _refusal()


def test_devices_by_number(fake: FakeCuda) -> None:
    fake.devices = 2
    assert backend.select("cuda:1").numbers == (1,)
    assert backend.select("cuda:1,0").numbers == (1, 0)
    assert backend.select("auto").numbers == (0,)
    for device in ("cuda:2", "cuda:0,2"):
        with pytest.raises(BackendError, match="there is no device 2: the driver reports 2"):
            backend.select(device)
    with pytest.raises(BackendError, match="device cuda:5 cannot be used: there is no device 5"):
        backend.open_probed(5)
    assert isinstance(backend.open_probed(1), HostDevice)


def test_auto_with_the_pillow_codec_takes_the_cpu(fake: FakeCuda) -> None:
    fake.devices = AssertionError("was asked")
    chosen = backend.select("auto", "pillow")
    assert str(chosen) == "cpu: codec pillow leaves a device nothing to do"


def test_probed_once(fake: FakeCuda) -> None:
    backend.select("auto")
    fake.devices = AssertionError("was asked again")
    assert backend.select("cuda").name == "cuda"


def test_a_cpu_that_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    backend.probe_cpu.cache_clear()
    monkeypatch.setattr(backend, "_smoke", lambda run: "its smoke run failed (ImportError: llvm)")
    with pytest.raises(BackendError, match=r"device cpu needs numba, but .*llvm.*reinstall"):
        backend.select("cpu")


def test_importing_loads_neither_cupy_nor_numba() -> None:
    code = (
        "import sys, gpuseg.kernels.backend, gpuseg.arrays; "
        "sys.exit(bool({'cupy', 'numba', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.gpu
def test_the_device_of_this_machine() -> None:
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    assert backend.select("auto").name == "cuda"


def test_the_lines_of_the_smoke_run_are_what_they_seem() -> None:
    a, white, black = [1, 2, 3], [255, 255, 255], [0, 0, 0]
    rows = [[a, white], [white, a], [a, black], [white, white], [black, a]]
    assert list(backend.SMOKE_LINES[::7]) == [0, 1, 2, 3, 4]
    pixels = reference.unfilter(backend.SMOKE_LINES, 5, 6, 3)
    assert pixels.reshape(5, 2, 3).tolist() == rows
