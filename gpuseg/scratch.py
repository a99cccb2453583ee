"""Memory that a thread uses again and again: fresh pages cost as much as the work in them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Take = Callable[[int], NDArray[np.uint8]]
"""Memory of so many bytes, with anything in it."""


def fresh(size: int) -> NDArray[np.uint8]:
    """uint8 (size,), new memory."""
    return np.empty(size, np.uint8)


class Scratch(threading.local):
    """A buffer for each thread, as large as the largest that was asked for.

    It is 0 at first: where whoever takes it leaves it so, it stays 0.
    """

    def __init__(self) -> None:
        self._memory: NDArray[np.uint8] = np.empty(0, np.uint8)

    def take(self, size: int) -> NDArray[np.uint8]:
        """uint8 (size,), with what was in it before; valid until the thread takes it again."""
        if self._memory.size < size:
            self._memory = np.zeros(size, np.uint8)
        return self._memory[:size]
