"""What a model gives to labels: of every kind of array, with one copy, or refused."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gpuseg.errors import LabelError, MaskError
from gpuseg.narrowing import Allowed
from gpuseg.palette import Palette, PaletteClass
from gpuseg.palettes.load import load_palette
from gpuseg.predicting import given
from gpuseg.predicting.given import take_batch
from tests.making import PALETTE

SIX = Allowed.of(PALETTE, 255)
GAPS = Allowed.of(
    Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(2, "b", (1, 1, 1))), name="gaps"), 7
)


def scores(shape: tuple[int, ...] = (2, 6, 5, 7), kind: str = "f4") -> np.ndarray:
    """Some of them equal, some NaN."""
    rng = np.random.default_rng(len(shape))
    found = rng.integers(-2, 3, shape).astype(kind)
    found[rng.random(shape) < 0.1] = np.nan
    return found


def labels(shape: tuple[int, ...] = (2, 5, 7), kind: str = "i8") -> np.ndarray:
    found = np.random.default_rng(0).integers(0, 6, shape)
    found[..., 0] = 127 if kind == "i1" else 255
    return found.astype(kind)


other_channels = pytest.mark.filterwarnings("ignore:scores of")
"""Scores of other channels than the palette has classes, on purpose."""


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4"])
def test_scores(kind: str) -> None:
    array = scores(kind=kind)
    batch = take_batch(array, False, SIX)
    np.testing.assert_array_equal(batch.labels, array.argmax(1))
    assert (batch.labels.dtype, batch.device) == (np.uint8, "cpu")
    one = take_batch(array[0], True, SIX)
    np.testing.assert_array_equal(one.labels, array[:1].argmax(1))


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8", "i2", "i4", "i8", ">i4"])
def test_indices(kind: str) -> None:
    array = labels(kind=kind)
    for looked in (array, array[:, ::-1], array[..., ::2], array.transpose(0, 2, 1)):
        batch = take_batch(looked, False, SIX)
        np.testing.assert_array_equal(batch.labels, looked)
        assert batch.labels.flags.c_contiguous
        np.testing.assert_array_equal(take_batch(looked[1], True, SIX).labels, looked[1:])


@pytest.mark.parametrize("array", [labels(kind="u1"), labels(), scores()])
def test_what_was_given_may_be_overwritten(array: np.ndarray) -> None:
    found = take_batch(array, False, SIX).labels
    before = found.copy()
    assert not np.shares_memory(found, array)
    array[...] = 0
    np.testing.assert_array_equal(found, before)


def test_no_images() -> None:
    for array in (np.empty((0, 6, 4, 4)), np.empty((0, 4, 4), int)):
        assert len(take_batch(array, False, SIX).labels) == 0


def test_other_kinds_of_arrays() -> None:
    class Foreign:
        """What speaks DLPack and nothing else."""

        def __init__(self, array: np.ndarray) -> None:
            self._array, self.dtype, self.shape = array, array.dtype, array.shape

        def __getitem__(self, item: Any) -> Foreign:
            return Foreign(self._array[item])

        def __dlpack__(self, **options: Any) -> Any:
            return self._array.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

    array = scores()
    found = take_batch(Foreign(array), False, SIX)
    np.testing.assert_array_equal(found.labels, array.argmax(1))
    found = take_batch(Foreign(labels(kind="u1")), False, SIX)
    np.testing.assert_array_equal(found.labels, labels())


@other_channels
def test_a_channel_that_is_no_class_may_not_win() -> None:
    array = np.zeros((1, 4, 2, 2), np.float32)
    array[0, 2, 0] = 1
    assert take_batch(array, False, GAPS).labels.tolist() == [[[2, 2], [0, 0]]]
    array[0, 3, 1, 1] = 1
    with pytest.raises(LabelError, match=r"got 3 \(1 px\).*channel k of the scores is index k"):
        take_batch(array, False, GAPS)
    assert take_batch(np.eye(3)[None, :, None], False, SIX).labels.tolist() == [[[0, 1, 2]]]


@pytest.mark.parametrize("strange", [-1, 6, 300, -256, 2**40])
def test_indices_that_are_no_class(strange: int) -> None:
    array = labels()
    array[1, 2, 3] = strange
    with pytest.raises(LabelError, match=rf"ignore index 255, got {strange} \(1 px\)"):
        take_batch(array, False, SIX)


@pytest.mark.parametrize(
    ("array", "single", "message"),
    [
        (scores(), True, r"one name goes with .*\(C, H, W\).*got float32 .* as many names"),
        (scores()[0], False, r"a list of names goes with .*one name, not a list"),
        (np.zeros((2, 3, 3)), False, r"cast to integers first.*\.byte\(\)"),
        (np.zeros((3, 3)), False, r"got float64 of shape \(3, 3\)"),
        (np.zeros((3, 3), int), False, r"got int64 of shape \(3, 3\)"),
        (labels(), True, r"indices of shape \(H, W\).*as many names"),
        (np.zeros((2, 1, 3, 3), int), False, r"drop the channel: labels\[:, 0\]"),
        (np.zeros((2, 3, 3), bool), False, r"got bool .*mask\.astype\('uint8'\)"),
        (np.zeros((2, 2, 3, 3), complex), False, "got complex128"),
        (np.zeros((2, 1, 3, 3)), False, r"got 1 \(shape .*\(scores\[:, 0\] > 0\)"),
        (np.zeros((2, 0, 3, 3)), False, r"got 0 \(shape"),
        (np.zeros((1, 257, 1, 1)), False, "256 indices, got scores of 257 channels"),
        (np.zeros((1, 480, 640, 19)), False, "got scores of 480 channels .* move them there"),
        (np.zeros((2, 3, 0, 3)), False, "at least one pixel"),
        (np.zeros((2, 3, 0), int), False, "at least one pixel"),
        ([labels()], False, "one array, got list"),
        ({"out": labels()}, False, r"got dict; .*torchvision: \['out'\]"),
        (3, True, "one array, got int"),
    ],
)  # fmt: skip
def test_what_is_no_prediction(array: Any, single: bool, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        take_batch(array, single, SIX)


def _looks(torch: Any) -> dict[str, Callable[[Any], Any]]:
    return {
        "as it is": lambda a: a,
        "channels last": lambda a: a.contiguous(memory_format=torch.channels_last),
        "cropped": lambda a: a[..., 1:, :-1],
        "transposed": lambda a: a.transpose(2, 3),
        "being trained": lambda a: a.clone().requires_grad_(),
        "expanded": lambda a: a[:1].expand(3, -1, -1, -1),
    }


@pytest.fixture(params=["host", "another device"])
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors of the CPU, also by the way of those that are on another device."""
    if request.param != "host":
        monkeypatch.setattr(given, "_is_elsewhere", lambda tensor: True)


@pytest.mark.torch
@pytest.mark.usefixtures("_place")
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_scores_of_torch(kind: str) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(scores()).to(getattr(torch, kind))
    for look in _looks(torch).values():
        looked = look(tensor)
        found = take_batch(looked, False, SIX).labels
        assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)
        np.testing.assert_array_equal(found, looked.argmax(1).numpy())
        found = take_batch(looked[0], True, SIX).labels
        np.testing.assert_array_equal(found, looked[:1].argmax(1).numpy())


@pytest.mark.torch
@pytest.mark.usefixtures("_place")
@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "int64", "uint16"])
def test_indices_of_torch(kind: str) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(labels()).to(getattr(torch, kind))
    for looked in (tensor, tensor.transpose(1, 2), tensor[:, 1:, ::3]):
        found = take_batch(looked, False, SIX).labels
        assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)
        np.testing.assert_array_equal(found, looked.to(torch.int64).numpy())
    tensor = tensor.to(torch.int64)
    tensor[1, 2, 3] = 17
    with pytest.raises(LabelError, match=r"got 17 \(1 px\)"):
        take_batch(tensor.to(getattr(torch, kind)), False, SIX)
    for strange in (-1, 256 + 3):
        tensor[1, 2, 3] = strange
        with pytest.raises(LabelError, match=rf"got {strange} \(1 px\)"):
            take_batch(tensor, False, SIX)


@other_channels
@pytest.mark.torch
@pytest.mark.usefixtures("_place")
def test_a_channel_of_torch_that_is_no_class() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(LabelError, match=r"got 1 \(4 px\).*channel k"):
        take_batch(torch.tensor([0.0, 1.0])[None, :, None, None].expand(1, 2, 2, 2), False, GAPS)


@pytest.mark.torch
def test_tensors_that_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(LabelError, match="cast them to float32"):
        take_batch(torch.zeros(1, 2, 3, 3).to(torch.float8_e4m3fn), False, SIX)
    with pytest.raises(LabelError, match=r"got bool .*\.byte\(\)"):
        take_batch(torch.zeros(1, 3, 3, dtype=torch.bool), False, SIX)


@other_channels
def test_an_array_that_is_nowhere() -> None:
    class Nowhere:
        dtype, shape = np.dtype("f4"), (1, 2, 3, 3)

        def __dlpack_device__(self) -> tuple[int, int]:
            return (8, 0)  # Metal

    with pytest.raises(MaskError, match="host memory or on a CUDA device"):
        take_batch(Nowhere(), False, SIX)


def test_bfloat16_of_others_than_torch_is_refused() -> None:
    """NumPy has it by extensions only, whose arrays no kernel takes."""
    array = SimpleNamespace(dtype=SimpleNamespace(name="bfloat16"), shape=(2, 6, 5, 7))
    with pytest.raises(LabelError, match=r"from torch only, got it as SimpleNamespace .* float32"):
        take_batch(array, False, SIX)


def test_masked_arrays_are_refused() -> None:
    with pytest.raises(MaskError, match=r"mask would be lost; fill it first, .*filled\(255\)"):
        take_batch(np.ma.masked_equal(labels(), 3), False, SIX)


@pytest.mark.parametrize(
    ("name", "usual", "strange"),
    [("gta5", (34, 35), 36), ("ade20k", (150,), 151), ("cityscapes", (19,), 20)],
)
def test_channels_of_classes_that_colours_do_not_tell_apart(
    name: str, usual: tuple[int, ...], strange: int
) -> None:
    """Class 34 of gta5 has the colour of 26: label maps made of colours end at 33."""
    palette = load_palette(name)
    allowed = Allowed.of(palette, palette.ignore_for(8))
    for channels in usual:
        zeros = np.zeros((1, channels, 2, 2), np.float32)
        zeros[:, -1] = 1
        assert (take_batch(zeros, False, allowed).labels == channels - 1).all()
    with pytest.warns(UserWarning, match=f"{strange} channels .* classes are 0 to {usual[-1] - 1}"):
        take_batch(np.zeros((1, strange, 2, 2), np.float32), False, allowed)


@pytest.mark.parametrize("channels", [5, 7])
def test_scores_of_other_channels_than_classes_are_told(channels: int) -> None:
    scores = np.zeros((1, channels, 2, 2), np.float32)
    with pytest.warns(UserWarning, match=f"scores of {channels} channels .* classes are 0 to 5"):
        take_batch(scores, False, SIX)
