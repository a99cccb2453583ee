"""JSON with something else in each of its places."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 7, 1e300, math.nan, math.inf, 10**400, "", "x", "\ud800", [], [[]], {},
    [None, 1], {"a": 1}, [1, 2], [[1, 2]], {"width": 3},
)  # fmt: skip


def damaged(value: Any) -> Iterator[Any]:
    """The same JSON with each kind of junk in place of each value, and without each."""
    for path in _places(value):
        for junk in JUNK:
            changed = copy.deepcopy(value)
            _at(changed, path[:-1])[path[-1]] = junk
            yield changed
        changed = copy.deepcopy(value)
        del _at(changed, path[:-1])[path[-1]]
        yield changed


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        yield (key,)
        if isinstance(below, (dict, list)):
            yield from ((key, *path) for path in _places(below))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
