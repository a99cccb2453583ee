"""Scores of channels to label maps: the channel of the largest score of each pixel.

As numpy.argmax and torch.argmax have it: the first of equal scores wins, and NaN is the largest.
Each plane is read once, some pixels at a time, whose best scores so far stay in the cache; labels
are written as they are stored. numba has no floats of 16 bits: they are compared as integers that
are in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit

INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80}
"""Bits of the infinity of each kind of 16-bit float; those of NaN, without the sign, are above."""

BLOCK = 4096
"""Pixels that are taken at a time: their best scores and labels fit the fastest cache."""


def argmax_channels(
    scores: NDArray[Any], labels: NDArray[np.uint8], infinity: int | None = None
) -> None:
    """The channel of the largest score of each pixel.

    scores: float16, float32 or float64 (N, C, H, W) with any strides, C from 1 to 256; or the
    bits of 16-bit floats, uint16, with their `infinity`. labels: uint8 (N, H, W), C-contiguous,
    written.
    """
    scores = _plain(scores)
    if scores.dtype == np.float16:
        scores, infinity = scores.view(np.uint16), INFINITY["float16"]
    images, channels, height, width = scores.shape
    if not labels.size:
        return
    *steps, step = (stride // scores.itemsize for stride in scores.strides)
    if steps[2] == width * step:  # rows follow each other: one long row
        height, width, steps[2] = 1, height * width, 0
    memory, first = _window(scores)
    shape, places = (images, channels, height, width), (first, *steps)
    best = np.empty(min(width, BLOCK), scores.dtype)
    if step == 1 or width == 1:
        _of_planes(memory, places, shape, infinity, best, labels.reshape(-1))
    else:
        _of_pixels(memory, (*places, step), shape, infinity, best, labels.reshape(-1))


def _plain(scores: NDArray[Any]) -> NDArray[Any]:
    """The scores where the kernels can read them in place, else a copy."""
    size = scores.itemsize
    usual = scores.flags.aligned and scores.dtype.isnative
    if usual and all(stride % size == 0 for stride in scores.strides):
        return scores
    return scores.astype(scores.dtype.newbyteorder("="), order="C")


def _window(scores: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """All memory between the first and the last score, (M,), and where the first score is in it."""
    size = scores.itemsize
    spans = [(n - 1) * (s // size) for n, s in zip(scores.shape, scores.strides, strict=True)]
    start = -sum(span for span in spans if span < 0)
    lowest = scores[tuple(slice(-1, None) if span < 0 else slice(1) for span in spans)]
    extent = 1 + sum(map(abs, spans))
    return as_strided(lowest, (extent,), (size,), writeable=False), start


@inlined
def _order(score: Any, infinity: Any) -> Any:
    """What is compared in the place of a score: itself, or an integer for the bits of one."""
    if infinity is None:
        return score
    size = np.uint16(score & np.uint16(0x7FFF))
    if size > np.uint16(infinity):
        return np.uint16(0xFFFF)
    if score > np.uint16(0x7FFF):  # -0 is equal to 0
        return np.uint16(np.uint16(0x8000) - size)
    return np.uint16(np.uint16(0x8000) + size)


@inlined
def _argmax(
    memory: Any, places: Any, step: Any, shape: Any, infinity: Any, best: Any, labels: Any
) -> None:
    """places: of the first score, and steps to that of the next image, channel and row."""
    images, channels, height, width = shape
    first, of_image, of_channel, of_row = places[0], places[1], places[2], places[3]
    block, written = U64(best.size), U64(0)
    for image in range(U64(images)):
        for y in range(U64(height)):
            for left in range(U64(0), U64(width), block):
                count = min(block, U64(width) - left)
                at = U64(first) + image * U64(of_image) + y * U64(of_row) + left * step
                for x in range(count):
                    best[x] = _order(memory[at + x * step], infinity)
                    labels[written + x] = 0
                for channel in range(U64(1), U64(channels)):
                    at += U64(of_channel)
                    label = np.uint8(channel)
                    for x in range(count):
                        score, most = _order(memory[at + x * step], infinity), best[x]
                        better = (not score <= most) & (most == most)  # NaN stays
                        best[x] = score if better else most
                        labels[written + x] = label if better else labels[written + x]
                written += count


@njit
def _of_planes(memory: Any, places: Any, shape: Any, infinity: Any, best: Any, labels: Any) -> None:
    """Pixels of a row lie side by side: many at a time."""
    _argmax(memory, places, U64(1), shape, infinity, best, labels)


@njit
def _of_pixels(memory: Any, places: Any, shape: Any, infinity: Any, best: Any, labels: Any) -> None:
    """They do not, as where the channels of a pixel lie side by side; their step comes last."""
    _argmax(memory, places, U64(places[4]), shape, infinity, best, labels)
