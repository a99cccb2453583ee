"""Colour masks to the targets of a loss, as a transform for DataLoaders."""

from __future__ import annotations

import sys
from typing import Any, Literal, Unpack, get_args

import numpy as np
import torch
from PIL import Image

from gpuseg.arrays import PaletteLike, rgb_to_index
from gpuseg.errors import MaskError, UnsupportedMaskError, UsageError
from gpuseg.kernels.lut import build_lookup
from gpuseg.options import IndexKeywords, IndexOptions, Order
from gpuseg.palettes.load import load_palette

Channels = Literal["first", "last", "auto"]


class MaskToIndex:
    """Colour masks to int64 labels, exactly: a callable for `target_transform` and the like.

    palette: a Palette, or the name or file of one. channels: where masks have their colours,
        `first`, `last`, or `auto`: by the one axis of 3 that may be it; a `tv_tensors` mask has
        them first. order: of the pixels' bytes.
    options: as in `gpuseg.rgb_to_index`: unknown, tolerance, ignore_index, depth.

    Raises UsageError and PaletteError. It is small when it is sent to workers.
    """

    def __init__(
        self,
        palette: PaletteLike,
        *,
        channels: Channels = "auto",
        order: Order = "rgb",
        **options: Unpack[IndexKeywords],
    ) -> None:
        if channels not in get_args(Channels):
            raise UsageError(f"channels must be first, last or auto, got {channels!r}")
        if order not in get_args(Order):
            raise UsageError(f"order must be rgb or bgr, got {order!r}")
        self.palette = load_palette(palette)
        self.channels, self.order, self.options = channels, order, options
        # what is wrong is said here and not in a worker; one that is forked has the table, too
        build_lookup(self.palette, IndexOptions(**options), order)

    def __call__(self, mask: Any) -> torch.Tensor:
        """The labels of one mask, int64 (H, W), or of a batch, int64 (N, H, W).

        mask: uint8 (H, W, 3), (3, H, W), (N, H, W, 3) or (N, 3, H, W): a torch tensor, a NumPy or
            CuPy array, a `tv_tensors` mask or image (whose labels are a `tv_tensors.Mask`); or an
            RGB image of Pillow. A palette image (mode P) is refused: it holds indices already.

        Labels are on the mask's device, and nothing is copied through the host. Pixels whose
        channels are last in memory are read where they are, so is a permuted view of such
        (`permute`, `channels_last`); others are copied once, on their device.

        Raises UnknownColourError and UnsupportedMaskError as `gpuseg.rgb_to_index`, MaskError
        for another shape and for one that `auto` could read either way, such as (3, H, 3).
        """
        tv_tensor = _tv_tensor_class()
        is_tv = tv_tensor is not None and isinstance(mask, tv_tensor)
        if is_tv:
            mask = mask.as_subclass(torch.Tensor)
        if isinstance(mask, Image.Image):
            pixels = _pixels(mask)
        else:
            pixels = _channels_last(mask, "first" if is_tv else "auto", self.channels)
        labels = rgb_to_index(pixels, self.palette, order=self.order, **self.options)
        if not isinstance(labels, torch.Tensor):
            labels = torch.from_dlpack(labels)
        return _as_mask(labels.long()) if is_tv else labels.long()

    def __repr__(self) -> str:
        """As it would be written, but for the palette's colours."""
        given = {"channels": self.channels, "order": self.order, **self.options}
        told = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"{type(self).__name__}({self.palette.name!r}{told})"


def _tv_tensor_class() -> Any:
    """`TVTensor` where it is loaded: elsewhere there is no such tensor."""
    return getattr(sys.modules.get("torchvision.tv_tensors"), "TVTensor", None)


def _as_mask(labels: torch.Tensor) -> Any:
    from torchvision import tv_tensors

    return tv_tensors.Mask(labels)


def _pixels(image: Image.Image) -> Any:
    if image.mode == "P":
        raise UnsupportedMaskError(
            "a palette image (mode P) holds indices: where it is a label map, they are the labels "
            "as they are, torch.from_numpy(numpy.array(image)).long(); where its colours are "
            "meant, pass image.convert('RGB')"
        )
    return np.asarray(image)


def _channels_last(mask: Any, told: Channels, wanted: Channels) -> Any:
    """A view of a mask with its channels last; what is no mask is left to `rgb_to_index`.

    told: what its kind says of it. wanted: what the user says, who may know better.
    """
    shape = tuple(getattr(mask, "shape", ()))
    if len(shape) not in (3, 4):
        return mask
    channels = told if wanted == "auto" else wanted
    if channels == "auto":
        if shape[-3] == shape[-1] == 3:
            raise MaskError(
                f"a mask of shape {shape} may have its channels first or last; say which by "
                "MaskToIndex(…, channels='first') or channels='last'"
            )
        channels = "first" if shape[-3] == 3 else "last"
    if channels == "last":
        return mask
    axes = (1, 2, 0) if len(shape) == 3 else (0, 2, 3, 1)
    return mask.permute(axes) if isinstance(mask, torch.Tensor) else mask.transpose(axes)
