"""Parts by the rules of Pillow: holes, turned shapes, what lies outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from gpuseg.drawing.pillow_canvas import PillowCanvas
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Part, Polygon, Runs

WIDTH, HEIGHT = 24, 18

COORDINATES = st.one_of(st.integers(-12, 40), st.floats(-12, 40))
OUTLINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=7).map(
    lambda points: np.array(points, np.float64)
)


def drawn(part: Part, kind: str = "u1", ground: int = 0, value: int = 1) -> np.ndarray:
    canvas = PillowCanvas(WIDTH, HEIGHT, np.dtype(kind), ground)
    getattr(canvas, type(part).__name__.lower())(part, value)
    return canvas.values()


def filled(outline: np.ndarray) -> np.ndarray:
    """The pixels of one outline by Pillow alone, bool (H, W)."""
    image = Image.new("1", (WIDTH, HEIGHT))
    points = list(map(tuple, outline.tolist()))
    draw = ImageDraw.Draw(image)
    draw.polygon(points, fill=1, outline=1) if len(points) > 1 else draw.point(points, fill=1)
    return np.array(image)


@given(OUTLINES, st.lists(OUTLINES, max_size=2), st.sampled_from(["u1", "u2", "u4"]))
def test_holes_are_left_as_they_were(outline: np.ndarray, holes: list, kind: str) -> None:
    found = drawn(Polygon(outline, tuple(holes)), kind, 5, 200)
    wanted = filled(outline)
    for hole in holes:
        wanted &= ~filled(hole)
    assert found.dtype == np.dtype(kind)
    assert np.array_equal(found, np.where(wanted, 200, 5))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 360, -90])
def test_boxes_turned_by_right_angles(degrees: float) -> None:
    found = drawn(Box(4, 4, 14, 10, rotation=degrees))
    upright = Box(4, 4, 14, 10) if degrees % 180 == 0 else Box(6, 2, 12, 12)
    difference = found != drawn(upright)
    assert difference.sum() <= 11  # by rounding, one side may lie a pixel further


def test_boxes_turn_clockwise() -> None:
    found = drawn(Box(2, 8, 22, 10, rotation=45))
    assert [found[15, 18], found[3, 18], found[3, 6], found[15, 6]] == [1, 0, 1, 0]


def test_turned_ellipses_cover_what_upright_ones_do() -> None:
    upright, turned = drawn(Ellipse(12, 9, 8, 4)), drawn(Ellipse(12, 9, 4, 8, rotation=90))
    assert (upright != turned).mean() < 0.06


@pytest.mark.parametrize("corner", [(0, 0), (20, 15), (-2, -1), (90, 3), (-9, -9), (1 << 24, 0)])
def test_bitmaps_and_runs_are_cut_at_the_image(corner: tuple[int, int]) -> None:
    left, top = corner
    mask = np.arange(5 * 7).reshape(5, 7) % 3 == 0
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    for y, x in np.argwhere(mask).tolist():
        if 0 <= y + top < HEIGHT and 0 <= x + left < WIDTH:
            wanted[y + top, x + left] = True
    assert np.array_equal(drawn(Bitmap(mask, left, top)) == 1, wanted)
    for by_column in (False, True):
        flat = mask.T.ravel() if by_column else mask.ravel()
        ends = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *([0] if flat[0] else []), *ends, flat.size])
        assert np.array_equal(drawn(Runs(counts, left, top, 7, 5, by_column)) == 1, wanted)


@pytest.mark.parametrize("far", [1 << 24, -(1 << 24)])
@pytest.mark.parametrize(
    "make",
    [
        lambda far: Polygon(np.array([(far, far), (far + 3, far), (far, far + 3)], float)),
        lambda far: Box(far, far, far + 2, far + 2),
        lambda far: Ellipse(far, far, 3, 3),
        lambda far: Line(np.array([(far, far), (far + 3, far)], float), 10),
    ],
)
def test_what_lies_outside_draws_nothing(make, far: int) -> None:
    assert not drawn(make(float(far))).any()


def test_lines_of_huge_length_cross_the_image() -> None:
    far = float(1 << 24)
    assert drawn(Line(np.array([(-far, 9), (far, 9)]), 1))[9].all()
    assert drawn(Polygon(np.array([(-far, -far), (far, -far), (far, far), (-far, far)]))).all()


VALUES = {"u1": (1, 255), "u2": (1, 255, 256, 65535), "u4": (255, 256, 65535, 65536, (1 << 32) - 1)}


@given(COORDINATES, COORDINATES, st.integers(0, 20), st.integers(0, 20), st.integers(1, 9))
def test_all_types_of_pixels_are_drawn_alike(
    left: float, top: float, across: int, down: int, width: int
) -> None:
    right, bottom = left + across, top + down
    corners = (left, top, right, bottom)
    x, y, rx, ry = (left + right) / 2, (top + bottom) / 2, across / 2, down / 2
    around = (x - rx, y - ry, x + rx, y + ry)
    parts: list[tuple[Part, str, dict]] = [
        (Box(*corners), "rectangle", {"xy": corners, "outline": 1}),
        (Ellipse(x, y, rx, ry), "ellipse", {"xy": around, "outline": 1}),
        (
            Line(np.array([corners[:2], corners[2:]]), width),
            "line",
            {"xy": corners, "width": width},
        ),
        (Polygon(np.array([corners[:2]])), "point", {"xy": corners[:2]}),
    ]
    for part, name, words in parts:
        image = Image.new("1", (WIDTH, HEIGHT))
        getattr(ImageDraw.Draw(image), name)(**words, fill=1)
        for kind, values in VALUES.items():
            for value in values:
                found = drawn(part, kind, 7, value)
                assert found.dtype == np.dtype(kind)
                assert np.array_equal(found, np.where(np.array(image), value, 7).astype(kind))


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_pixels_that_pillow_cannot_share_are_drawn_to_all_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Ellipse(9.5, 8, 6, 4)
    shared = drawn(part, kind, 3, 200)
    asked = []
    monkeypatch.setattr(PillowCanvas, "_over", property(asked.append))
    assert np.array_equal(drawn(part, kind, 3, 200), shared)
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_pillow_draws_in_our_memory(kind: str) -> None:
    """Else each shape would take as long as the image is large."""
    assert PillowCanvas(WIDTH, HEIGHT, np.dtype(kind), 0)._over is not None
