"""Annotations in which one value is another one, of any type."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

ODD_VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, float("nan"), float("inf"), 1e300, "", "x", "\ud800",
    [], {}, [[]], [{}], {"x": []}, [1, 2], [[1, 2]],
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside."""
    yield path
    if isinstance(value, (dict, list)):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(below, (*path, key))


def _changed(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.deepcopy(whole)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


def with_odd_values(whole: Any) -> Iterator[Any]:
    """The value with each odd one in each of its places."""
    for path in _places(whole):
        for value in ODD_VALUES:
            yield _changed(whole, path, value)
