"""The Python around the kernels: CuPy is played by NumPy, the kernels are the real text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpuseg import foreign, load_label, save_label
from gpuseg.errors import LabelError
from gpuseg.kernels import backend, reference
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, voc_colormap
from tests.judge import check_agrees
from tests.kernels.batches import MaskBatch, by_backend
from tests.kernels.cuda_host.host import HostKernel
from tests.kernels.cuda_host.played import Device, DeviceArray, on_device, played_cupy
from tests.kernels.cuda_host.source import Variant, load
from tests.strategies import jobs, masks

pytestmark = pytest.mark.cuda

PREDICTIONS = [("i8", 8), ("u1", 8), ("i4", 8), ("i8", 16)]

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


@pytest.fixture
def cuda(host_kernel: Callable[[Variant], HostKernel], monkeypatch: pytest.MonkeyPatch) -> Any:
    """`gpuseg.kernels.cuda` on a device that is the host."""

    def run(name: str, words: int) -> Callable[..., None]:
        kernels = {depth: host_kernel(Variant(name, depth, False)) for depth in (8, 16)}

        def kernel(*arrays: Any, size: int) -> None:
            kernels[2 * arrays[words].itemsize](*arrays, size=size)

        return kernel

    # before CuPy is played, for the real one writes their text
    narrowing = {
        (given, depth): host_kernel(Variant("narrow_kernel", depth, False, given))
        for given, depth in PREDICTIONS
    }
    package = load("gpuseg.kernels.cuda")
    monkeypatch.setattr(package, "from_foreign", lambda given: getattr(given, "labels", given))
    monkeypatch.setattr(package, "contiguous", lambda array: array)
    module = load("gpuseg.kernels.cuda.pixels")
    memory = load("gpuseg.kernels.cuda.memory")
    fake = played_cupy()
    monkeypatch.setattr(module, "cupy", fake)
    monkeypatch.setattr(memory, "cupy", fake)
    monkeypatch.setattr(module, "index_kernel", run("index_kernel", 4))
    monkeypatch.setattr(module, "colour_kernel", run("colour_kernel", 0))

    def narrow(*arrays: Any, size: int) -> None:
        narrowing[arrays[0].dtype.str[1:], 8 * arrays[2].itemsize](*arrays, size=size)

    monkeypatch.setattr(module, "narrow_kernel", narrow)
    monkeypatch.setattr(Device, "current", 0)
    memory.forget_tables()
    yield module
    memory.forget_tables()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it keeps no state
)
@given(data=st.data(), job=jobs())
def test_batches_agree_with_the_reference(
    cuda: Any, data: st.DataObject, job: tuple[Palette, IndexOptions]
) -> None:
    palette, options = job
    images = data.draw(masks(palette))
    result = by_backend(cuda.index_host)(
        MaskBatch.from_masks(images), build_lookup(palette, options)
    )
    check_agrees(result, images, palette, options)


def test_empty_batch(cuda: Any) -> None:
    result = by_backend(cuda.index_host)(
        MaskBatch.from_masks([]), build_lookup(VOC, IndexOptions())
    )
    assert (len(result), result.labels.size) == (0, 0)


def test_the_smoke_run_passes(cuda: Any) -> None:
    assert backend._smoke(cuda.index_host) == ""


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("skip", range(5))
@pytest.mark.parametrize("size", [0, 3, 1002])
def test_paints_views(cuda: Any, dtype: Any, skip: int, size: int) -> None:
    labels = np.random.default_rng(size).integers(0, 22, (1, size + skip)).astype(dtype)
    colours = np.full(1 << 8 * labels.itemsize, 1 << 24, np.uint32)
    wide = VOC.colours.astype(np.uint32)
    colours[:21] = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    view = on_device(labels[0])[skip:]
    pixels, missing = cuda.paint_array(view, colours)
    assert missing == np.count_nonzero(view == 21)
    known = np.where(labels == 21, 0, labels)[:, skip:]
    expected = reference.index_to_rgb(known, VOC)
    np.testing.assert_array_equal(pixels.get().reshape(1, size, 3), expected)


@pytest.mark.parametrize(("dtype", "depth"), PREDICTIONS)
def test_a_prediction_goes_to_a_file_with_one_copy(
    cuda: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, depth: Any, dtype: str
) -> None:
    """`save_label` itself, for an array that says that it lies on a device."""
    copies: list[int] = []

    def get(array: np.ndarray) -> Any:
        copies.append(array.nbytes)
        return np.asarray(array).copy()

    monkeypatch.setattr(DeviceArray, "get", get)
    monkeypatch.setattr(foreign, "_is_on_cuda", lambda array, where: True)
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    labels = np.random.default_rng(depth).integers(0, 21, (30, 41)).astype(dtype)
    labels[3, 4] = 255
    save_label(tmp_path / "a.png", Prediction(labels), VOC, depth=depth, ignore_index=255)
    assert copies == [8, 30 * 41 * depth // 8]
    np.testing.assert_array_equal(load_label(tmp_path / "a.png"), labels)

    labels[2, 2], labels[5, 6] = 99, 200
    with pytest.raises(LabelError, match=r"got 99 \(1 px\), 200 \(1 px\)"):
        save_label(tmp_path / "b.png", Prediction(labels), VOC, depth=depth, ignore_index=255)
    assert not (tmp_path / "b.png").exists()
    assert copies[2:] == [8, labels.nbytes]  # the whole of it only to say what is wrong


class Prediction:
    """An array of another library on a device, as `foreign.take` finds it."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels, self.dtype, self.shape = on_device(labels), labels.dtype, labels.shape


def test_colour_tables_are_kept(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads: list[int] = []
    real = cuda.cupy.asarray

    def asarray(array: Any) -> Any:
        uploads.append(array.nbytes)
        return real(array)

    monkeypatch.setattr(load("gpuseg.kernels.cuda.memory").cupy, "asarray", asarray)
    labels, colours = on_device(np.zeros(9, np.uint8)), np.zeros(256, np.uint32)
    for _ in range(3):
        cuda.paint_array(labels, colours.copy())
    assert uploads == [1024]
    colours[3] = 7
    cuda.paint_array(labels, colours)
    assert uploads == [1024, 1024]


def test_tables_are_kept_by_device_and_identity(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = load("gpuseg.kernels.cuda.memory")

    def lookup() -> Lookup:
        return Lookup(np.zeros(1, np.uint16), 8, "rgb")

    first = lookup()
    table = memory.device_table(first)
    assert memory.device_table(first) is table
    assert memory.device_table(lookup()) is not table
    monkeypatch.setattr(Device, "current", 1)
    assert memory.device_table(first) is not table
    monkeypatch.setattr(Device, "current", 0)
    assert memory.device_table(first) is table
    for _ in range(memory.KEPT_TABLES):
        memory.device_table(lookup())
    assert len(memory._tables) == memory.KEPT_TABLES
    assert memory.device_table(first) is not table
