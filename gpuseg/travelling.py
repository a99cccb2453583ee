"""Values that go between processes by the hundred thousand: pickled without ceremony."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

Value = TypeVar("Value")


def quickly_pickled(cls: type[Value]) -> type[Value]:
    """Have a frozen dataclass with slots pickled by its values, and made anew of them unchecked.

    Dataclasses with slots go through their fields in Python, which for small files is felt.
    Subclasses that add fields are to be decorated, too.
    """
    cls.__reduce__ = _reduced  # type: ignore[assignment]
    return cls


def _reduced(value: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    cls: Any = type(value)
    return _made, (cls, *_values(cls)(value))


def _made(cls: Any, *values: Any) -> Any:
    value = cls.__new__(cls)
    for put, each in zip(_setters(cls), values, strict=True):
        put(value, each)
    return value


@cache
def _values(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*(each.name for each in fields(cls)))


@cache
def _setters(cls: Any) -> tuple[Callable[[Any, Any], None], ...]:
    return tuple(getattr(cls, each.name).__set__ for each in fields(cls))
