"""Ragged batches of masks and label maps in host memory, for the kernels over pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels, Shape, pixel_offsets
from gpuseg.kernels.lut import Lookup


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


IndexBatch = Callable[[MaskBatch, Lookup], LabelBatch]


def by_backend(index: Callable[..., tuple[Labels, NDArray[np.int64]]]) -> IndexBatch:
    """A kernel over flat pixels, (pixels, offsets, lookup) -> (labels, unknown), for batches."""

    def run(batch: MaskBatch, lookup: Lookup) -> LabelBatch:
        labels, unknown = index(batch.pixels, batch.offsets, lookup)
        return LabelBatch(labels, batch.shapes, batch.offsets, unknown)

    return run
