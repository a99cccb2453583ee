"""What the flows need of a device; `cuda.device` is one, the tests have another."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.errors import DeviceError
from gpuseg.kernels.lut import Lookup


def failure(device: Device, error: Exception) -> DeviceError:
    """The error of a run whose device raised something."""
    return DeviceError(
        f"device {device.name} failed ({type(error).__name__}: {error}); label maps that are "
        "finished are kept, so run again for the rest, or with --device cpu"
    )


class Device(Protocol):
    """A device that undoes row filters, looks up labels and counts them, many images at once."""

    @property
    def name(self) -> str:
        """What reports call it, for instance `cuda:0`."""

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        """Labels of a batch, written to the front of `out` as `batch.label_starts` says.

        Returns when all is done; called from several threads, whose work overlaps. Raises
        MemoryError where the device has no room for it, and what the device raises.
        """

    def confuse(
        self,
        truth: NDArray[np.uint8],
        prediction: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        slots: NDArray[np.uint16],
        bins: int,
    ) -> NDArray[np.int64]:
        """Confusion matrices of a ragged batch, int64 (N, bins, bins).

        See `reference_confusion.confuse`. Returns when all is done; called and raises as `index`.
        """

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Host memory that it copies from and to at the full speed of the bus, uint8 (size,)."""

    def free_memory(self) -> int:
        """Bytes of the device's memory that this process could take now."""

    def span(self, name: str) -> AbstractContextManager[object]:
        """A named range of the calling thread for profilers."""
