"""Python's collector of cycles, which is one for the whole process."""

from __future__ import annotations

import gc
from contextlib import AbstractContextManager

from gpuseg.process_wide import Setting

PATIENCE = 10_000
"""Objects that are made before the collector looks, at least: Python takes 700 or 2,000. One JSON
file of polygons makes thousands of lists, none of them in a cycle, and each look may go through all
that the process holds."""

Thresholds = tuple[int, int, int]

_THRESHOLDS = Setting[Thresholds](gc.get_threshold, lambda values: gc.set_threshold(*values))


def rarely_collected() -> AbstractContextManager[None]:
    """Have the collector look more rarely; off stays off.

    The last of several runs at once gives back what was.
    """
    return _THRESHOLDS.changed(_patient)


def _patient(thresholds: Thresholds) -> Thresholds:
    first, second, third = thresholds
    return (max(first, PATIENCE) if first else 0, second, third)
