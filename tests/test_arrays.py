"""Arrays in memory: kinds, shapes, policies and messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.arrays import index_to_rgb, rgb_to_index
from gpuseg.errors import (
    LabelError,
    MaskError,
    UnknownColourError,
    UnsupportedMaskError,
    UsageError,
)
from gpuseg.kernels import backend, reference
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, PaletteClass, voc_colormap
from gpuseg.results import UnknownColour

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


@dataclass(frozen=True)
class Kind:
    """A kind of array: how it is made of a NumPy array, how it goes back, its type."""

    make: Callable[[Any], Any]
    back: Callable[[Any], Any]
    type: type


def _numpy() -> Kind:
    return Kind(np.asarray, np.asarray, np.ndarray)


def _torch() -> Kind:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return Kind(lambda array: torch.from_numpy(array.copy()), np.asarray, torch.Tensor)


def _cupy() -> Kind:
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    import cupy

    return Kind(cupy.asarray, lambda array: array.get(), cupy.ndarray)


def _torch_cuda() -> Kind:
    _cupy()
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    return Kind(
        lambda array: torch.from_numpy(array.copy()).cuda(),
        lambda array: array.cpu().numpy(),
        torch.Tensor,
    )


@pytest.fixture(
    params=[
        _numpy,
        pytest.param(_torch, marks=pytest.mark.torch),
        pytest.param(_cupy, marks=pytest.mark.gpu),
        pytest.param(_torch_cuda, marks=[pytest.mark.gpu, pytest.mark.torch]),
    ],
    ids=["numpy", "torch", "cupy", "torch-cuda"],
)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of array that exists here."""
    made: Kind = request.param()
    return made


def _mask(*shape: int, seed: int = 0) -> Any:
    return VOC.colours[np.random.default_rng(seed).integers(0, 21, shape)]


def _indices(mask: Any) -> Any:
    return reference.rgb_to_index(mask, VOC, IndexOptions())[0]


@pytest.mark.parametrize("depth", [8, 16])
def test_one_mask(kind: Kind, depth: Any) -> None:
    mask = _mask(7, 13)
    labels = rgb_to_index(kind.make(mask), VOC, depth=depth)
    assert isinstance(labels, kind.type)
    assert kind.back(labels).dtype == (np.uint8 if depth == 8 else np.uint16)
    np.testing.assert_array_equal(kind.back(labels), _indices(mask))
    np.testing.assert_array_equal(kind.back(index_to_rgb(labels, VOC)), mask)


def test_a_stack(kind: Kind) -> None:
    stack = _mask(3, 5, 9)
    stack[1, :2, 3] = 1
    labels, unknown = rgb_to_index(kind.make(stack), VOC, unknown="ignore", return_unknown=True)
    assert isinstance(labels, kind.type)
    assert unknown == [0, 2, 0]
    expected = [reference.rgb_to_index(m, VOC, IndexOptions(unknown="ignore"))[0] for m in stack]
    np.testing.assert_array_equal(kind.back(labels), expected)
    painted = kind.back(index_to_rgb(labels, VOC))
    np.testing.assert_array_equal(painted[1, 0, 3], (224, 224, 192))
    np.testing.assert_array_equal(painted[2], stack[2])


@pytest.mark.parametrize("container", [list, tuple])
def test_mixed_sizes(kind: Kind, container: Any) -> None:
    images = [_mask(3, 5), _mask(1, 1), _mask(20, 3)]
    images[2][:] = 9
    labels, unknown = rgb_to_index(
        container(map(kind.make, images)), VOC, unknown="nearest", return_unknown=True
    )
    assert isinstance(labels, list)
    assert unknown == [0, 0, 60]
    np.testing.assert_array_equal(kind.back(labels[0]), _indices(images[0]))
    assert all(isinstance(mask, kind.type) for mask in index_to_rgb(labels, VOC))


def test_views_that_are_not_contiguous(kind: Kind) -> None:
    mask = _mask(10, 12)
    labels = rgb_to_index(kind.make(mask)[::2, 1:-2], VOC)
    np.testing.assert_array_equal(kind.back(labels), _indices(mask)[::2, 1:-2])
    turned = index_to_rgb(kind.make(_indices(mask))[:, 1:4], VOC)
    np.testing.assert_array_equal(kind.back(turned), mask[:, 1:4])
    odd = kind.make(_mask(9, 5))[1:]  # contiguous, but starts at byte 15
    np.testing.assert_array_equal(kind.back(rgb_to_index(odd, VOC)), _indices(_mask(9, 5))[1:])


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (0, 3, 4), (2, 0, 3)])
def test_no_pixels(kind: Kind, shape: tuple[int, ...]) -> None:
    labels, unknown = rgb_to_index(
        kind.make(np.zeros((*shape, 3), np.uint8)), VOC, return_unknown=True
    )
    assert tuple(labels.shape) == shape
    assert unknown == (0 if len(shape) == 2 else [0] * shape[0])
    assert tuple(index_to_rgb(labels, VOC).shape) == (*shape, 3)
    assert rgb_to_index([], VOC, return_unknown=True) == ([], [])


def test_bgr(kind: Kind) -> None:
    mask = _mask(6, 6)
    swapped = kind.make(np.ascontiguousarray(mask[..., ::-1]))
    labels = rgb_to_index(swapped, VOC, order="bgr")
    np.testing.assert_array_equal(kind.back(labels), _indices(mask))
    np.testing.assert_array_equal(
        kind.back(index_to_rgb(labels, VOC, order="bgr")), mask[..., ::-1]
    )


def test_unknown_colours_are_named(kind: Kind) -> None:
    mask = _mask(4, 6)
    mask[1, 2:5], mask[3, 0] = (1, 2, 3), (255, 0, 9)
    with pytest.raises(UnknownColourError) as caught:
        rgb_to_index(kind.make(mask), VOC)
    assert caught.value.pixels == 4
    assert caught.value.colours == (
        UnknownColour((1, 2, 3), 3, x=2, y=1),
        UnknownColour((255, 0, 9), 1, x=0, y=3),
    )
    assert "4 of 24 pixels" in str(caught.value)
    assert "#010203 3 px, first at x=2 y=1; #ff0009 1 px, first at x=0 y=3" in str(caught.value)


def test_the_error_names_the_mask_in_a_list_and_the_true_rgb() -> None:
    good = np.zeros((2, 2, 3), np.uint8)
    bad = good.copy()
    bad[0, 1] = (3, 2, 1)
    with pytest.raises(UnknownColourError, match=r"^mask 1: .*#010203"):
        rgb_to_index([good, bad], VOC, order="bgr", unknown="error")
    with pytest.raises(UnknownColourError, match=r"^image 1: .*#030201"):
        rgb_to_index(np.stack([good, bad]), VOC)


def test_swapped_channels_are_recognised() -> None:
    palette = Palette.from_colours([[0, 0, 0], [200, 30, 10]])
    with pytest.raises(UnknownColourError, match="red and blue swapped"):
        rgb_to_index(np.full((2, 2, 3), (10, 30, 200), np.uint8), palette)


def test_tolerance_refuses_only_what_is_too_far() -> None:
    mask = np.array([[[1, 0, 0], [1, 0, 0], [20, 0, 0]]], np.uint8)
    with pytest.raises(UnknownColourError) as caught:
        rgb_to_index(mask, VOC, unknown="nearest", tolerance=5)
    assert [colour.hex for colour in caught.value.colours] == ["#140000"]
    assert caught.value.pixels == 1
    labels, unknown = rgb_to_index(
        mask[:, :2], VOC, unknown="nearest", tolerance=5, return_unknown=True
    )
    assert labels.tolist() == [[0, 0]]
    assert unknown == 2


@pytest.mark.parametrize(
    ("shape", "dtype", "error", "words"),
    [
        ((4, 4, 3), "float32", UnsupportedMaskError, "uint8, got float32.*255"),
        ((4, 4, 3), "bool", UnsupportedMaskError, "uint8, got bool"),
        ((4, 4, 3), "int64", UnsupportedMaskError, "uint8, got int64.*byte"),
        ((4, 4, 4), "uint8", UnsupportedMaskError, r"3 channels, got 4.*mask\[\.\.\., :3\]"),
        ((2, 4, 4, 4), "uint8", UnsupportedMaskError, "3 channels, got 4"),
        ((4, 4), "uint8", UnsupportedMaskError, r"got \(4, 4\): greyscale"),
        ((3, 5, 6), "uint8", MaskError, r"channels first.*transpose\(1, 2, 0\)"),
        ((2, 3, 5, 6), "uint8", MaskError, r"channels first.*permute\(0, 2, 3, 1\)"),
        ((4, 4, 2), "uint8", MaskError, r"got \(4, 4, 2\)"),
        ((12,), "uint8", MaskError, r"got \(12,\)"),
        ((1, 2, 4, 4, 3), "uint8", MaskError, "got"),
    ],
)
def test_masks_that_cannot_be(
    kind: Kind, shape: tuple[int, ...], dtype: str, error: type[MaskError], words: str
) -> None:
    array = kind.make(np.zeros(shape, dtype))
    with pytest.raises(error, match=words):
        rgb_to_index(array, VOC)
    with pytest.raises(error, match="mask 0: .*" + words):
        rgb_to_index([array], VOC)


@pytest.mark.parametrize("thing", [None, 3, "mask.png", {"a": 1}, [[1, 2], [3, 4]]])
def test_things_that_are_no_arrays(thing: Any) -> None:
    with pytest.raises(MaskError, match="expected an array or a list of arrays, got"):
        rgb_to_index(thing, VOC)


def test_wrong_options() -> None:
    mask: Any = _mask(2, 2)
    with pytest.raises(UsageError, match="order must be one of rgb, bgr, got 'rbg'"):
        rgb_to_index(mask, VOC, order="rbg")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="order must be"):
        index_to_rgb(mask[..., 0], VOC, order="rbg")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="ignore_index must be 0 to 255 for uint8"):
        index_to_rgb(np.zeros((2, 2), np.uint8), VOC, ignore_index=256)


def test_pillow_images() -> None:
    mask = _mask(3, 4)
    labels = rgb_to_index(Image.fromarray(mask), VOC)
    assert isinstance(labels, np.ndarray)
    np.testing.assert_array_equal(labels, _indices(mask))


def test_read_only_arrays() -> None:
    mask = _mask(3, 4)
    mask.flags.writeable = False
    np.testing.assert_array_equal(rgb_to_index(mask, VOC), _indices(mask))


def test_indices_without_a_class_are_named(kind: Kind) -> None:
    labels = np.array([[0, 30, 30], [255, 99, 1]], np.uint8)
    with pytest.raises(LabelError, match=r"3 of 6 pixels .*'voc'.*: 30 \(2 px\), 99 \(1 px\);"):
        index_to_rgb(kind.make(labels), VOC)
    with pytest.raises(LabelError, match="label map 0: "):
        index_to_rgb([kind.make(labels)], VOC)
    with pytest.raises(LabelError, match=r"255 \(1 px\)"):
        index_to_rgb(kind.make(labels[1:, :1]), VOC, ignore_index=200)


def test_an_ignore_index_that_is_a_class_keeps_its_colour() -> None:
    palette = Palette((PaletteClass(0, "a", (1, 1, 1)), PaletteClass(255, "void", (9, 8, 7))))
    painted = index_to_rgb(np.full((1, 1), 255, np.uint8), palette)
    assert painted.tolist() == [[[9, 8, 7]]]
    wide = Palette.from_colours([[1, 1, 1]])
    assert index_to_rgb(np.full((1, 1), 65535, np.uint16), wide).tolist() == [[[224, 224, 192]]]


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool"])
def test_label_maps_of_another_dtype_or_shape(dtype: str) -> None:
    with pytest.raises(LabelError, match=f"uint8 or uint16, got {dtype}"):
        index_to_rgb(np.zeros((4, 4), dtype), VOC)
    with pytest.raises(LabelError, match=r"\(H, W\) or \(N, H, W\), got \(4,\)"):
        index_to_rgb(np.zeros(4, np.uint8), VOC)
