"""`CudaDevice` around `index_batch`: streams, and which errors are a want of memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from tests.kernels.cuda_host.source import load

pytestmark = pytest.mark.cuda


class CudaError(Exception):
    """Stands for CUDARuntimeError."""

    def __init__(self, status: int) -> None:
        super().__init__(f"error {status}")
        self.status = status


class Stream:
    """Stands for cupy.cuda.Stream; notes which are the current ones."""

    made = 0
    current: ClassVar[list[Stream]] = []

    def __init__(self, non_blocking: bool) -> None:
        assert non_blocking  # the default stream would wait for it, and it for that one
        Stream.made += 1

    def __enter__(self) -> None:
        assert self not in self.current
        self.current.append(self)

    def __exit__(self, *error: object) -> None:
        self.current.remove(self)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module = load("gpuseg.kernels.cuda.device")
    runtime = SimpleNamespace(memGetInfo=lambda: (700, 1000), CUDARuntimeError=CudaError)
    cuda = SimpleNamespace(
        Device=lambda number: contextlib.nullcontext(),
        Stream=Stream,
        runtime=runtime,
        driver=SimpleNamespace(CUDADriverError=CudaError),
    )
    pool = SimpleNamespace(free_bytes=lambda: 30)
    cupy = SimpleNamespace(cuda=cuda, get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(module, "cupy", cupy)
    monkeypatch.setattr(Stream, "made", 0)
    yield module.CudaDevice(3)
    assert Stream.current == []


def index_as(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    monkeypatch.setattr(load("gpuseg.kernels.cuda.scanlines"), "index_batch", function)


def test_what_it_says_of_itself(device: Any) -> None:
    assert device.name == "cuda:3"
    assert device.free_memory() == 730


def test_batches_at_the_same_time_have_streams_of_their_own(
    device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def index(depth: int, lookup: None, out: None) -> int:
        assert len(Stream.current) == 4 - depth
        return device.index(depth - 1, lookup, out) + 1 if depth else 0

    for _ in range(3):  # and those of earlier batches, which have memory
        index_as(monkeypatch, index)
        assert device.index(3, None, None) == 3
    assert Stream.made == 4


@pytest.mark.parametrize(("status", "raised"), [(2, MemoryError), (700, CudaError)])
def test_a_want_of_memory_is_told_from_other_errors(
    device: Any, monkeypatch: pytest.MonkeyPatch, status: int, raised: type[Exception]
) -> None:
    def index(*arguments: Any) -> None:
        raise CudaError(status)

    index_as(monkeypatch, index)
    for _ in range(2):
        with pytest.raises(raised, match=f"error {status}"):
            device.index(None, None, None)
    assert Stream.made == 1  # it is free again


def test_confusion_matrices_have_a_stream_too(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def confuse(*arguments: Any) -> None:
        assert len(Stream.current) == 1
        raise CudaError(2)

    monkeypatch.setattr(load("gpuseg.kernels.cuda.confusion"), "confuse_host", confuse)
    with pytest.raises(MemoryError, match="error 2"):
        device.confuse(None, None, None, None, 3)
