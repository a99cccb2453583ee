"""Curves as lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gpuseg.kernels import bezier
from gpuseg.kernels.bezier import flattened

Ends = NDArray[np.float64]

COORDINATES = st.one_of(
    st.integers(-9, 9), st.integers(-200, 200), st.integers(-(1 << 24), 1 << 24), st.floats(-90, 90)
)
ENDS = arrays.arrays(np.float64, (4, 2), elements=COORDINATES.map(float))


@settings(max_examples=150, deadline=None)
@given(ENDS)
@example(np.array([[19, 0], [0, 0], [28, 0], [14, 1]], float))  # turns back beside its own line
@example(np.array([[0, 0], [8, 8], [-4, -4], [2, 2]], float))
def test_the_points_are_those_of_matplotlib(ends: Ends) -> None:
    path = pytest.importorskip("matplotlib.path").Path
    told = path(ends, [path.MOVETO, *[path.CURVE4] * 3]).cleaned(curves=False)
    np.testing.assert_array_equal(flattened(ends), told.vertices[told.codes != path.STOP])


@settings(max_examples=60, deadline=None)
@given(ENDS)
def test_points_begin_and_end_as_the_curve_and_lie_between_its_points(ends: Ends) -> None:
    points = flattened(ends)
    np.testing.assert_array_equal(points[[0, -1]], ends[[0, 3]])
    assert (points >= ends.min(axis=0)).all()
    assert (points <= ends.max(axis=0)).all()


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
