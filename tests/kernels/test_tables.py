"""Tables of values by number, and counts, are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.kernels.tables import chosen, counted

KINDS = ("u1", "u2", "u4")


@pytest.mark.parametrize("numbers", KINDS)
@pytest.mark.parametrize("values", KINDS)
def test_values(numbers: str, values: str) -> None:
    rng = np.random.default_rng(5)
    size = min(70_000, np.iinfo(numbers).max + 1)
    table = rng.integers(0, np.iinfo(values).max, size, values, endpoint=True)
    places = rng.integers(0, size, (37, 50), numbers)
    found = chosen(table, places)
    assert found.dtype == table.dtype
    assert np.array_equal(found, table[places])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (9, 31)])
def test_counts(kind: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    numbers = rng.integers(0, 3, shape, kind).repeat(2, axis=1)
    assert counted(numbers, 5).tolist() == np.bincount(numbers.ravel(), minlength=5).tolist()
