"""Ragged batches: masks of mixed sizes in one flat buffer, with offsets and without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int]

Labels = NDArray[Any]  # uint8 or uint16


def pixel_offsets(shapes: Sequence[Shape]) -> NDArray[np.int64]:
    """Where each image starts in a flat buffer, in pixels: int64 of shape (N + 1,)."""
    sizes = [height * width for height, width in shapes]
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class MaskBatch:
    """N colour masks.

    pixels: uint8 of shape (3 * P,), the RGB bytes of all masks one after the other.
    shapes: (height, width) of each mask.
    offsets: int64 of shape (N + 1,), where each mask starts, in pixels; offsets[-1] is P.
    """

    pixels: NDArray[np.uint8]
    shapes: tuple[Shape, ...]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check(self.pixels, self.shapes, self.offsets, channels=3)

    @classmethod
    def from_masks(cls, masks: Sequence[NDArray[np.uint8]]) -> MaskBatch:
        """Copy masks of shape (H, W, 3) into one buffer."""
        shapes = tuple((int(mask.shape[0]), int(mask.shape[1])) for mask in masks)
        flat = [np.ascontiguousarray(mask, np.uint8).reshape(-1) for mask in masks]
        pixels = np.concatenate(flat) if flat else np.empty(0, np.uint8)
        return cls(pixels, shapes, pixel_offsets(shapes))

    def __len__(self) -> int:
        return len(self.shapes)

    def mask(self, i: int) -> NDArray[np.uint8]:
        """View of mask i, uint8 of shape (H, W, 3)."""
        part = self.pixels[3 * self.offsets[i] : 3 * self.offsets[i + 1]]
        return part.reshape(*self.shapes[i], 3)


@dataclass(frozen=True, slots=True, eq=False)
class LabelBatch:
    """N label maps, and how many of their pixels had an unknown colour.

    labels: uint8 or uint16 of shape (P,), all label maps one after the other.
    shapes, offsets: as in MaskBatch.
    unknown: int64 of shape (N,), pixels of unknown colour in each mask.
    """

    labels: Labels
    shapes: tuple[Shape, ...]
    offsets: NDArray[np.int64]
    unknown: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check(self.labels, self.shapes, self.offsets, channels=1)
        if self.unknown.shape != (len(self.shapes),):
            raise ValueError(
                f"unknown must have shape ({len(self.shapes)},), got {self.unknown.shape}"
            )

    def __len__(self) -> int:
        return len(self.shapes)

    def label_map(self, i: int) -> Labels:
        """View of label map i, shape (H, W)."""
        return self.labels[self.offsets[i] : self.offsets[i + 1]].reshape(self.shapes[i])


def _check(
    flat: NDArray[np.generic], shapes: tuple[Shape, ...], offsets: NDArray[np.int64], channels: int
) -> None:
    if flat.ndim != 1 or offsets.shape != (len(shapes) + 1,):
        raise ValueError(
            f"a batch needs a flat buffer and {len(shapes) + 1} offsets, "
            f"got shapes {flat.shape} and {offsets.shape}"
        )
    if flat.size != channels * int(offsets[-1]):
        raise ValueError(
            f"a batch of {int(offsets[-1])} pixels needs {channels * int(offsets[-1])} values, "
            f"got {flat.size}"
        )
