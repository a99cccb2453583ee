"""What a model gives, wherever it is, to the labels of a batch in memory of their own.

The largest score is looked for where the scores are, and one byte a pixel is copied to the host.
A torch tensor on any device is left to torch; what else is on a CUDA device to CuPy.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.foreign import Taken, refuse_masked, take
from gpuseg.narrowing import Allowed, narrowed

SCORES = ("float16", "bfloat16", "float32", "float64")
"""Types of scores; bfloat16 is one of torch only, for neither NumPy nor CuPy has it."""

MOST_CHANNELS = 256
"""Indices of a palette PNG."""

_ADVICE = "channel k of the scores is index k, so use the palette that the model was trained with"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Labels of images of one size.

    labels: uint8 (N, H, W), C-contiguous, in nobody else's memory. device: where the labels were
    looked for, for instance `cpu`.
    """

    labels: NDArray[np.uint8]
    device: str


def take_batch(array: Any, single: bool, allowed: Allowed) -> Batch:
    """The labels of scores or indices.

    array: floating (N, C, H, W) or integers (N, H, W), without N if `single`; NumPy, CuPy, torch,
        or whatever speaks DLPack, with any strides. Nothing of it is kept.

    Of scores each pixel gets the channel of the largest, the first of equal ones, and NaN is the
    largest. Raises LabelError for another shape or dtype and for an index that is not allowed,
    MaskError and BackendError as `foreign.take`. Warns of another number of channels than classes.
    """
    of_scores = _check(array, single)
    batch = array[None] if single else array
    if of_scores:
        _tell_channels(int(batch.shape[1]), allowed)
    if not int(batch.shape[0]):
        return Batch(np.empty((0, 1, 1), np.uint8), "")
    if _is_tensor(batch):
        torch = sys.modules["torch"]
        batch = batch.detach()  # of a model that is being trained
        if _is_elsewhere(batch):
            return Batch(_by_torch(batch, of_scores, allowed, torch), str(batch.device))
        if batch.dtype == torch.bfloat16:
            bits = np.from_dlpack(batch.view(torch.int16)).view(np.uint16)
            return Batch(_of_scores(bits, allowed, "bfloat16"), "cpu")
        batch = np.from_dlpack(batch)
    elif not isinstance(batch, np.ndarray):
        given = take(batch, "", lambda array, where: None)
        if given.on_device:
            return Batch(_by_cupy(given, of_scores, allowed), "cuda")
        batch = given.array
    read = _of_scores if of_scores else _of_indices
    return Batch(read(batch, allowed), "cpu")


def _is_tensor(array: Any) -> bool:
    torch = sys.modules.get("torch")  # an array of torch exists only where torch is loaded
    return torch is not None and isinstance(array, torch.Tensor)


def _is_elsewhere(tensor: Any) -> bool:
    return str(tensor.device.type) != "cpu"


def _of_scores(
    scores: NDArray[Any], allowed: Allowed, kind: str | None = None
) -> NDArray[np.uint8]:
    """Labels of scores in host memory. kind: that of 16-bit floats of which these are the bits."""
    from gpuseg.kernels.argmax import INFINITY, argmax_channels

    images, channels, *size = scores.shape
    labels = np.empty((images, *size), np.uint8)
    argmax_channels(scores, labels, INFINITY[kind] if kind is not None else None)
    if not allowed.table[:channels].all():
        _check_winners(labels, allowed)
    return labels


def _of_indices(indices: NDArray[Any], allowed: Allowed) -> NDArray[np.uint8]:
    """Labels of indices in host memory."""
    from gpuseg.kernels.narrowing import narrow_labels

    native = indices.astype(indices.dtype.newbyteorder("="), copy=False)
    plain = np.require(native, requirements=("C", "A"))
    labels = np.empty(indices.shape, np.uint8)
    if narrow_labels(plain.reshape(-1), allowed.table, labels.reshape(-1)):
        raise allowed.refusal(plain)
    return labels


def _by_torch(tensor: Any, of_scores: bool, allowed: Allowed, torch: Any) -> NDArray[np.uint8]:
    """Labels of a tensor on another device, by torch itself: CuPy need not be there."""
    indices = tensor.argmax(1) if of_scores else tensor
    if not of_scores and indices.dtype != torch.uint8:
        least, most = indices.long().aminmax()
        if least.item() < 0 or most.item() >= len(allowed.table):
            raise allowed.refusal(indices.long().cpu().numpy())
    # the only copy from the device
    labels = np.ascontiguousarray(indices.to(torch.uint8).cpu().numpy())
    if of_scores:
        _check_winners(labels, allowed)
    elif not allowed.table[labels].all():
        raise allowed.refusal(labels)
    return labels


def _by_cupy(given: Taken, of_scores: bool, allowed: Allowed) -> NDArray[np.uint8]:
    """Labels of an array on a CUDA device."""
    if not of_scores:
        return narrowed(given, allowed)
    from gpuseg.kernels import cuda

    winners, strange = cuda.argmax_array(given.array, allowed.table)
    # the only copy from the device
    labels: NDArray[np.uint8] = winners.get()
    if strange:
        _check_winners(labels, allowed)
    return labels


def _check_winners(labels: NDArray[np.uint8], allowed: Allowed) -> None:
    if not allowed.table[labels].all():
        raise LabelError(f"{allowed.refusal(labels)}; {_ADVICE}")


def _check(array: Any, single: bool) -> bool:
    """Whether an array holds scores, and not indices. Raises LabelError for what is neither."""
    if not hasattr(array, "dtype") or not hasattr(array, "shape"):
        raise LabelError(
            f"predictions must be one array, got {type(array).__name__}; of several make one with "
            "np.stack or torch.stack, or save images of different sizes one by one; of what a "
            "model gives besides take the scores (torchvision: ['out'], transformers: .logits)"
        )
    refuse_masked(array, "")
    dtype = str(getattr(array.dtype, "name", array.dtype)).rpartition(".")[2]  # torch.float32
    shape = tuple(int(n) for n in array.shape)
    of_scores = dtype in SCORES
    usual = len(shape) == 2 + of_scores + (not single)
    if dtype == "bfloat16" and not _is_tensor(array):
        raise LabelError(
            f"bfloat16 is taken from torch only, got it as {type(array).__name__} of shape "
            f"{shape}; cast it to float32 first"
        )
    if not usual or not (of_scores or dtype.startswith(("int", "uint"))):
        n, names = ("", "one name") if single else ("N, ", "a list of names")
        raise LabelError(
            f"{names} goes with scores of shape ({n}C, H, W), {', '.join(SCORES)}, or integer "
            f"indices of shape ({n}H, W); got {dtype} of shape {shape}"
            f"{_advice(dtype, shape, single)}"
        )
    if 0 in shape[-2:]:
        raise LabelError(f"a label map needs at least one pixel, got shape {shape}")
    if of_scores:
        _check_channels(shape[-3], shape)
    return of_scores


def _advice(dtype: str, shape: tuple[int, ...], single: bool) -> str:
    """What to do about a shape or dtype, the end of a message."""
    if dtype == "bool":
        return "; indices of two classes are mask.astype('uint8') (torch: .byte())"
    if "float" in dtype and dtype not in SCORES:
        return "; cast them to float32 first"
    if len(shape) == 4 and "int" in dtype and shape[1] == 1:
        return "; drop the channel: labels[:, 0]"
    if len(shape) == 3 and "float" in dtype and not single:
        return (
            "; scores of one image come with one name, not a list, and indices are cast to "
            "integers first, with .astype('uint8') (torch: .byte())"
        )
    return "; a batch has as many names as images, in a list" if single and len(shape) > 2 else ""


def _tell_channels(channels: int, allowed: Allowed) -> None:
    """Warn where a model was made for other classes: nothing else may show that it was.

    One that learnt from colour masks knows no class that the palette gave up for its colour.
    """
    ignored, palette = allowed.ignore_index, allowed.palette
    held = (palette.indices.tolist(), palette.label_indices)
    tops = [max({*indices} - {ignored}, default=0) for indices in held]
    usual = {n for top in tops for n in ({top + 1, top + 2} if ignored == top + 1 else {top + 1})}
    top = max(tops)
    if channels not in usual and top < MOST_CHANNELS - 1:  # some palettes name all that there are
        warnings.warn(
            f"scores of {channels} channels are saved by palette {allowed.palette.name!r}, whose "
            f"classes are 0 to {top}: {_ADVICE}",
            stacklevel=4,
        )


def _check_channels(channels: int, shape: tuple[int, ...]) -> None:
    if channels < 2:
        raise LabelError(
            f"scores need a channel a class, got {channels} (shape {shape}), of which the largest "
            "says nothing; compare it with a threshold: (scores[:, 0] > 0).astype('uint8') "
            "(torch: .byte())"
        )
    if channels > MOST_CHANNELS:
        raise LabelError(
            f"a palette PNG holds {MOST_CHANNELS} indices, got scores of {channels} channels "
            f"(shape {shape}); channels come before rows and columns, so move them there where "
            "they are last; of more classes save label maps with save_label(…, depth=16)"
        )
