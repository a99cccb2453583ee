"""How confusion matrices are launched and kept, with CuPy played by NumPy; no device needed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels import reference_confusion
from tests.kernels.confusion_batches import random_batch
from tests.kernels.cuda_host.confused import VARIANTS, name_of
from tests.kernels.cuda_host.played import DeviceArray, on_device
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import ThreadedKernels

pytestmark = pytest.mark.cuda


class Log(list[str]):
    """What was asked of CuPy, in order."""

    def played(self) -> Any:
        """CuPy as `confusion` uses it; memory is full of what nobody wrote."""
        stream = SimpleNamespace(
            synchronize=lambda: self.append("synchronize"),
            wait_event=lambda event: self.append("wait"),
        )
        cuda = SimpleNamespace(
            Device=contextlib.nullcontext,
            Memory=lambda size: np.full(size, 171, np.uint8),
            MemoryPointer=lambda memory, offset: memory[offset:],
            Event=self.event,
            get_current_stream=lambda: stream,
        )
        zeros = lambda shape, dtype: on_device(np.zeros(shape, dtype))  # noqa: E731
        return SimpleNamespace(cuda=cuda, ndarray=self.array, asarray=on_device, zeros=zeros)

    def event(self, disable_timing: bool, block: bool = False) -> Any:
        assert disable_timing  # which costs less
        return SimpleNamespace(
            record=lambda: self.append("record"), synchronize=lambda: self.append(f"sleep {block}")
        )

    def array(self, shape: tuple[int, ...], dtype: Any, memory: NDArray[np.uint8]) -> Any:
        return memory.view(dtype).reshape(shape).view(DeviceArray)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def module(
    log: Log,
    confusion_kernels: Callable[[str], ThreadedKernels],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """`gpuseg.kernels.cuda.confusion`, its kernels run by a thread for each lane."""
    module = load("gpuseg.kernels.cuda.confusion")
    program = confusion_kernels("plain")
    names = {module.kernel_name(*variant): name_of(variant) for variant in VARIANTS}

    def get_kernel(name: str) -> Callable[..., None]:
        def launch(grid: tuple[int], block: tuple[int, int], arguments: tuple[Any, ...]) -> None:
            log.append("launch")
            assert block == (32, module.WARPS)
            truth, prediction, offsets, slots, counts, *numbers = arguments
            kinds = [np.int64, np.int64, np.int32, np.int32, np.int32]
            assert [type(number) for number in numbers] == kinds
            several = isinstance(offsets, np.ndarray)
            assert several or (type(offsets) is np.uintp and offsets == 0)
            starts = offsets if several else np.zeros(0, np.int64)
            told = np.array([*map(int, numbers), 0, 0, several], np.int64)
            given = [truth, prediction, starts, slots, counts, told]
            program.run(names[name], given, grid[0], warps=2)

        return launch

    monkeypatch.setattr(module, "cupy", log.played())
    monkeypatch.setattr(module, "get_kernel", get_kernel)
    return module


@pytest.mark.parametrize(("dtypes", "bins"), [
    (("u1", "u1"), 9), (("u1", "u1"), 70), (("u1", "u1"), 120), (("u1", "u1"), 400),
    (("u1", "i8"), 9),
])  # fmt: skip
@pytest.mark.parametrize("sizes", [[40_000], [300, 0, 20_000, 7], [0], []])
def test_batches(module: Any, dtypes: tuple[str, str], bins: int, sizes: list[int]) -> None:
    """One block, several, several tiles, and counts in global memory."""
    batch = random_batch(bins, sizes, bins, dtypes)
    expected, counts = batch.expected(), on_device(batch.counts)
    offsets = None if len(sizes) == 1 else on_device(batch.offsets)
    arrays = map(on_device, (batch.truth, batch.prediction))
    module.confuse(*arrays, offsets, on_device(batch.slots), counts)
    np.testing.assert_array_equal(counts, expected)


def test_batches_in_host_memory(module: Any, log: Log) -> None:
    batch = random_batch(1, [300, 0, 5])
    batch.counts[:] = 0
    given = (batch.truth, batch.prediction, batch.offsets, batch.slots)
    np.testing.assert_array_equal(module.confuse_host(*given, 9), batch.expected())
    assert log == ["launch", "record", "sleep True"]


def test_a_matrix_is_added_to_and_nobody_waits(module: Any, log: Log) -> None:
    slots = np.array([0, 1, 2, 7, 3], np.uint16)
    matrix = module.DeviceMatrix(slots, 9)
    assert log == ["synchronize", "record"]  # once: other streams may come next
    expected = np.zeros((1, 9, 9), np.int64)
    for seed in range(2):
        log.clear()
        batch = random_batch(seed, [500])
        arrays = (batch.truth, batch.prediction)
        reference_confusion.confuse(*arrays, batch.offsets, slots, expected)
        matrix.add(*map(on_device, arrays))
        assert log == ["wait", "launch", "record"]
    np.testing.assert_array_equal(matrix.get(), expected[0])
    assert log[3:] == ["wait"]


@given(pixels=st.integers(0, 1 << 44), bins=st.integers(3, 65537))
def test_layouts(pixels: int, bins: int) -> None:
    module = load("gpuseg.kernels.cuda.confusion")
    plan = module.layout(pixels, bins)
    rows = plan.cells // bins if plan.cells else bins
    assert plan.tiles <= module.MOST_TILES
    assert (plan.tiles - 1) * rows < bins <= plan.tiles * rows
    assert plan.stretch < 1 << 32  # what a block counts in 32 bits
    assert plan.stretch % module.GROUP == 0
    stretches = plan.blocks // plan.tiles
    assert (stretches - 1) * plan.stretch < pixels or not pixels
    assert pixels <= stretches * plan.stretch
    assert plan.blocks < 1 << 31


def test_which_matrices_are_counted_where() -> None:
    """62 classes fit 16 KiB, 108 fit 48 KiB; those of ADE20K and COCO are counted by tiles."""
    module = load("gpuseg.kernels.cuda.confusion")
    found = {bins: module.layout(1 << 21, bins) for bins in (21, 64, 65, 110, 111, 152, 185, 258)}
    assert [(plan.cells >> 12, plan.tiles) for plan in found.values()] == [
        (1, 1), (1, 1), (3, 1), (3, 1), (3, 2), (3, 2), (3, 3), (3, 6)
    ]  # fmt: skip
    assert module.layout(1 << 21, 400).cells == 0


def test_the_constants_are_those_of_the_text() -> None:
    module = load("gpuseg.kernels.cuda.confusion")
    numbers = dict(re.findall(r"constexpr int (\w+) = (\d+);", module.CODE))
    assert int(numbers["MOST_THREADS"]) == 32 * module.WARPS
    assert int(numbers["VECTOR"]) == module.GROUP
    assert 4 * module.MOST == 48 << 10


def test_streams_of_others_are_current_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = load("gpuseg.kernels.cuda.memory")
    current: list[Any] = []

    @contextlib.contextmanager
    def use(what: Any) -> Any:
        current.append(what)
        yield
        current.pop()

    stream = SimpleNamespace(from_external=lambda given: use(given.__cuda_stream__()))
    cuda = SimpleNamespace(Device=use, Stream=stream)
    monkeypatch.setattr(memory, "cupy", SimpleNamespace(cuda=cuda))
    with memory.on_stream(3, 77):
        assert current == [3, (0, 77)]  # the device first: a stream is one of its own
    assert not current


def test_cupy_takes_the_stream_of_another() -> None:
    """The real CuPy, which looks at it before there is a device."""
    stream = load("cupy").cuda.Stream.from_external(load("gpuseg.kernels.cuda.memory")._Stream(77))
    assert stream.ptr == 77
