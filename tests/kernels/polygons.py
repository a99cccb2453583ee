"""Outlines as people never draw them: for property tests of what draws polygons."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

Outline = Sequence[tuple[float, float]]

_NEAR = st.one_of(
    st.integers(-3, 45),
    st.integers(-10, 100).map(lambda halves: halves / 2),
    st.integers(-30, 450).map(lambda tenths: tenths / 10),
    st.floats(-50, 90),
)
_FAR = st.one_of(_NEAR, st.integers(-20_000, 20_000), st.floats(-20_000, 20_000))


def _outlines(coordinates: st.SearchStrategy[float]) -> st.SearchStrategy[Outline]:
    points = st.tuples(coordinates, coordinates)
    return st.one_of(
        st.lists(points, min_size=1, max_size=12),
        st.lists(points, min_size=1, max_size=6).map(lambda found: [*found, *found[::-1]]),
        st.lists(points, min_size=1, max_size=6).map(lambda found: sorted(found * 2)),
    )


OUTLINES = st.one_of(_outlines(_NEAR), _outlines(_FAR))
"""Vertices in and around an image of up to 40 pixels: crossing each other, twice, far away."""
