"""Photographs and label maps as a dataset of torch."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Unpack

import numpy as np
import torch
from torch.utils.data import Dataset

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.codecs.photo import read_photo
from gpuseg.errors import LabelError, UsageError
from gpuseg.options import DEFAULT_MAX_PIXELS
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.torch.pairing import PairKeywords, PairOptions, find_pairs
from gpuseg.torch.reading import LabelReader

StrPath = str | os.PathLike[str]
Transforms = Callable[[Any, Any], tuple[Any, Any]]


class LabelMapDataset(Dataset):  # type: ignore[misc]  # torch is not looked at by mypy
    """Pairs of a photograph and its label map, by path: a map-style dataset for DataLoaders.

    images, labels: folders. A pair has the same path below them, but for the suffix.
    transforms: called with both, as `torchvision.transforms.v2` are; gives what an item is. Where
        torchvision is installed it gets a `tv_tensors.Image` and a `tv_tensors.Mask`, so that
        both are cropped and turned alike, the label map without mixing indices. What v2 pads a
        Mask with is 0, a class, unless it is told: `fill={tv_tensors.Mask: 255, "others": 0}`.
    palette: a Palette, the name of a preset, or a palette file. With it RGB masks are taken, too,
        looked up exactly, and the indices of label maps must be its classes or the ignore index.
        Without it label maps are taken as they stand.
    ignore_index: the index of no class; None takes the palette's own, else 255.
    max_pixels: larger images are refused from their header.
    pairing: the fields of `PairOptions`: pattern, label_pattern, endings, unpaired.

    An item is `(image, label)`: uint8 (3, H, W), a view of pixels (H, W, 3), and int64 (H, W), the
    target that CrossEntropyLoss takes (it refuses uint8). Labels are read by the direct path,
    palettes never expanded. What both are made of stays small when it is sent to workers.

    A photograph that is to be turned by its EXIF data is refused, for label maps do not say
    whether they are: torchvision would leave it as it is, OpenCV (so mmsegmentation) turn it.

    Raises UsageError for files without a partner (see `unpaired`), PaletteError and
    UnreadableMaskError; items raise MaskErrors (UnknownColourError among them) and LabelError for
    another size and for indices that are not allowed, with the name of the file.
    """

    def __init__(
        self,
        images: StrPath,
        labels: StrPath,
        *,
        transforms: Transforms | None = None,
        palette: Palette | StrPath | None = None,
        ignore_index: int | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        **pairing: Unpack[PairKeywords],
    ) -> None:
        if ignore_index is not None and palette is None:
            raise UsageError(
                f"ignore_index ({ignore_index}) belongs to a palette, by which indices are "
                "checked; pass one, or leave it out"
            )
        self.transforms = transforms
        self._reader = LabelReader.of(
            load_palette(palette) if palette is not None else None, ignore_index, max_pixels
        )
        self._folders = os.fspath(images), os.fspath(labels)
        self._pairs = find_pairs(*self._folders, PairOptions(**pairing))

    @property
    def unpaired(self) -> tuple[int, int]:
        """Photographs and label maps that `unpaired="skip"` left out."""
        return self._pairs.unpaired

    @property
    def names(self) -> Sequence[str]:
        """Of each item the path of its label map below its folder, with slashes."""
        return self._pairs.labels

    def __len__(self) -> int:
        """Pairs."""
        return len(self._pairs.labels)

    def __getitem__(self, index: int) -> Any:
        """`(image, label)`, or what `transforms` gives. Raises IndexError; see the class."""
        image_path = os.path.join(self._folders[0], self._pairs.images[index])
        label_path = os.path.join(self._folders[1], self._pairs.labels[index])
        with size_limit_is_ours():
            pixels = read_photo(image_path, self._reader.reader.max_pixels)
            labels = self._reader.read(label_path)
        if pixels.shape[:2] != labels.shape:
            (height, width), (rows, columns) = pixels.shape[:2], labels.shape
            raise LabelError(
                f"{label_path} is {columns} x {rows} pixels, its photograph {image_path} {width} x "
                f"{height}; they must be of one size, so give those that belong together"
            )
        image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
        label = torch.from_numpy(labels)
        if self.transforms is None:
            return image, label
        return self.transforms(*_for_transforms(image, label))


def _for_transforms(image: torch.Tensor, label: torch.Tensor) -> tuple[Any, Any]:
    """Both as what they are: of plain tensors v2 transforms only the first, and says nothing."""
    if not _has_torchvision():
        return image, label
    from torchvision import tv_tensors

    return tv_tensors.Image(image), tv_tensors.Mask(label)


@cache
def _has_torchvision() -> bool:
    return importlib.util.find_spec("torchvision") is not None
