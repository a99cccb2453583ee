"""Shapes over each other: order, overlaps, values of any size, and pictures already drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.drawing.areas import area_of
from gpuseg.drawing.draw import draw
from gpuseg.shapes import (
    ORDERS,
    Bitmap,
    Box,
    Ellipse,
    Line,
    Order,
    Part,
    Picture,
    Polygon,
    Runs,
    Shape,
)

LARGE, MIDDLE, SMALL = Box(0, 0, 9, 7), Box(2, 2, 7, 6), Box(4, 4, 5, 5)


def points(*values: tuple[float, float]) -> np.ndarray:
    return np.array(values, np.float64).reshape(-1, 2)


def picture(*parts: Part, z: tuple[float, ...] = ()) -> Picture:
    heights = z or (0.0,) * len(parts)
    shapes = (Shape("a", (p,), i, z=h) for i, (p, h) in enumerate(zip(parts, heights, strict=True)))
    return Picture(10, 8, tuple(shapes), "pillow")


def pixels(found: np.ndarray) -> list[int]:
    """Those of the corner, inside the middle box, and inside the small one."""
    return [found[0, 0], found[3, 3], found[4, 4]]


@pytest.mark.parametrize(
    ("order", "parts", "z", "wanted"),
    [
        ("file", (LARGE, MIDDLE, SMALL), (), [1, 2, 3]),
        ("file", (SMALL, MIDDLE, LARGE), (), [3, 3, 3]),
        ("reverse", (SMALL, MIDDLE, LARGE), (), [3, 2, 1]),
        ("reverse", (LARGE, MIDDLE, SMALL), (), [1, 1, 1]),
        ("area", (MIDDLE, SMALL, LARGE), (), [3, 1, 2]),
        ("z", (LARGE, MIDDLE, SMALL), (5, 1, 3), [1, 1, 1]),
        ("z", (LARGE, MIDDLE, SMALL), (-1, 3, 1), [1, 2, 2]),
        ("z", (SMALL, MIDDLE, LARGE), (0, 0, -0.5), [3, 2, 2]),  # of equal z the later one
    ],
)
def test_orders(order: Order, parts: tuple[Part, ...], z: tuple[float, ...], wanted: list) -> None:
    assert pixels(draw(picture(*parts, z=z), order, [1, 2, 3], 0)) == wanted


@pytest.mark.parametrize("order", ORDERS)
def test_equal_shapes_lie_in_the_order_of_the_file(order: Order) -> None:
    found = draw(picture(LARGE, LARGE), order, [1, 2], 0)
    assert found.min() == found.max() == (1 if order == "reverse" else 2)


def test_a_shape_is_the_union_of_its_parts() -> None:
    shape = Shape("a", (Box(0, 0, 1, 1), Box(1, 1, 3, 3)), 1)
    found = draw(Picture(10, 8, (shape,), "pillow"), "file", [7], 0)
    assert [(found == 7).sum(), found[1, 1], found[3, 3]] == [12, 7, 7]


@pytest.mark.parametrize("top", [255, 256, 65535, 65536, (1 << 24) + 3])
def test_values_of_any_size(top: int) -> None:
    found = draw(picture(LARGE, SMALL), "file", [top, 3], 0)
    assert found.dtype == np.min_scalar_type(top)
    assert pixels(found) == [top, top, 3]
    assert found.flags.c_contiguous
    ground = draw(picture(SMALL), "file", [3], top)
    assert pixels(ground) == [top, top, 3]


def test_no_shapes() -> None:
    assert (draw(picture(), "file", [], 9) == np.full((8, 10), 9)).all()


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_a_picture_that_is_drawn_already(kind: str) -> None:
    drawn = np.array([[0, 1], [2, 1]], kind)
    shapes = (Shape("a", (), 1), Shape("b", (), 2))
    whole = Picture(2, 2, shapes, "pillow", drawn=drawn)
    assert draw(whole, "file", [300, 5], 9).tolist() == [[9, 300], [5, 300]]
    with pytest.raises(IndexError, match="shape 2 is drawn, and there are 1"):
        draw(whole, "file", [3], 0)


AREAS: list[tuple[Part, float]] = [
    (Polygon(points((0, 0), (4, 0), (4, 3))), 6),
    (Polygon(points((0, 0), (4, 3), (4, 0))), 6),
    (Polygon(points((0, 0), (4, 0), (4, 4), (0, 4)), (points((1, 1), (2, 1), (2, 2)),)), 15.5),
    (Polygon(points((0, 0), (1, 0), (1, 1)), (points((0, 0), (9, 0), (9, 9)),)), 0),
    (Polygon(points((3, 3))), 0),
    (Box(1, 2, 4, 4), 6),
    (Box(4, 4, 1, 2, rotation=30), 6),
    (Ellipse(0, 0, 2, 3), 6 * np.pi),
    (Line(points((0, 0), (3, 4), (3, 5)), 2), 12),
    (Line(points((3, 4)), 2), 0),
    (Runs(np.array([1, 2, 3, 4]), 0, 0, 5, 2, by_column=True), 6),
    (Bitmap(np.array([[True, False, True]]), 5, 5), 2),
]


@pytest.mark.parametrize(("part", "area"), AREAS)
def test_areas(part: Part, area: float) -> None:
    assert area_of(Shape("a", (part, part), 1)) == pytest.approx(2 * area)


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_runs_of_a_bitmap(data: st.DataObject, width: int, height: int) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    mask = np.array(flat).reshape(height, width)
    found = Runs.of(mask, 1, -2)
    assert (found.left, found.top) == (1, -2)
    as_bitmap = picture(Bitmap(mask, 1, -2))
    assert np.array_equal(draw(picture(found), "file", [1], 0), draw(as_bitmap, "file", [1], 0))


def test_runs_take_less_memory_than_what_they_stand_for() -> None:
    few = Runs.of(np.ones((1000, 1000), bool), 0, 0)
    assert isinstance(few, Runs)
    assert few.counts.tolist() == [0, 1_000_000]
    noise = np.random.default_rng(1).random((100, 100)) < 0.5
    assert isinstance(Runs.of(noise, 0, 0), Bitmap)
