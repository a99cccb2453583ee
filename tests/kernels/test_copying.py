"""Copies past the caches, at every alignment of both ends."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gpuseg.kernels.copying import copy_past_caches


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 200, 1000])
def test_every_alignment(size: int) -> None:
    rng = np.random.default_rng(size)
    for start in (*range(0, 64, 7), 63):
        for place in (0, 1, 13, 64):
            source = rng.integers(0, 256, place + size, np.uint8)
            memory = np.full(start + size + 64, 77, np.uint8)
            copy_past_caches(source[place:], memory[start : start + size])
            assert np.array_equal(memory[start : start + size], source[place:])
            assert (memory[:start] == 77).all()
            assert (memory[start + size :] == 77).all()


def test_from_memory_that_cannot_be_written() -> None:
    """The bytes that zlib hands out."""
    block, memory = bytes(range(256)) * 3, np.zeros(768, np.uint8)
    copy_past_caches(np.frombuffer(block, np.uint8), memory)
    assert memory.tobytes() == block


@pytest.mark.parametrize("size", [9, 11])
def test_sizes_must_agree(size: int) -> None:
    with pytest.raises(IndexError, match="as many bytes"):
        copy_past_caches(np.zeros(10, np.uint8), np.zeros(size, np.uint8))


def test_another_thread_sees_all_of_it() -> None:
    """What the flow relies on: a lock hands the memory over."""
    memory, turn = np.zeros(1 << 16, np.uint8), threading.Barrier(2, timeout=60)
    seen: list[bool] = []

    def read() -> None:
        for k in range(200):
            turn.wait()
            seen.append(bool((memory == k).all()))
            turn.wait()

    reader = threading.Thread(target=read)
    reader.start()
    for k in range(200):
        copy_past_caches(np.full(memory.size, k, np.uint8), memory)
        turn.wait()
        turn.wait()
    reader.join()
    assert seen == [True] * 200
