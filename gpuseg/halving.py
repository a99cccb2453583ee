"""A batch that a device has no memory for, in halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.kernels.device import Device, failure
from gpuseg.kernels.lut import Lookup
from gpuseg.results import count

Part = tuple[int, int, LabelLines | None]
"""Images from and to, and their label maps; None for one that is too large for the device."""


def index_in_parts(
    device: Device,
    batch: ScanlineBatch,
    lookup: Lookup,
    out: NDArray[np.uint8],
    refused: Callable[[str, int], object],
) -> Iterator[Part]:
    """What `Device.index` makes of a batch, in order; in halves of halves where it must be.

    out: as there; the parts lie in it one after the other. refused: called with what became of
    a part that the device had no memory for, and its pixels. Raises DeviceError for whatever
    else the device raises.
    """
    ends = [len(batch)]  # of parts to come, the next one last
    start = at = 0
    while ends:
        part = batch.part(start, ends[-1])
        try:
            lines: LabelLines | None = device.index(part, lookup, out[at:])
        except MemoryError:
            told = f"no memory for {count(len(part), 'file')} of {part.pixels:,} pixels"
            if len(part) > 1:
                refused(f"{device.name}: {told} at once: halved", part.pixels)
                ends.append(start + len(part) // 2)
                continue
            refused(f"{device.name}: {told}: left to the CPU", part.pixels)
            lines = None
        except Exception as error:
            raise failure(device, error) from error
        end = ends.pop()
        yield start, end, lines
        start, at = end, at + int(part.label_starts(lookup.depth)[-1])
