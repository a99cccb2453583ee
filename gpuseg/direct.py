"""The direct PNG path: scanlines to labels to the scanlines of a label map, without Pillow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.codecs.acceptance import alpha_error
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.opening import ImageFile
from gpuseg.codecs.palette_png import palette_png
from gpuseg.codecs.png import NotDirectError, read_scanlines
from gpuseg.codecs.rgb_png import rgb_png
from gpuseg.codecs.streams import deflate
from gpuseg.errors import BrokenMaskError
from gpuseg.indexing import FilteredLabels, Indexed, index_mask
from gpuseg.kernels.lut import Lookup
from gpuseg.mask import DecodedMask, Scanlines
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette
from gpuseg.scratch import Scratch, Take, fresh

_labels = Scratch()
_packed = Scratch()
_read_back = Scratch()
_lines = Scratch()

IDENTITY = np.arange(256, dtype=np.uint16)
IDENTITY.flags.writeable = False  # as other tables: kernels are compiled for that
"""The table of labels that stay as they are, uint16 (256,)."""

Lap = Callable[[str], None]
"""Called after each stage, `inflate` and `index`, with its name."""


def index_scanlines(
    mask: Scanlines, lookup: Lookup, palette: Palette, options: ConvertOptions, lap: Lap
) -> Indexed:
    """Label map of a PNG; valid until this thread indexes the next one.

    Raises as `index_mask` does, UnsupportedMaskError for alpha that is not opaque, and what
    inflating raises.
    """
    if lookup.depth == 8:
        table = lookup.table if mask.colours is None else lookup.entries(mask.colours)
        labels = _labels_by(table, mask, _labels.take, lap)
        if labels is not None:
            return Indexed(labels)
    # anything unusual takes the long way, over the pixels, which finds out what is wrong
    indexed = index_mask(decode(mask, lap), lookup, palette, options)
    lap("index")
    return indexed


def read_back(path: ImageFile, max_pixels: int) -> tuple[Labels, bytes]:
    """A label map that `encode` made: uint8 (H, W), valid until this thread's next, and PLTE.

    Raises MaskError for a file that is damaged, NotDirectError for one that is no such file.
    """
    mask = read_scanlines(path, max_pixels)
    if mask.colours is None or mask.bits != 8:
        raise NotDirectError("no label map of 8 bits")
    return read_labels(mask), mask.colours.tobytes()


def make_ready(encode: Callable[[NDArray[np.uint8]], object]) -> None:
    """Have the kernels that read label maps, and those of `encode`, compiled or loaded."""
    from gpuseg.kernels import positions, scanlines

    above = scanlines.row_buffer(1, 1)
    labels = np.zeros(1 + scanlines.MARGIN, np.uint8)
    row = np.frombuffer(bytes(2), np.uint8)  # read-only, as what is inflated
    scanlines.index_scanlines(row, 0, (1, 1), above, IDENTITY, labels)
    positions.read_scanlines(row, 0, (1, 1), above, labels)
    encode(labels[:1].reshape(1, 1))


def map_labels(mask: Scanlines, table: NDArray[np.uint16]) -> NDArray[np.uint8] | None:
    """Other labels for the positions of a palette or grey PNG; None where one may be flagged.

    table: uint16 (256,), read-only, label and flags of each position (see `lut`). Returns uint8
    (H, W), valid until this thread maps or indexes the next. Raises as `index_scanlines`.
    """
    return _labels_by(table, mask, _labels.take, lambda stage: None)


def read_labels(mask: Scanlines) -> NDArray[np.uint8]:
    """The positions of a palette or grey PNG: uint8 (H, W), valid until this thread's next."""
    labels = _labels_by(IDENTITY, mask, _read_back.take, lambda stage: None)
    assert labels is not None  # noqa: S101  # no entry of the table is flagged
    return labels


def count_labels(mask: Scanlines) -> NDArray[np.int64]:
    """Pixels of each position of a palette or grey PNG of 8 bits: int64 (256,)."""
    from gpuseg.kernels.counting import count_scanlines

    counts = np.zeros(256, np.int64)

    def kernel(
        block: NDArray[np.uint8], first: int, shape: tuple[int, int], above: NDArray[np.uint8]
    ) -> int:
        return count_scanlines(block, shape[0], above, counts)

    _each_block(mask, kernel, lambda stage: None)
    return counts


def count_colours(mask: Scanlines, table: NDArray[np.uint16]) -> NDArray[np.int64] | None:
    """Pixels of each label of an RGB or RGBA PNG, int64 (256,); None where a colour is unknown.

    table: uint16 (2**24,), read-only, see `kernels.lut`. Raises as `index_scanlines`.
    """
    from gpuseg.kernels import counting_masks, scanlines

    counts = np.zeros((2, counting_masks.LABELS), np.int64)
    kernel = partial(counting_masks.count_scanlines, table=table, counts=counts)
    verdict = _each_block(mask, kernel, lambda stage: None)
    return None if verdict == scanlines.UNKNOWN else counts[1]


def look_up(mask: Scanlines, table: NDArray[np.uint16], take: Take) -> Labels | None:
    """Labels of a PNG by a table of its colours or positions; None where an entry is flagged.

    table: uint16 (2**24,) or (256,), read-only, see `kernels.lut`. take: where their memory, of
    the image's size and some more, comes from. Returns uint8 (H, W). Raises as `index_scanlines`.
    """
    return _labels_by(table, mask, take, lambda stage: None)


def decode(mask: Scanlines, lap: Lap, take: Take | None = None) -> DecodedMask:
    """The pixels of a PNG: RGB, or positions in its palette. Raises as `index_scanlines`.

    take: where the memory of RGB comes from; None takes fresh memory.
    """
    pixels: NDArray[np.uint8]
    if mask.colours is None:
        memory = (take or fresh)(mask.height * mask.width * 3)
        pixels = _unfiltered(mask, memory, lap).reshape(mask.height, mask.width, 3)
    else:
        found = _labels_by(IDENTITY, mask, fresh, lap)
        assert found is not None  # noqa: S101  # no entry of the table is flagged
        pixels = found
    return DecodedMask(
        pixels, mask.colours, mask.format, mask.codec, mask.grey, warnings=mask.warnings
    )


def _labels_by(table: NDArray[np.uint16], mask: Scanlines, take: Take, lap: Lap) -> Labels | None:
    """Labels by a table of uint16, uint8 (H, W); None where a pixel may be unknown.

    take: where their memory comes from.
    """
    from gpuseg.kernels import positions, scanlines  # numba loads with the first mask

    size = mask.width * mask.height
    labels = take(size + scanlines.MARGIN)
    if table is IDENTITY and mask.bits == 8:
        verdict = _each_block(mask, partial(positions.read_scanlines, labels=labels), lap)
    elif mask.bits == 8:
        kernel = partial(scanlines.index_scanlines, table=table, labels=labels)
        verdict = _each_block(mask, kernel, lap)
    else:
        packed = _unfiltered(mask, _packed.take(mask.height * mask.row_bytes), lap)
        packed = packed.reshape(mask.height, mask.row_bytes)
        verdict = scanlines.unpack(packed, mask.bits, table, mask.width, labels)
        lap("index")
    return None if verdict else labels[:size].reshape(mask.height, mask.width)


def _unfiltered(mask: Scanlines, pixels: NDArray[np.uint8], lap: Lap) -> NDArray[np.uint8]:
    """Scanlines without filters and alpha, written to `pixels`, uint8, and returned."""
    from gpuseg.kernels import scanlines

    _each_block(mask, partial(scanlines.unfilter, pixels=pixels), lap)
    return pixels


def _each_block(mask: Scanlines, kernel: Callable[..., int], lap: Lap) -> int:
    """Run a kernel of `scanlines` over all of them; DONE, or UNKNOWN where it ended."""
    from gpuseg.kernels import scanlines

    shape = (mask.row_bytes // mask.channels, mask.channels)  # several pixels may share a byte
    above = scanlines.row_buffer(*shape)
    first = 0
    for block in mask.inflate():
        lap("inflate")
        verdict = kernel(np.frombuffer(block, np.uint8), first, shape, above)
        lap("index")
        if verdict == scanlines.UNKNOWN:
            return verdict
        if verdict == scanlines.TRANSPARENT:
            raise alpha_error()
        if verdict == scanlines.BAD_FILTER:
            raise BrokenMaskError(
                "is damaged: a row has a filter that PNG does not know; restore it from its source"
            )
        first += len(block) // (1 + mask.row_bytes)
    return scanlines.DONE


def encode(
    labels: Labels | FilteredLabels, plte: bytes, fingerprint: Fingerprint | None = None
) -> bytes:
    """A palette PNG of a label map, uint8 (H, W) contiguous or filtered. plte: its 768 bytes."""
    from gpuseg.kernels.deflate import deflate_labels, deflate_scanlines

    if isinstance(labels, FilteredLabels):
        height, row = labels.lines.shape
        return palette_png(row - 1, height, deflate_scanlines(labels.lines), plte, fingerprint)
    height, width = labels.shape
    return palette_png(width, height, deflate_labels(labels), plte, fingerprint)


def encode_colours(
    labels: NDArray[np.uint8], colours: NDArray[np.uint32], fingerprint: Fingerprint
) -> bytes:
    """An RGB PNG of the colours of a label map, uint8 (H, W) contiguous.

    colours: uint32 (256,), `r | g << 8 | b << 16` of each label.
    """
    from gpuseg.kernels.painting import filter_colours

    height, width = labels.shape
    lines = _lines.take(height * (1 + 3 * width))
    filter_colours(labels, colours, lines)
    return rgb_png(width, height, deflate(lines), fingerprint)


def is_equal(found: Labels, labels: Labels | FilteredLabels) -> bool:
    """Whether labels that were read, contiguous, are those that were to be written."""
    if not isinstance(labels, FilteredLabels):
        return np.array_equal(found, labels)
    if labels.lines.shape != (found.shape[0], 1 + found.shape[1]):
        return False
    from gpuseg.kernels.deflate import deflate_labels, deflate_scanlines

    # the same scanlines are the same stream, by either way
    return deflate_labels(found) == deflate_scanlines(labels.lines)
