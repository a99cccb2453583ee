"""Memory of batches: rooms, and the places in them that files are inflated into.

Nothing here is locked: the flow calls it from one thread at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import ScanlineBatch
from gpuseg.errors import DeviceError
from gpuseg.kernels.copying import copy_past_caches
from gpuseg.kernels.device import Device, failure
from gpuseg.kernels.lut import Lookup
from gpuseg.mask import Scanlines
from gpuseg.pipeline import Work

ON_DEVICE = 3
"""Batches on the device at once: one is copied there, one worked on, one copied back."""

MOST_ROOMS = 2 + ON_DEVICE
"""Batches at once: one is being filled, one written. Where the device keeps up with the host,
fewer are ever made."""

MOST_LARGE = 2
"""Batches at once before one is begun whose first file is larger than a batch: such memory is
not held five times."""

MOST_FILES = 4096
"""Files of a batch, so that tiny masks do not make a batch of endless bookkeeping."""

FIRST_PIXELS = 1 << 21
"""Pixels of the first batch; each is twice as large as the one before, up to the limit. So
short runs take little page-locked memory, and long ones do not wait for a large first batch."""

DEVICE_BYTES = 8
"""Bytes of device memory a pixel: scanlines up to 4, labels 1 to 2, their scanlines 1, edges."""


@dataclass(slots=True, eq=False)
class Place:
    """Where the scanlines of a file lie in a room.

    start: in bytes of the room's data. filled: whether they are there, all of them.
    """

    room: Room
    work: Work
    mask: Scanlines
    start: int
    filled: bool = False

    def fill(self) -> None:
        """Inflate the file into its place. Raises what inflating raises."""
        at = self.start
        for block in self.mask.inflate():
            end = at + len(block)
            copy_past_caches(np.frombuffer(block, np.uint8), self.room.data[at:end])
            at = end
        self.filled = True


@dataclass(slots=True, eq=False)
class Room:
    """A batch from its first file to its last label map, and the memory of it.

    data: page-locked, uint8, the scanlines of its files. lines: the same for what comes back.
    most: pixels that it takes (one file may have more). pending: places not filled or given up
    yet. unwritten: label maps that still lie in `lines`.
    """

    data: NDArray[np.uint8]
    most: int
    places: list[Place] = field(default_factory=list)
    used: int = 0
    pixels: int = 0
    pending: int = 0
    closed: bool = False
    unwritten: int = 0
    lines: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    def take(self, work: Work, mask: Scanlines) -> Place | None:
        """A place for a file, None where it does not fit."""
        size, pixels = _size(mask), mask.width * mask.height
        if self.used + size > self.data.size or len(self.places) == MOST_FILES:
            return None
        if self.places and self.pixels + pixels > self.most:
            return None
        place = Place(self, work, mask, self.used)
        self.places.append(place)
        self.used += size
        self.pixels += pixels
        self.pending += 1
        return place

    @property
    def is_ready(self) -> bool:
        """Whether it can go to the device."""
        return self.closed and not self.pending

    def batch(self, lookup: Lookup) -> tuple[list[Place], ScanlineBatch]:
        """The files that were filled, and their scanlines as a batch."""
        places = [place for place in self.places if place.filled]
        masks = [place.mask for place in places]
        palettes: dict[bytes, int] = {}
        tables = [
            palettes.setdefault(mask.colours.tobytes(), len(palettes))
            if mask.colours is not None
            else 0
            for mask in masks
        ]
        entries = np.empty((len(palettes), 256), lookup.table.dtype)
        for colours, k in palettes.items():
            entries[k] = lookup.entries(np.frombuffer(colours, np.uint8).reshape(-1, 3))
        columns = np.array(
            [(p.start, p.mask.width, p.mask.height, p.mask.channels) for p in places], np.int64
        ).reshape(-1, 4)
        starts, widths, heights, channels = columns.T.copy()
        return places, ScanlineBatch(
            self.data[: self.used], starts, widths, heights, channels, entries, np.array(tables)
        )


class Staging:
    """The rooms of a run; their memory is used again."""

    def __init__(self, device: Device, batch_pixels: int) -> None:
        self._device = device
        try:
            free = device.free_memory()
        except Exception as error:  # CuPy raises several types
            raise failure(device, error) from error
        most = free // (2 * ON_DEVICE * DEVICE_BYTES)  # half of it, to be safe
        self.limit = max(1, min(batch_pixels, most))
        self._next = min(FIRST_PIXELS, self.limit)
        self._current: Room | None = None
        self._free: list[Room] = []
        self._waiting: Work | None = None
        self.busy = 0  # rooms that hold something

    def reserve(self, work: Work, mask: Scanlines) -> tuple[Place | None, Room | None]:
        """A place, None where all rooms are taken; and the room that had to be closed for it.

        The first file that waits has the next room: others fill none that it would have to close.
        """
        if self._current is not None and (place := self._current.take(work, mask)) is not None:
            return place, None
        if self._waiting is not None and self._waiting is not work:
            return None, None
        closed = self.close()
        is_large = mask.width * mask.height > self.limit
        if self.busy >= (MOST_LARGE if is_large else MOST_ROOMS):
            self._waiting = work
            return None, closed
        self._waiting = None
        self._current = self._open(_size(mask))
        return self._current.take(work, mask), closed

    def close(self) -> Room | None:
        """Let no more files into the room that is being filled; the room."""
        room, self._current = self._current, None
        if room is not None:
            room.closed = True
        return room

    def release(self, room: Room) -> None:
        """Nothing of the room is needed any more."""
        room.places = []  # they know their room: such a ring would keep the files until it is found
        self.busy -= 1
        self._free.append(room)

    def limit_to(self, pixels: int) -> None:
        """No larger batches: this is what the device had memory for."""
        self.limit = max(1, min(self.limit, pixels))
        self._next = min(self._next, self.limit)

    def _open(self, least: int) -> Room:
        """An empty room with `least` bytes at least."""
        most = self._next
        # 3 bytes a pixel, and a filter byte a row
        size = max(least, 3 * most + most // 16)
        old = self._pick(size)
        if old is not None and old.data.size >= size:
            data = old.data
        else:
            data = page_locked(self._device, size)
        room = Room(data, most)
        self.busy += 1
        self._next = min(2 * most, self.limit)
        if old is not None:
            room.lines = old.lines
        return room

    def _pick(self, size: int) -> Room | None:
        """The free room to use again: the smallest that is large enough, else the largest."""
        self._free.sort(key=lambda room: room.data.size)
        for i, room in enumerate(self._free):
            if room.data.size >= size:
                return self._free.pop(i)
        return self._free.pop() if self._free else None


def page_locked(device: Device, size: int) -> NDArray[np.uint8]:
    """`Device.empty`. Raises DeviceError where there is no such memory."""
    try:
        return device.empty(size)
    except Exception as error:  # CuPy raises several types
        raise DeviceError(
            f"device {device.name}: the host has no {size:,} bytes of page-locked memory for a "
            f"batch ({error}); use a smaller --batch-pixels"
        ) from error


def _size(mask: Scanlines) -> int:
    return (1 + mask.row_bytes) * mask.height
