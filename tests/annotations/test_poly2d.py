"""Scalabel's polygons with curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.annotations import poly2d
from gpuseg.annotations.fields import ShapeFaultError
from gpuseg.annotations.poly2d import old_part_of, outline_of, part_of
from gpuseg.kernels.agg import cells_for, paint_polygon
from gpuseg.shapes import Line, Polygon
from tests.drawing.matplotlib_judge import painted_by_matplotlib

SQUARE = [[1, 1], [5, 1], [5, 5], [1, 5]]

PIECES = st.lists(st.sampled_from(["L", "CCL"]), min_size=1, max_size=5)


def poly(**changes: Any) -> dict[str, Any]:
    return {"vertices": SQUARE, "types": "LLLL", "closed": True} | changes


@settings(max_examples=60, deadline=None)
@given(PIECES, st.sampled_from(["", "CC"]), st.data())
def test_outlines_are_drawn_as_matplotlib_draws_their_paths(
    pieces: list[str], last: str, data: st.DataObject
) -> None:
    types = "L" + "".join(pieces) + last
    eighths = st.integers(-80, 400).map(lambda n: n / 8)
    flat = data.draw(st.lists(eighths, min_size=2 * len(types), max_size=2 * len(types)))
    points = np.array(flat).reshape(-1, 2)
    pixels = np.zeros((32, 40), np.uint8)
    paint_polygon(outline_of(points, types), 1, pixels, cells_for(40))
    np.testing.assert_array_equal(pixels != 0, painted_by_matplotlib(points, 40, 32, types))


def test_an_open_path_is_a_line_if_it_has_a_width() -> None:
    assert part_of(poly(closed=False), False, None) is None
    line = part_of(poly(closed=False), False, 3)
    assert isinstance(line, Line)
    assert line.width == 3


def test_an_area_is_a_polygon_though_it_is_not_called_closed() -> None:
    assert isinstance(part_of(poly(closed=False), True, None), Polygon)


def test_the_old_form_is_the_same_polygon() -> None:
    old = old_part_of([[x, y, "L"] for x, y in SQUARE], True, None)
    new = part_of(poly(), False, None)
    assert isinstance(old, Polygon)
    assert isinstance(new, Polygon)
    np.testing.assert_array_equal(old.outline, new.outline)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "needs an object"),
        (poly(closed=None), "true or false for closed"),
        (poly(closed=1), "true or false for closed"),
        (poly(types="LLL"), "needs 4 letters"),
        (poly(types=None), "needs 4 letters"),
        (poly(types="LLLX"), "two control points"),
        (poly(types="LCLL"), "two control points"),
        (poly(types="CCLL"), "two control points"),
        (poly(types="LCCC"), "two control points"),
        (poly(types="LLCC", closed=False), "two control points"),
        (poly(vertices=[[1, 1]], types="L"), "at least 2 points"),
        (poly(vertices=[]), "at least 2 points"),
        (poly(vertices=[[1, 1], [float("nan"), 1]], types="LL"), "x=nan"),
        (poly(vertices=[[1, 1], [1e300, 1]], types="LL"), "x=1e+300"),
        (poly(vertices=[[1, 1], [1]], types="LL"), "not two numbers"),
        (poly(vertices=[[1, 1], ["1", 1]], types="LL"), "no number"),
    ],
)
def test_what_is_no_polygon_is_told(value: Any, told: str) -> None:
    with pytest.raises(ShapeFaultError, match=told.replace("+", r"\+")):
        part_of(value, False, None)


@pytest.mark.parametrize("value", [3, [3], [[1, 2]], [[1, 2, "X"]], [[1, 2, 3]], [[1, 2, ["L"]]]])
def test_what_is_no_polygon_of_the_old_form_is_told(value: Any) -> None:
    with pytest.raises(ShapeFaultError, match="needs"):
        old_part_of(value, True, None)


def test_curves_of_too_many_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poly2d, "MOST_POINTS", 9)
    with pytest.raises(ShapeFaultError, match="curves of more than 9 points"):
        outline_of(np.array([[0, 0], [900, 0], [0, 900], [900, 900]], float), "LCCL")
