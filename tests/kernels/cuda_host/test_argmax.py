"""The largest scores on a device: its text run as C++, and taken by NVRTC for every GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg import foreign
from gpuseg.errors import LabelError
from gpuseg.kernels import backend
from gpuseg.narrowing import Allowed
from gpuseg.predicting.given import take_batch
from tests.kernels.cuda_host.host import HostKernel, build
from tests.kernels.cuda_host.played import DeviceArray, on_device, played_cupy
from tests.kernels.cuda_host.source import (
    ARCHITECTURES,
    Variant,
    compile_variant,
    generate,
    load,
)
from tests.kernels.test_argmax import scores
from tests.making import PALETTE

pytestmark = pytest.mark.cuda

HostKernels = Callable[[Variant], HostKernel]
SIX = Allowed.of(PALETTE, 255)


def variant(given: str, wide: bool = False) -> Variant:
    return Variant("argmax_kernel", 8, wide, given)


def check(kernel: HostKernel, array: np.ndarray, grid: int | None = None) -> None:
    images, channels, height, width = array.shape
    allowed = (np.arange(256) % 3 > 0).astype(np.uint8)
    labels, strange = np.full(images * height * width, 99, np.uint8), np.zeros(1, np.uint64)
    shape = np.array([height * width, channels])
    kernel(array.reshape(-1), shape, allowed, labels, strange, size=labels.size, grid=grid)
    expected = array.argmax(1).reshape(-1)
    np.testing.assert_array_equal(labels, expected)
    assert int(strange[0]) == np.count_nonzero(expected % 3 == 0)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, n) for n in (3, 9, 5, 70)]),
    kind=st.sampled_from(["f4", "f8"]),
    wide=st.booleans(),
    seed=st.integers(0, 99),
)
def test_is_that_of_numpy(
    host_kernel: HostKernels, shape: tuple[int, ...], kind: str, wide: bool, seed: int
) -> None:
    array = scores(np.random.default_rng(seed), shape, kind, 0.2)
    check(host_kernel(variant(kind, wide)), array)


def test_256_channels_and_threads_that_go_round(host_kernel: HostKernels) -> None:
    rng = np.random.default_rng(0)
    check(host_kernel(variant("f4")), rng.standard_normal((2, 256, 13, 17), np.float32), grid=2)
    check(host_kernel(variant("f4")), scores(rng, (2, 3, 40, 50), "f4", 1))


FAULTS = {
    "the last of equal ones": ("!(score <= best)", "!(score < best)"),
    "NaN is not seen": ("!(score <= best)", "score > best"),
    "the last NaN": (" && best == best", ""),
    "one channel too few": ("channel < channels", "channel + 1 < channels"),
    "images run into each other": ("i / plane * plane * channels", "i / plane * plane"),
    "all is allowed": ("if (!__ldg(&allowed[label]))", "if (false)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_a_broken_kernel(fault: str, tmp_path: Path) -> None:
    right, wrong = FAULTS[fault]
    code = generate(variant("f4"))
    assert right in code
    broken = build(code.replace(right, wrong), variant("f4").dtypes, tmp_path)
    with pytest.raises(AssertionError):
        check(broken, scores(np.random.default_rng(0), (3, 5, 9, 11), "f4", 0.3))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_compiles_to_machine_code(kind: str, architecture: str) -> None:
    assert compile_variant(variant(kind), architecture, "cubin").startswith(b"\x7fELF")


class Prediction:
    """An array of another library on a device, as `foreign.take` finds it."""

    def __init__(self, array: Any) -> None:
        self.array, self.dtype, self.shape = on_device(array), array.dtype, array.shape

    def __getitem__(self, item: Any) -> Prediction:
        return Prediction(np.asarray(self.array)[item])


@pytest.fixture
def copies(host_kernel: HostKernels, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device that is the host; bytes of each copy from it."""
    kernels = {kind: host_kernel(variant(kind)) for kind in ("f4", "f8")}
    narrowing = host_kernel(Variant("narrow_kernel", 8, False, "i8"))
    package = load("gpuseg.kernels.cuda")
    monkeypatch.setattr(package, "from_foreign", lambda given: given.array)
    monkeypatch.setattr(package, "contiguous", lambda array: array)
    for name in ("argmax", "pixels"):
        monkeypatch.setattr(load(f"gpuseg.kernels.cuda.{name}"), "cupy", played_cupy())

    def argmax(*arrays: Any, size: int) -> None:
        kernels[arrays[0].dtype.str[1:]](*arrays, size=size)

    monkeypatch.setattr(load("gpuseg.kernels.cuda.argmax"), "argmax_kernel", argmax)
    monkeypatch.setattr(load("gpuseg.kernels.cuda.pixels"), "narrow_kernel", narrowing)
    monkeypatch.setattr(foreign, "_is_on_cuda", lambda array, where: True)
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    copied: list[int] = []

    def get(array: np.ndarray) -> Any:
        copied.append(array.nbytes)
        return np.asarray(array).copy()

    monkeypatch.setattr(DeviceArray, "get", get)
    return copied


@pytest.mark.filterwarnings("ignore:scores of 12 channels")  # on purpose, at the end
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_scores_on_a_device_are_copied_as_labels(copies: list[int], kind: str) -> None:
    array = scores(np.random.default_rng(1), (3, 6, 12, 17), kind, 0.2)
    batch = take_batch(Prediction(array), False, SIX)
    assert copies == [8, 3 * 12 * 17]
    assert batch.device == "cuda"
    np.testing.assert_array_equal(batch.labels, array.argmax(1))
    one = take_batch(Prediction(array[0]), True, SIX)
    np.testing.assert_array_equal(one.labels, array[:1].argmax(1))
    array = np.concatenate([array, array + 9], axis=1)
    with pytest.raises(LabelError, match="channel k of the scores is index k"):
        take_batch(Prediction(array), False, SIX)


def test_indices_on_a_device_are_copied_as_labels(copies: list[int]) -> None:
    labels = np.random.default_rng(1).integers(0, 6, (3, 12, 17))
    batch = take_batch(Prediction(labels), False, SIX)
    assert copies == [8, 3 * 12 * 17]
    np.testing.assert_array_equal(batch.labels, labels)
    labels[1, 2, 3] = 77
    with pytest.raises(LabelError, match=r"got 77 \(1 px\)"):
        take_batch(Prediction(labels), False, SIX)
