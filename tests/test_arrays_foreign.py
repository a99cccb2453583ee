"""Arrays of other libraries: no copy through the host, and into a loss without a detour."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gpuseg.arrays import index_to_rgb, rgb_to_index
from gpuseg.errors import BackendError, LabelError, MaskError, UnknownColourError
from gpuseg.kernels import backend, cpu
from gpuseg.palette import Palette, voc_colormap

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


@pytest.mark.torch
@pytest.mark.parametrize("stack", [(), (2,)])
def test_labels_go_into_a_loss(stack: tuple[int, ...]) -> None:
    """uint8 targets of shape (N, H, W) are refused by the CPU loss, `.long()` is what it takes."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    masks = torch.from_numpy(VOC.colours[np.random.default_rng(1).integers(0, 21, (*stack, 8, 8))])
    masks[..., 0, :3, :] = 77
    labels, unknown = rgb_to_index(masks, VOC, unknown="ignore", return_unknown=True)
    assert unknown == ([3, 3] if stack else 3)
    scores = torch.randn((*(stack or (1,)), 21, 8, 8), requires_grad=True)
    target = labels.long() if stack else labels.long()[None]
    loss = torch.nn.CrossEntropyLoss(ignore_index=255)(scores, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert not scores.grad[..., 0, :3].any()  # ignored pixels teach nothing
    assert scores.grad[..., 0, 3].any()


@pytest.mark.torch
def test_tensors_are_read_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mask = torch.zeros((40, 50, 3), dtype=torch.uint8)
    seen: list[int] = []

    def spy(pixels: Any, *others: Any) -> None:
        seen.append(pixels.ctypes.data)
        others[2][:], others[3][:] = 0, 0

    monkeypatch.setattr(cpu, "index_pixels", spy)
    rgb_to_index(mask, VOC)
    assert seen == [mask.data_ptr()]


@pytest.mark.torch
def test_a_tensor_that_is_nowhere() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mask = torch.zeros((4, 5, 3), dtype=torch.uint8, device="meta")
    with pytest.raises(MaskError, match=r"host memory or on a CUDA device, got .*\.cpu\(\)"):
        rgb_to_index(mask, VOC)


class OnDevice:
    """Stands for a CUDA array: has no way to become a NumPy array but `get`."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.size = array.size

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def __getitem__(self, item: Any) -> OnDevice:
        return OnDevice(self._array[item])

    def reshape(self, *shape: Any) -> OnDevice:
        return OnDevice(self._array.reshape(*shape))

    def get(self) -> Any:
        return self._array


@pytest.fixture
def _fake_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CUDA side of `arrays` without a device: the same calls, answered by the CPU."""

    def index_arrays(pixels: OnDevice, offsets: Any, lookup: Any) -> tuple[OnDevice, Any]:
        labels = np.empty(pixels.size // 3, lookup.label_dtype)
        unknown = np.empty(len(offsets) - 1, np.int64)
        cpu.index_pixels(pixels.get(), offsets, lookup.table, labels, unknown)
        return OnDevice(labels), unknown

    def paint_array(labels: OnDevice, colours: Any) -> tuple[OnDevice, int]:
        pixels = np.empty(3 * labels.size, np.uint8)
        return OnDevice(pixels), cpu.colour_labels(labels.get(), colours, pixels)

    fake = SimpleNamespace(
        from_foreign=lambda array: array,
        contiguous=lambda array: OnDevice(np.ascontiguousarray(array.get())),
        index_arrays=index_arrays,
        paint_array=paint_array,
    )
    monkeypatch.setitem(sys.modules, "gpuseg.kernels.cuda", fake)  # type: ignore[arg-type]
    monkeypatch.setattr("gpuseg.kernels.cuda", fake, raising=False)
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")


@pytest.mark.usefixtures("_fake_device")
def test_device_arrays_stay_on_the_device() -> None:
    indices = np.random.default_rng(0).integers(0, 21, (2, 5, 6))
    masks = VOC.colours[indices]
    masks[1, 0, 0] = 5
    labels, unknown = rgb_to_index(OnDevice(masks), VOC, unknown="ignore", return_unknown=True)
    indices[1, 0, 0] = 255
    assert isinstance(labels, OnDevice)
    assert unknown == [0, 1]
    np.testing.assert_array_equal(labels.get(), indices)
    painted = index_to_rgb(labels, VOC)
    assert isinstance(painted, OnDevice)
    assert painted.get()[1, 0, 0].tolist() == [224, 224, 192]
    with pytest.raises(UnknownColourError, match=r"^image 1: .*#050505 1 px, first at x=0 y=0"):
        rgb_to_index(OnDevice(masks), VOC)
    with pytest.raises(LabelError, match=r"255 \(1 px\)"):
        index_to_rgb(labels, VOC, ignore_index=0)


def test_device_arrays_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "CuPy is not installed")
    with pytest.raises(BackendError, match=r"CuPy is not installed; pip install 'cupy-cuda13x"):
        rgb_to_index(OnDevice(np.zeros((2, 2, 3), np.uint8)), VOC)
