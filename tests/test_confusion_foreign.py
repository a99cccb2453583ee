"""ConfusionMatrix of arrays of other libraries, on devices that are played by the CPU."""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg import ConfusionMatrix
from gpuseg.errors import BackendError, LabelError, MaskError
from gpuseg.kernels import backend, reference_confusion
from tests.test_confusion import counted, random_pair


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_tensors_in_host_memory(dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    prediction, truth = random_pair(1, (2, 30, 40))
    matrix = ConfusionMatrix(21)
    matrix.add(torch.from_numpy(prediction).to(getattr(torch, dtype)), torch.from_numpy(truth))
    np.testing.assert_array_equal(matrix.matrix, counted(prediction, truth))


@pytest.mark.torch
def test_scores_are_no_labels() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    logits, truth = torch.randn(2, 21, 8, 8), torch.zeros((2, 8, 8), dtype=torch.int64)
    matrix = ConfusionMatrix(21)
    with pytest.raises(LabelError, match=r"got float32 of .*; scores .* with scores\.argmax\(1\)"):
        matrix.add(logits, truth)
    with pytest.raises(LabelError, match=r"got bool of .*\.byte\(\)"):
        matrix.add(truth, truth > 0)
    with pytest.raises(MaskError, match=r"host memory or on a CUDA device, got .*\.cpu\(\)"):
        matrix.add(torch.zeros((8, 8), dtype=torch.uint8, device="meta"), truth[0])
    matrix.add(logits.argmax(1), truth)
    assert matrix.scores().pixels == 128


class OnDevice:
    """Stands for a CUDA array, of any library, on the device of a number."""

    def __init__(self, array: NDArray[Any], number: int = 0) -> None:
        self.labels, self.number = array, number
        self.shape, self.dtype = array.shape, array.dtype
        self.device = Number(number)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.number

    def reshape(self, shape: int) -> OnDevice:
        return OnDevice(self.labels.reshape(shape), self.number)


class Number(contextlib.nullcontext[None]):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.id = number


class Owned(OnDevice):
    """Stands for cupy.ndarray, and for torch.Tensor on a CUDA device."""

    is_cuda = True

    def __init__(self, array: NDArray[Any], number: int = 0) -> None:
        super().__init__(array, number)
        self.device.index = number  # type: ignore[attr-defined]


class Played:
    """`gpuseg.kernels.cuda` played by the CPU; notes what is done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def from_foreign(self, array: OnDevice) -> OnDevice:
        return OnDevice(array.labels, array.number)

    def contiguous(self, array: OnDevice) -> OnDevice:
        return array

    def finish(self, array: OnDevice) -> None:
        self.done.append(f"finish {array.number}")

    @contextlib.contextmanager
    def on_stream(self, device: int, handle: int) -> Iterator[None]:
        self.done.append(f"stream {handle} of {device}")
        yield
        self.done.append("back")

    def DeviceMatrix(self, slots: NDArray[np.uint16], bins: int) -> Any:  # noqa: N802
        counts = np.zeros((1, bins, bins), np.int64)

        def add(truth: OnDevice, prediction: OnDevice) -> None:
            self.done.append("add")
            offsets = np.array([0, truth.labels.size])
            reference_confusion.confuse(truth.labels, prediction.labels, offsets, slots, counts)

        def get() -> NDArray[np.int64]:
            self.done.append("get")
            return counts[0]

        self.done.append("new")
        return SimpleNamespace(add=add, get=get)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    device = Played()
    monkeypatch.setitem(sys.modules, "gpuseg.kernels.cuda", device)  # type: ignore[arg-type]
    monkeypatch.setattr("gpuseg.kernels.cuda", device, raising=False)
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    return device


def play_library(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Makes `Owned` the arrays of torch, whose current stream is 7, or of CuPy."""
    cuda = SimpleNamespace(current_stream=lambda device: SimpleNamespace(cuda_stream=7))
    library = SimpleNamespace(Tensor=Owned, ndarray=Owned, cuda=cuda, from_dlpack=None)
    monkeypatch.setitem(sys.modules, name, library)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("torch", ["stream 7 of 1", "new", "add", "back", "stream 7 of 1", "add", "back"]),
        ("cupy", ["new", "add", "add"]),
        ("jax", ["new", *["add", "finish 1", "finish 1"] * 2]),
    ],
)
def test_only_arrays_of_others_are_waited_for(
    played: Played, monkeypatch: pytest.MonkeyPatch, library: str, expected: list[str]
) -> None:
    """And nothing is copied to the host before the matrix is asked for, then once."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    play_library(monkeypatch, library)
    matrix, total = ConfusionMatrix(21), np.zeros((23, 23), np.int64)
    for seed in range(2):
        prediction, truth = random_pair(seed, (2, 9, 9))
        matrix.add(Owned(prediction, 1), Owned(truth, 1))
        total += counted(prediction, truth)
    assert played.done == expected
    np.testing.assert_array_equal(matrix.matrix, total)
    assert played.done == [*expected, "get"]


def test_arrays_of_two_libraries_are_waited_for(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_library(monkeypatch, "torch")
    prediction, truth = random_pair(0, (4, 4))
    ConfusionMatrix(21).add(Owned(prediction, 1), OnDevice(truth, 1))
    assert played.done == ["new", "add", "finish 1", "finish 1"]


def test_batches_of_several_devices_and_of_the_host(played: Played) -> None:
    matrix, total = ConfusionMatrix(21), np.zeros((23, 23), np.int64)
    for seed, number in enumerate([1, None, 0, 1]):
        prediction, truth = random_pair(seed, (5, 6))
        total += counted(prediction, truth)
        if number is None:
            matrix.add(prediction, truth)
        else:
            matrix.add(OnDevice(prediction, number), OnDevice(truth, number))
    assert played.done.count("new") == 2
    np.testing.assert_array_equal(matrix.matrix, total)
    travelled = pickle.loads(pickle.dumps(matrix))
    np.testing.assert_array_equal(travelled.matrix, total)
    np.testing.assert_array_equal((matrix + travelled).matrix, 2 * total)
    matrix.reset()
    assert not matrix.matrix.any()


@pytest.mark.usefixtures("played")
def test_both_on_one_device() -> None:
    prediction, truth = random_pair(0, (5, 6))
    matrix = ConfusionMatrix(21)
    for pair, says in (
        ((OnDevice(prediction), truth), "in cuda:0 and a truth in host memory; move"),
        ((prediction, OnDevice(truth, 1)), "in host memory and a truth in cuda:1; move"),
        ((OnDevice(prediction), OnDevice(truth, 1)), "in cuda:0 and a truth in cuda:1; move"),
    ):
        with pytest.raises(LabelError, match=says):
            matrix.add(*pair)
    assert not matrix.matrix.any()


def test_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "CuPy is not installed")
    prediction, truth = random_pair(0, (5, 6))
    with pytest.raises(BackendError, match="CuPy is not installed; pip install"):
        ConfusionMatrix(21).add(OnDevice(prediction), OnDevice(truth))
