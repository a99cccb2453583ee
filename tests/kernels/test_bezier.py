"""Curves as lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gpuseg.kernels import bezier
from gpuseg.kernels.bezier import flattened

Ends = NDArray[np.float64]

ENDS = arrays.arrays(np.float64, (4, 2), elements=st.integers(-200, 200).map(float))


@settings(max_examples=60, deadline=None)
@given(ENDS)
def test_points_begin_and_end_as_the_curve_and_lie_near_it(ends: Ends) -> None:
    points = flattened(ends)
    np.testing.assert_array_equal(points[[0, -1]], ends[[0, 3]])
    at = np.linspace(0, 1, 4001)[:, None]
    curve = (
        (1 - at) ** 3 * ends[0]
        + 3 * at * (1 - at) ** 2 * ends[1]
        + 3 * at**2 * (1 - at) * ends[2]
        + at**3 * ends[3]
    )
    away = np.hypot(*(points[:, None] - curve[None]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 1.5  # points are control points of halves, not of the curve


def test_a_straight_curve_is_its_ends() -> None:
    ends = np.array([[0, 0], [2, 1], [4, 2], [6, 3]], float)
    np.testing.assert_array_equal(flattened(ends), ends[[0, 3]])


def test_a_curve_without_extent_ends() -> None:
    assert set(map(tuple, flattened(np.full((4, 2), 5.0)).tolist())) == {(5.0, 5.0)}


def test_the_largest_curves_have_some_thousand_points() -> None:
    far = float(1 << 24)
    points = flattened(np.array([[-far, -far], [far, far], [-far, far], [far, -far]]))
    assert 64 < len(points) < bezier.MOST
    assert np.abs(points).max() <= far


def test_too_many_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bezier, "MOST", 3)
    with pytest.raises(ValueError, match="more than 3 points"):
        flattened(np.array([[0, 0], [900, 0], [0, 900], [900, 900]], float))
