"""Rooms of batches: how large they are, how many, and that their memory is used again."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.errors import DeviceError
from gpuseg.staging import FIRST_PIXELS, MOST_LARGE, MOST_ROOMS, Room, Staging
from tests.kernels.host_device import HostDevice


class Device(HostDevice):
    """Remembers what memory was asked for."""

    def __init__(self, free: int = 1 << 40) -> None:
        self.free = free
        self.memory: list[int] = []

    def empty(self, size: int) -> NDArray[np.uint8]:
        self.memory.append(size)
        return np.empty(size, np.uint8)

    def free_memory(self) -> int:
        return self.free


def reserve(staging: Staging, height: int, width: int, name: Any = "a") -> tuple[Any, Room | None]:
    """A place for an RGB file of that size, and the room that was closed for it."""
    mask: Any = SimpleNamespace(width=width, height=height, row_bytes=3 * width)
    work: Any = name
    return staging.reserve(work, mask)


def test_batches_grow_to_the_limit() -> None:
    staging = Staging(Device(), 3 * FIRST_PIXELS)
    most = []
    for _ in range(4):
        place, _ = reserve(staging, 1, 1)
        most.append(place.room.most)
        room = staging.close()
        assert room is place.room
        staging.release(room)
    assert most == [FIRST_PIXELS, 2 * FIRST_PIXELS, 3 * FIRST_PIXELS, 3 * FIRST_PIXELS]


def test_a_small_device_gets_small_batches() -> None:
    staging = Staging(Device(free=120_000), 1 << 30)
    assert 100 < staging.limit < 120_000 / 8 / 3  # three on the device fit


def test_a_device_that_cannot_tell_its_memory_has_failed() -> None:
    device = Device()
    device.free_memory = lambda: 1 // 0
    with pytest.raises(DeviceError, match=r"device host failed \(ZeroDivisionError: "):
        Staging(device, 100)


def test_files_lie_one_after_the_other_until_the_room_is_full() -> None:
    staging = Staging(Device(), 100)
    first, _ = reserve(staging, 2, 20)
    second, _ = reserve(staging, 3, 20)
    assert second.room is first.room
    assert (first.start, second.start) == (0, 2 * 61)
    third, closed = reserve(staging, 1, 1)
    assert closed is first.room
    assert third.room is not closed
    assert not closed.is_ready  # its files are not inflated yet
    closed.pending = 0
    assert closed.is_ready


def test_so_many_rooms_and_no_more() -> None:
    staging = Staging(Device(), 100)
    rooms = [reserve(staging, 10, 10)[0].room for _ in range(MOST_ROOMS)]
    assert len({id(room) for room in rooms}) == MOST_ROOMS
    assert reserve(staging, 10, 10)[0] is None
    staging.release(rooms[2])
    assert reserve(staging, 10, 10)[0] is not None


def test_large_files_are_held_by_few_rooms() -> None:
    staging = Staging(Device(), 100)
    large = [reserve(staging, 20, 20)[0].room for _ in range(MOST_LARGE)]
    assert reserve(staging, 20, 20)[0] is None
    small, _ = reserve(staging, 10, 10)  # does not wait for them
    assert small is not None
    for room in large:
        staging.release(room)
    assert reserve(staging, 20, 20)[0] is not None


def test_who_waits_has_the_next_room() -> None:
    """Else the others would begin one that it closes again, with hardly a file in it."""
    staging = Staging(Device(), 100)
    large = [reserve(staging, 20, 20)[0].room for _ in range(MOST_LARGE)]
    small, closed = reserve(staging, 5, 5, "small")
    assert closed is large[1]
    assert reserve(staging, 20, 20, "waits") == (None, small.room)
    assert reserve(staging, 5, 5, "other") == (None, None)
    for room in (*large, small.room):
        staging.release(room)
    assert reserve(staging, 5, 5, "other") == (None, None)
    place, _ = reserve(staging, 20, 20, "waits")
    assert place is not None
    place, closed = reserve(staging, 5, 5, "other")
    assert place is not None
    assert closed is not None


def test_a_room_that_is_done_forgets_its_files() -> None:
    staging = Staging(Device(), 100)
    work: Any = type("Work", (), {})()
    place, _ = reserve(staging, 10, 10, work)
    there = weakref.ref(work)
    room = staging.close()
    staging.release(room)
    gc.disable()  # or it would find them, one day
    try:
        del place, work
        assert there() is None
    finally:
        gc.enable()


def test_scanlines_come_to_their_place() -> None:
    staging = Staging(Device(), 100)
    reserve(staging, 2, 3)
    place, _ = reserve(staging, 3, 2)
    lines = bytes(range(21))
    place.mask.inflate = lambda: iter([lines[:7], lines[7:]])
    assert not place.filled
    place.fill()
    assert place.filled
    assert place.room.data[20:41].tobytes() == lines


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_memory_that_fits_best_is_used_again(order: tuple[int, int]) -> None:
    device = Device()
    staging = Staging(device, 100)
    rooms = [reserve(staging, 50, 50)[0].room, reserve(staging, 10, 10)[0].room]
    staging.close()
    for which in order:
        staging.release(rooms[which])
    asked = list(device.memory)
    small, large = reserve(staging, 10, 10)[0], reserve(staging, 50, 50)[0]
    assert small.room.data is rooms[1].data
    assert large.room.data is rooms[0].data
    assert device.memory == asked
