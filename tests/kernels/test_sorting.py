"""Values of a row in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gpuseg.kernels.jit import U64, njit
from gpuseg.kernels.sorting import FEW, sort


@njit
def _sort(values: Any, count: Any) -> None:
    sort(values, count)


@given(
    arrays.arrays(np.float32, st.integers(0, 3 * FEW), elements=st.floats(-9, 9, width=32)),
    st.integers(0, 9),
)
def test_what_is_to_be_sorted_is_and_nothing_else(values: np.ndarray, rest: int) -> None:
    count = max(0, values.size - rest)
    wanted = np.concatenate((np.sort(values[:count]), values[count:]))
    _sort(values, U64(count))
    np.testing.assert_array_equal(values, wanted)


@pytest.mark.parametrize("kind", ["f4", "i8"])
def test_equal_values_and_those_in_order(kind: str) -> None:
    for values in (np.zeros(100, kind), np.arange(100, 0, -1).astype(kind)):
        wanted = np.sort(values)
        _sort(values, U64(values.size))
        np.testing.assert_array_equal(values, wanted)
