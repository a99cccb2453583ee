"""Python's collector of cycles, which is one for the whole process."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 10_000
"""Objects that are made before the collector looks, at least: Python takes 700 or 2,000. One JSON
file of polygons makes thousands of lists, none of them in a cycle, and each look may go through all
that the process holds."""

_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []  # one entry a run that is under way


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Have the collector look more rarely; off stays off.

    The last of several runs at once gives back what was.
    """
    with _lock:
        _before.append(_before[0] if _before else gc.get_threshold())
        first, *others = gc.get_threshold()
        if first:
            gc.set_threshold(max(first, PATIENCE), *others)
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:
                gc.set_threshold(*before)
