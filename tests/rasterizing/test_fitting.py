"""Shapes that would take any memory or time."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from gpuseg.drawing.draw import draw
from gpuseg.rasterizing.fitting import LARGEST_RADIUS, LONGEST_LINE, MOST_STEPS, fitting
from gpuseg.shapes import Convention, Ellipse, Line, Part, Picture, Points, Polygon, Runs, Shape

SIDE = 1000
FAR = float(1 << 24)


def picture(*parts: Part, convention: Convention = "pillow") -> Picture:
    shapes = tuple(Shape("a", (part,), number) for number, part in enumerate(parts, 1))
    return Picture(SIDE, SIDE, shapes, convention)


def zigzag(count: int, beyond: float = 5.0, axis: int = 1) -> Points:
    """From edge to edge of the image and back, so many vertices."""
    points = np.empty((count, 2))
    points[:, 1 - axis] = np.linspace(0, SIDE, count)
    points[:, axis] = np.where(np.arange(count) % 2, SIDE + beyond, -beyond)
    return points


def far_line(count: int, width: int) -> Line:
    """Between two corners of where coordinates may be."""
    return Line(np.where(np.arange(count)[:, None] % 2, FAR, -FAR) * np.ones(2), width)


def test_what_fits_is_left_as_it_is() -> None:
    given = picture(
        Polygon(zigzag(1_000)),
        Polygon(np.random.default_rng(0).uniform(-FAR, FAR, (5_000, 2))),
        Ellipse(0, 0, LARGEST_RADIUS, 1),
        Line(np.array([[0, 0], [float(LONGEST_LINE), 5]]), 1),
        far_line(9, 10),
        Runs(np.array([0, SIDE * SIDE]), 0, 0, SIDE, SIDE, by_column=True),
    )
    assert fitting(given) is given


COUNT = MOST_STEPS // SIDE + 2
RING = np.array([[5.0, 5], [9, 5], [7, 9]])


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (
            Runs(np.array([2 * SIDE * SIDE]), 0, 0, SIDE, 2 * SIDE, by_column=True),
            "has a mask of 1,000 x 2,000 pixels, more than its image",
        ),
        (Ellipse(0, 0, 1, LARGEST_RADIUS + 1), "has a radius of more than 262,144 pixels"),
        (far_line(3, 1), "has a line of more than 16,777,216 pixels"),
        (Line(zigzag(COUNT), 10), "has edges that cross 67,"),
        (Polygon(zigzag(COUNT)), "has edges that cross 67,"),
        (Polygon(zigzag(COUNT, axis=0)), "has edges that cross 67,"),
        (Polygon(RING, (zigzag(COUNT // 2),) * 3), "has edges that cross 100,"),
    ],
)
def test_what_does_not_is_bad(part: Part, why: str) -> None:
    good = Polygon(RING)
    found = fitting(picture(good, part, good))
    assert [shape.number for shape in found.shapes] == [1, 3]
    (bad,) = found.bad
    assert (bad.number, bad.label) == (2, "a")
    assert bad.why.startswith(why)


def test_what_lies_outside_of_the_image_is_not_counted() -> None:
    assert not fitting(picture(Polygon(zigzag(COUNT) + 2 * SIDE))).bad
    assert not fitting(picture(Polygon(np.repeat(RING, COUNT, axis=0)))).bad


@pytest.mark.slow
@pytest.mark.parametrize("convention", ["pillow", "coco", "agg", "opencv"])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_most_steps_take_seconds(convention: Convention, axis: int) -> None:
    outline = zigzag(MOST_STEPS // SIDE - 4, axis=axis)
    given = picture(Polygon(outline), Line(outline, 1024), convention=convention)
    assert fitting(given) is given
    start = perf_counter()
    draw(given, "file", [1, 2], 0)
    assert perf_counter() - start < 60
