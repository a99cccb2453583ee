"""A device for the batched flow that the CPU's kernels play."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from time import monotonic, sleep

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import BAD_FILTER, TRANSPARENT, LabelLines, ScanlineBatch, pitch
from gpuseg.kernels import reference, reference_confusion
from gpuseg.kernels.filters import filter_rows
from gpuseg.kernels.lut import Lookup, colour_keys


class HostDevice:
    """Undoes filters by the specification and looks pixels up with NumPy: right, not fast."""

    name = "host"

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        starts = batch.label_starts(lookup.depth)
        data = out[: starts[-1]]
        unknown, flags = np.zeros(len(batch), np.int64), np.zeros(len(batch), np.uint32)
        lines = LabelLines(data, starts, unknown, flags)
        for i in range(len(batch)):
            entries, flags[i] = self._entries(batch, i, lookup)
            unknown[i] = np.count_nonzero(entries >> lookup.depth & 1)
            labels = entries.astype(lookup.label_dtype)
            into = data[starts[i] : starts[i + 1]]
            if lookup.depth == 8:
                filter_rows(labels.reshape(-1), labels.shape[1], 0, into)
            else:
                pitched = into.view(np.uint16).reshape(len(labels), int(pitch(batch.widths)[i]))
                pitched[:, : labels.shape[1]] = labels
        return lines

    def confuse(
        self,
        truth: NDArray[np.uint8],
        prediction: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        slots: NDArray[np.uint16],
        bins: int,
    ) -> NDArray[np.int64]:
        counts = np.zeros((len(offsets) - 1, bins, bins), np.int64)
        reference_confusion.confuse(truth, prediction, offsets, slots, counts)
        return counts

    def _entries(
        self, batch: ScanlineBatch, i: int, lookup: Lookup
    ) -> tuple[NDArray[np.unsignedinteger], int]:
        """What the table says of each pixel of an image, (H, W), and its flags."""
        height, channels = int(batch.heights[i]), int(batch.channels[i])
        row = int(batch.row_bytes[i])
        stored = batch.data[batch.starts[i] :][: height * row].reshape(height, row).copy()
        flags = BAD_FILTER if (stored[:, 0] > 4).any() else 0
        stored[stored[:, 0] > 4, 0] = 0
        pixels = reference.unfilter(stored, height, row - 1, channels)
        pixels = pixels.reshape(height, -1, channels)
        if channels == 1:
            return batch.entries[batch.tables[i]][pixels[..., 0]], flags
        if channels == 4 and (pixels[..., 3] != 255).any():
            flags |= TRANSPARENT
        return lookup.table[colour_keys(pixels[..., :3])], flags

    def empty(self, size: int) -> NDArray[np.uint8]:
        return np.full(size, 0xA5, np.uint8)

    def free_memory(self) -> int:
        return 1 << 30

    def span(self, name: str) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()


def open_device(number: int) -> HostDevice:
    """What a worker process calls in the place of `backend.open_probed`.

    Waits until as many are there as GPUSEG_TEST_DEVICES says, so that each has some work.
    """
    device = HostDevice()
    device.name = f"host:{number}"
    if wanted := os.environ.get("GPUSEG_TEST_DEVICES"):
        folder, deadline = Path(os.environ["GPUSEG_TEST_FOLDER"]), monotonic() + 60
        (folder / str(number)).touch()
        while len(list(folder.iterdir())) < int(wanted):
            assert monotonic() < deadline
            sleep(0.01)
    if number == 7:
        raise RuntimeError("there is no device 7")
    if number == 8:  # one that kills its process
        device.index = lambda *arguments: os._exit(3)  # type: ignore[method-assign]
    return device
