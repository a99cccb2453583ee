"""Colour masks to label maps and back, for arrays in memory: NumPy, CuPy, torch, DLPack.

An array stays where it is: host arrays go through the CPU kernels, arrays on a CUDA device
through the CUDA kernels, and what comes back is of the same kind on the same device. Nothing
is copied through the host; an array that is not contiguous is copied once where it is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import pixel_offsets
from gpuseg.borders import find_repair
from gpuseg.errors import LabelError, UnknownColourError, UsageError
from gpuseg.foreign import check_labels, check_mask, take
from gpuseg.indexing import left_unknown, refusal
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.kernels.unknown import find_unknown
from gpuseg.options import Depth, IndexKeywords, IndexOptions, Order
from gpuseg.palette import VOID_COLOUR, Palette

PaletteLike = Palette | str | os.PathLike[str]

_NO_COLOUR = 1 << 24

_ADVICE = (
    "check the palette, or pass unknown='ignore' or unknown='nearest'",
    "check order='rgb' or order='bgr'",
)
_BORDER_ADVICE = ("check the palette, or pass unknown='border-ignore'", _ADVICE[1])


def rgb_to_index(
    masks: Any,
    palette: PaletteLike,
    *,
    order: Order = "rgb",
    return_unknown: bool = False,
    **options: Unpack[IndexKeywords],
) -> Any:
    """Label maps of colour masks.

    masks: uint8 (H, W, 3), or (N, H, W, 3), or a list or tuple of such of mixed sizes:
        NumPy and CuPy arrays, torch tensors, RGB Pillow images, and whatever speaks
        DLPack, `__cuda_array_interface__` or `__array_interface__`.
    palette: a Palette, or the name or file of one. order: of the pixels' bytes.
    return_unknown: also return how many pixels had a colour outside the palette.
    options: the fields of IndexOptions: unknown, tolerance, ignore_index, depth.

    Returns label maps, uint8 or (depth 16) uint16, of shape (H, W) or (N, H, W) or a list,
    of the same kind on the same device (foreign kinds become NumPy or CuPy arrays). With
    return_unknown a pair: that, and an int for one mask, else a list of int.

    torch.nn.CrossEntropyLoss wants int64 targets: pass `labels.long()`.

    unknown="border" and "border-ignore" look at the neighbours of pixels, on the host: they take
    host arrays only.

    Raises UnknownColourError when the policy refuses a colour, UnsupportedMaskError for
    alpha, greyscale or another dtype, MaskError for another shape, UsageError and
    PaletteError for wrong options, BackendError for a CUDA array that CuPy cannot use.
    """
    policy = IndexOptions(**options)
    palette = _resolve(palette)
    lookup = build_lookup(palette, policy, _check_order(order))
    job = _IndexJob(palette, policy, lookup)
    if isinstance(masks, list | tuple):
        pairs = [job.run(mask, f"mask {i}: ") for i, mask in enumerate(masks)]
        labels: Any = [label for label, _ in pairs]
        unknown: Any = [sum(counts) for _, counts in pairs]
    else:
        labels, unknown = job.run(masks, "")
        if labels.ndim == 2:
            unknown = unknown[0]
    return (labels, unknown) if return_unknown else labels


def index_to_rgb(
    labels: Any, palette: PaletteLike, *, order: Order = "rgb", ignore_index: int | None = None
) -> Any:
    """Colour masks of label maps.

    labels: uint8 or uint16 (H, W), or (N, H, W), or a list or tuple of such; the same kinds
        of arrays as in `rgb_to_index`.
    order: byte order of the pixels that are wanted.
    ignore_index: painted (224, 224, 192) unless it is a class; None takes the palette's own,
        else 255 (65535 for uint16).

    Returns uint8 (H, W, 3) or (N, H, W, 3) or a list, of the same kind on the same device.

    Raises LabelError for another dtype or shape and for an index that is neither a class nor
    the ignore index, UsageError and BackendError as `rgb_to_index`.
    """
    palette = _resolve(palette)
    _check_order(order)
    if isinstance(labels, list | tuple):
        return [
            _paint(each, palette, order, ignore_index, f"label map {i}: ")
            for i, each in enumerate(labels)
        ]
    return _paint(labels, palette, order, ignore_index, "")


@dataclass(frozen=True, slots=True)
class _IndexJob:
    """Everything about a conversion but the mask."""

    palette: Palette
    policy: IndexOptions
    lookup: Lookup

    def run(self, mask: Any, where: str) -> tuple[Any, list[int]]:
        """Labels of one array, and the unknown pixels of each image in it."""
        given = take(mask, where, check_mask)
        pixels = given.array
        shape: tuple[int, ...] = pixels.shape[:-1]
        images = shape[0] if len(shape) == 3 else 1
        offsets = pixel_offsets([(shape[-2], shape[-1])] * images)
        if given.on_device:
            self._check_device(where)
            from gpuseg.kernels import cuda

            labels, unknown = cuda.index_arrays(pixels.reshape(-1), offsets, self.lookup)
        else:
            labels, unknown = self._on_host(pixels.reshape(-1), offsets)
        counts = unknown.tolist()
        if self._may_refuse() and any(counts):
            masks = pixels.reshape(images, *pixels.shape[-3:])
            self._judge(masks, labels.reshape(masks.shape[:3]), counts, where)
        return given.give_back(labels.reshape(shape)), counts

    def _on_host(
        self, pixels: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        from gpuseg.kernels import cpu  # loads numba

        labels = np.empty(pixels.size // 3, self.lookup.label_dtype)
        unknown = np.zeros(len(offsets) - 1, np.int64)
        cpu.index_pixels(pixels, offsets, self.lookup.table, labels, unknown)
        return labels, unknown

    def _may_refuse(self) -> bool:
        return (
            self.policy.unknown == "error"
            or self.policy.repairs_borders
            or self.policy.tolerance is not None
        )

    def _check_device(self, where: str) -> None:
        if self.policy.repairs_borders:
            raise UsageError(
                f"{where}unknown={self.policy.unknown!r} takes arrays in host memory, got one on a "
                "CUDA device; pass a copy on the host (CuPy: mask.get(), torch: mask.cpu())"
            )

    def _judge(self, masks: Any, labels: Any, counts: list[int], where: str) -> None:
        """Repair those of the masks, (N, H, W, 3), that are to be; raise for the first refused.

        labels: (N, H, W), of those masks. counts: unknown pixels of each.
        """
        repairs = self.policy.repairs_borders
        for i in np.flatnonzero(counts).tolist():
            host = masks[i] if isinstance(masks, np.ndarray) else masks[i].get()
            error = self._repair(host, labels[i]) if repairs else self._refusal(host)
            if error is not None:
                place = where if len(counts) == 1 else f"{where}image {i}: "
                raise UnknownColourError(place + str(error), error.colours, error.pixels)

    def _repair(self, mask: NDArray[np.uint8], labels: NDArray[Any]) -> UnknownColourError | None:
        """Repair the borders of a mask in its labels, or say what cannot be."""
        repair = find_repair(mask, self.lookup)
        if repair.left and self.policy.unknown == "border":
            return left_unknown(repair, labels.size, self.palette, _BORDER_ADVICE)
        repair.apply(labels)
        return None

    def _refusal(self, mask: NDArray[np.uint8]) -> UnknownColourError | None:
        """Which colours of a mask the policy refuses, if it does."""
        colours, _, refused = find_unknown(mask, self.lookup)
        size = mask.size // 3
        return refusal(colours, refused, size, self.palette, _ADVICE) if refused else None


def _paint(
    labels: Any, palette: Palette, order: Order, ignore_index: int | None, where: str
) -> Any:
    given = take(labels, where, check_labels)
    indices = given.array
    depth: Depth = 8 if indices.dtype.itemsize == 1 else 16
    colours = _colour_table(palette, depth, order, ignore_index)
    if given.on_device:
        from gpuseg.kernels import cuda

        pixels, missing = cuda.paint_array(indices.reshape(-1), colours)
    else:
        from gpuseg.kernels import cpu  # loads numba

        pixels = np.empty(3 * indices.size, np.uint8)
        missing = cpu.colour_labels(indices.reshape(-1), colours, pixels)
    if missing:
        raise LabelError(where + _describe_missing(given.host(), colours, palette))
    return given.give_back(pixels.reshape(*indices.shape, 3))


def _colour_table(
    palette: Palette, depth: Depth, order: Order, ignore_index: int | None
) -> NDArray[np.uint32]:
    """What each index is painted with, uint32 (2**depth,), bit 24 where there is no colour."""
    top = (1 << depth) - 1
    if ignore_index is not None and not 0 <= ignore_index <= top:
        raise UsageError(
            f"ignore_index must be 0 to {top} for uint{depth} labels, got {ignore_index}"
        )
    colours = {palette.ignore_for(depth, ignore_index): VOID_COLOUR}
    colours.update({i: entry.rgb for i, entry in palette.first_by_index().items()})
    table = np.full(1 << depth, _NO_COLOUR, np.uint32)
    for index, rgb in colours.items():
        if index <= top:
            first, second, third = rgb if order == "rgb" else rgb[::-1]
            table[index] = first | second << 8 | third << 16
    return table


def _describe_missing(
    indices: NDArray[np.unsignedinteger], colours: NDArray[np.uint32], palette: Palette
) -> str:
    found, counts = np.unique(indices[colours[indices] == _NO_COLOUR], return_counts=True)
    order = np.lexsort((found, -counts))
    shown = ", ".join(f"{found[k]} ({counts[k]:,} px)" for k in order[:8])
    more = f" and {len(order) - 8} more" if len(order) > 8 else ""
    return (
        f"{counts.sum():,} of {indices.size:,} pixels have an index that is neither a class of "
        f"palette {palette.name!r} nor the ignore index: {shown}{more}; "
        "check the palette, or pass ignore_index"
    )


def _resolve(palette: PaletteLike) -> Palette:
    if isinstance(palette, Palette):
        return palette
    from gpuseg.palettes.load import load_palette

    return load_palette(palette)


def _check_order(order: Order) -> Order:
    if order not in get_args(Order):
        raise UsageError(f"order must be one of {', '.join(get_args(Order))}, got {order!r}")
    return order
