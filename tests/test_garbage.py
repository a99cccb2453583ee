"""The collector of cycles looks more rarely during runs, and as before after them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gpuseg.garbage import PATIENCE, rarely_collected


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(("first", "during"), [(700, PATIENCE), (50_000, 50_000), (0, 0)])
def test_during_runs(first: int, during: int) -> None:
    gc.set_threshold(first, 7, 9)
    with rarely_collected():
        assert gc.get_threshold()[0] == during
        outer, inner = rarely_collected(), rarely_collected()
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        assert gc.get_threshold()[0] == during
        inner.__exit__(None, None, None)
        assert gc.get_threshold()[0] == during
    assert gc.get_threshold()[0] == first
    assert gc.get_threshold()[1] == 7


def test_after_an_error() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(ValueError, match="told"), rarely_collected():
        raise ValueError("told")
    assert gc.get_threshold()[0] == 700
