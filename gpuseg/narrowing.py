"""Indices of any integers, wherever they are, to those of a label map: checked, then narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.errors import LabelError
from gpuseg.foreign import Taken
from gpuseg.options import Depth
from gpuseg.palette import Palette


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The indices that label maps of a palette may hold: its classes and the ignore index.

    table: uint8 (256,) or (65536,), 1 for each of them, read-only.
    """

    palette: Palette
    ignore_index: int
    table: NDArray[np.uint8]

    @classmethod
    def of(cls, palette: Palette, ignore_index: int, depth: Depth = 8) -> Allowed:
        """Those of a palette that fits the depth, see `Palette.check_depth`."""
        table = np.zeros(1 << depth, np.uint8)
        table[[*palette.label_indices, ignore_index]] = 1
        table.flags.writeable = False
        return cls(palette, ignore_index, table)

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """That of the label maps."""
        return np.uint8 if len(self.table) == 256 else np.uint16

    def refusal(self, labels: NDArray[np.integer[Any]]) -> LabelError:
        """The error of labels, of any shape, that hold other indices."""
        present, counts = np.unique(labels, return_counts=True)
        strange = {
            index: f"{index} ({count:,} px)"
            for index, count in zip(present.tolist(), counts.tolist(), strict=True)
            if not 0 <= index < len(self.table) or not self.table[index]
        }
        return LabelError(
            f"labels must be indices of palette {self.palette.name!r} or the ignore index "
            f"{self.ignore_index}, got {', '.join([*strange.values()][:8])}; use the palette they "
            "belong to"
        )


def narrowed(given: Taken, allowed: Allowed) -> Labels:
    """Labels as they are stored, in host memory: those that were given, if they are so already.

    From a device they are copied once, narrow. Raises LabelError.
    """
    if given.on_device:
        from gpuseg.kernels import cuda

        narrow, strange = cuda.narrow_array(given.array.reshape(-1), allowed.table, allowed.dtype)
        if not strange:
            # the only copy from the device
            return narrow.get().reshape(given.array.shape)  # type: ignore[no-any-return]
    elif _are_allowed(given.array, allowed.table):
        return given.array.astype(allowed.dtype, copy=False)  # type: ignore[no-any-return]
    raise allowed.refusal(given.host())


def _are_allowed(labels: NDArray[np.integer[Any]], table: NDArray[np.uint8]) -> bool:
    if not labels.size or (labels.min() >= 0 and labels.max() < len(table)):
        return bool(table[labels].all())
    return False
