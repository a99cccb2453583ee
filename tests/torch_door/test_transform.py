"""The transform: equal to the specification for whatever holds a mask, and where it copies."""

from __future__ import annotations

import pickle
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gpuseg.errors import (
    MaskError,
    PaletteError,
    UnknownColourError,
    UnsupportedMaskError,
    UsageError,
)
from gpuseg.kernels import backend, cpu
from gpuseg.kernels.reference import rgb_to_index
from gpuseg.options import IndexOptions
from tests.making import PALETTE, indices, mask

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch import MaskToIndex  # noqa: E402

SIDES = st.integers(1, 9).filter(lambda side: side != 3)


def reference(pixels: np.ndarray, **options: Any) -> np.ndarray:
    """What the specification makes of masks (..., H, W, 3)."""
    flat = pixels.reshape(-1, *pixels.shape[-2:])  # it takes one mask, of any height
    labels = rgb_to_index(flat, PALETTE, IndexOptions(**options))[0]
    return labels.reshape(pixels.shape[:-1])


def check(found: Any, want: np.ndarray) -> None:
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found.numpy(), want)


@given(st.data(), st.sampled_from([(), (1,), (2,), (4,)]), SIDES, SIDES)
def test_all_layouts_and_kinds(data: Any, stack: tuple[int, ...], height: int, width: int) -> None:
    seed = data.draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    pixels = PALETTE.colours[rng.integers(0, 6, (*stack, height, width))]
    if data.draw(st.booleans()):
        pixels[..., 0, 0, :] = 77
    want = reference(pixels, unknown="nearest")
    transform = MaskToIndex(PALETTE, unknown="nearest")
    last = torch.from_numpy(pixels)
    first = last.movedim(-1, -3)
    for given_mask in (pixels, last, first, first.contiguous(), first.numpy()):
        check(transform(given_mask), want)
    for channels, given_mask in (("last", last), ("first", first)):
        explicit = MaskToIndex(PALETTE, channels=channels, unknown="nearest")  # type: ignore[arg-type]
        check(explicit(given_mask), want)


def test_options_are_those_of_rgb_to_index() -> None:
    pixels = mask(5, 6)
    pixels[0, 0], pixels[0, 1] = 77, (129, 0, 0)
    for options in (
        {"unknown": "ignore"},
        {"unknown": "ignore", "ignore_index": 9},
        {"unknown": "nearest"},
        {"unknown": "ignore", "depth": 16},
    ):
        check(MaskToIndex(PALETTE, **options)(pixels), reference(pixels, **options))  # type: ignore[arg-type]
    swapped = MaskToIndex(PALETTE, order="bgr", unknown="ignore")
    check(swapped(pixels[..., ::-1]), reference(pixels, unknown="ignore"))
    with pytest.raises(UnknownColourError, match="#4d4d4d 1 px"):
        MaskToIndex(PALETTE)(torch.from_numpy(pixels))


def test_an_axis_that_may_be_either_is_asked_for() -> None:
    pixels = mask(3, 8)[:, :3]
    for shape in ((3, 8, 3), (2, 3, 8, 3), (3, 3, 3)):
        with pytest.raises(MaskError, match=r"channels='first'\) or channels='last'"):
            MaskToIndex(PALETTE)(torch.zeros(shape, dtype=torch.uint8))
    check(MaskToIndex(PALETTE, channels="last")(pixels), reference(pixels))
    moved = torch.from_numpy(pixels).permute(2, 0, 1)
    check(MaskToIndex(PALETTE, channels="first")(moved), reference(pixels))


def test_pillow_images() -> None:
    image = Image.fromarray(mask(7, 3))
    check(MaskToIndex(PALETTE)(image), indices(7, 3))  # never ambiguous
    with pytest.raises(UnsupportedMaskError, match=r"mode P\) holds indices.*convert\('RGB'\)"):
        MaskToIndex(PALETTE)(image.convert("P"))
    with pytest.raises(UnsupportedMaskError, match="greyscale"):
        MaskToIndex(PALETTE)(image.convert("L"))
    with pytest.raises(UnsupportedMaskError, match="3 channels, got 4"):
        MaskToIndex(PALETTE)(image.convert("RGBA"))


def test_what_is_no_mask() -> None:
    for wrong, said in (
        (torch.zeros((4, 5), dtype=torch.uint8), "greyscale, or indices"),
        (torch.zeros((3, 4, 5)), "dtype uint8, got float32"),
        (torch.zeros((4, 5, 6), dtype=torch.uint8), r"\(H, W, 3\) or \(N, H, W, 3\)"),
        ("a.png", "expected an array"),
    ):
        with pytest.raises(MaskError, match=said):
            MaskToIndex(PALETTE)(wrong)


def test_what_is_wrong_is_said_when_it_is_made() -> None:
    for wrong in (
        {"channels": "middle"},
        {"order": "gbr"},
        {"unknown": "drop"},
        {"tolerance": 3},
        {"ignore_index": 256},
    ):
        with pytest.raises(UsageError):
            MaskToIndex(PALETTE, **wrong)  # type: ignore[arg-type]
    with pytest.raises(PaletteError):
        MaskToIndex("no such palette")


def test_it_travels_small_and_says_what_it_is() -> None:
    transform = MaskToIndex(PALETTE, channels="last", unknown="nearest", tolerance=9)
    data = pickle.dumps(transform)
    assert len(data) < 2000
    check(pickle.loads(data)(mask(4, 5)), indices(4, 5))
    assert repr(transform) == (
        "MaskToIndex('six', channels='last', order='rgb', unknown='nearest', tolerance=9)"
    )


LAYOUTS = {
    "(H, W, 3)": (lambda t: t, True),
    "(3, H, W), permuted": (lambda t: t.permute(2, 0, 1), True),
    "(N, H, W, 3)": (lambda t: t[None], True),
    "(N, 3, H, W), channels_last": (
        lambda t: t.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last),
        True,
    ),
    "(3, H, W), planes": (lambda t: t.permute(2, 0, 1).contiguous(), False),
    "a part": (lambda t: t[:, 2:], False),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pixels_in_one_piece_are_read_where_they_are(
    layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, in_place = LAYOUTS[layout]
    given_mask = make(torch.from_numpy(mask(7, 9)))
    seen: list[int] = []

    def spy(pixels: Any, *others: Any) -> None:
        seen.append(pixels.ctypes.data)
        others[2][:], others[3][:] = 0, 0

    monkeypatch.setattr(cpu, "index_pixels", spy)
    MaskToIndex(PALETTE)(given_mask)
    assert (seen == [given_mask.data_ptr()]) is in_place


class OnCuda(torch.Tensor):  # type: ignore[misc]
    """Stands for a tensor on a CUDA device: says so, and does not come to the host."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def cpu(self, *arguments: Any) -> Any:
        raise AssertionError("a tensor of a device was copied to the host")

    to = numpy = tolist = __array__ = cpu


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The CUDA side without a device; whether each mask was copied on it."""
    copied: list[bool] = []

    def contiguous(array: OnCuda) -> Any:
        copied.append(not array.is_contiguous())
        return array.contiguous()

    def index_arrays(pixels: OnCuda, offsets: Any, lookup: Any) -> tuple[Any, Any]:
        plain = pixels.as_subclass(torch.Tensor)
        labels = np.empty(plain.numel() // 3, lookup.label_dtype)
        unknown = np.empty(len(offsets) - 1, np.int64)
        cpu.index_pixels(plain.numpy(), offsets, lookup.table, labels, unknown)
        return torch.from_numpy(labels), unknown

    fake = SimpleNamespace(
        from_foreign=lambda array: array, contiguous=contiguous, index_arrays=index_arrays
    )
    monkeypatch.setitem(sys.modules, "gpuseg.kernels.cuda", fake)  # type: ignore[arg-type]
    monkeypatch.setattr("gpuseg.kernels.cuda", fake, raising=False)
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    return copied


def test_tensors_of_a_device_stay_there(copies: list[bool]) -> None:
    last = torch.from_numpy(mask(7, 9)).as_subclass(OnCuda)
    for given_mask in (last, last.permute(2, 0, 1), last.permute(2, 0, 1).contiguous()):
        assert type(given_mask) is OnCuda
        found = MaskToIndex(PALETTE)(given_mask)
        check(found, indices(7, 9))
    assert copies == [False, False, True]  # only planes, once
