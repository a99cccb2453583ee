"""LabelMe JSON: pixels as labelme draws them, shapes that cannot be drawn, sizes, any damage."""

from __future__ import annotations

import base64
import io
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.labelme import LabelMe
from gpuseg.discover import Source
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, MaskError, MaskSizeError
from gpuseg.shapes import Picture
from tests.annotations.labelme_files import (
    HEIGHT,
    SHAPES,
    WIDTH,
    document,
    draw_all,
    draw_alone,
    mask_shape,
    shape,
    source,
)
from tests.annotations.mutating import with_odd_values


def read(shapes: Any, choices: ReadingChoices | None = None, **more: Any) -> Picture:
    return LabelMe().read(source(document(shapes, **more)), choices or ReadingChoices())


def drawn(picture: Picture) -> np.ndarray:
    return draw(picture, "file", range(1, len(picture.shapes) + 1), 0)


@pytest.mark.parametrize("found", SHAPES, ids=lambda found: str(found["shape_type"]))
def test_each_type_as_labelme_draws_it(found: Any) -> None:
    wanted = draw_alone(found)
    assert 0 < wanted.sum() < wanted.size
    assert np.array_equal(drawn(read([found])) == 1, wanted)


def test_later_shapes_lie_over_earlier_ones() -> None:
    picture = read(SHAPES)
    assert (picture.width, picture.height, picture.bad) == (WIDTH, HEIGHT, ())
    assert np.array_equal(drawn(picture), draw_all(SHAPES, list(range(1, len(SHAPES) + 1))))


COORDINATES = st.one_of(st.integers(-60, 90), st.floats(-60, 90), st.sampled_from([-1e5, 1e5]))
POINTS = st.tuples(COORDINATES, COORDINATES).map(list)


def _shapes(kind: str | None, least: int, most: int) -> st.SearchStrategy[Any]:
    points = st.lists(POINTS, min_size=least, max_size=most)
    return points.map(lambda points: shape("a", points, kind))


ANY = st.one_of(
    _shapes("polygon", 3, 9),
    _shapes(None, 3, 5),
    _shapes("rectangle", 2, 2),
    _shapes("circle", 2, 2),
    _shapes("line", 2, 2),
    _shapes("linestrip", 2, 6),
    _shapes("point", 1, 1),
    _shapes("oriented_rectangle", 4, 4),
)


@given(st.lists(ANY, max_size=4))
def test_any_shapes_wherever_they_lie(shapes: list[Any]) -> None:
    picture = read(shapes)
    assert picture.bad == ()
    assert np.array_equal(drawn(picture), draw_all(shapes, list(range(1, len(shapes) + 1))))


@pytest.mark.parametrize("mode", ["1", "L"])
@pytest.mark.parametrize("corner", [(0, 0), (33, 25), (-3, -2), (100, 4), (5.9, 7.9)])
def test_masks_are_cut_at_the_image(mode: str, corner: tuple[float, float]) -> None:
    bits = np.random.default_rng(3).random((8, 11)) < 0.5
    for part in (bits, np.ones((8, 11)), np.zeros((1, 1)), np.eye(8)):
        found = mask_shape("a", part, *corner, mode)
        assert np.array_equal(drawn(read([found])) == 1, draw_alone(found))


def _mask(**more: Any) -> Any:
    return {**mask_shape("a", np.ones((4, 4)), 2, 2), **more}


def _png(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _flipped(data: str) -> str:
    """A PNG with one bit of its pixels flipped."""
    raw = bytearray(base64.b64decode(data))
    raw[raw.index(b"IDAT") + 8] ^= 4
    return base64.b64encode(bytes(raw)).decode()


BAD = [
    (7, "is no object: 7"),
    ({}, "needs a text for its label, got None"),
    (shape("a", [[1, 1], [2, 2]]), "needs at least 3 points, got 2"),
    (shape("a", []), "needs at least 3 points, got 0"),
    (shape("a", [[1, 1], [5, 5], [float("nan"), 3]]), "has a point at x=nan y=3"),
    (shape("a", [[1, 1], [5, 5], [3, float("inf")]]), "has a point at x=3 y=inf"),
    (shape("a", [[1, 1], [5, 5], [1e300, 3]]), "coordinates are numbers of at most 16,777,216"),
    (shape("a", [[1, 1], [5, 5], [2**33, 3]]), "has a point at x=8.58993e"),
    (shape("a", [[1, 1], [5, 5], [10**400, 3]]), "has a coordinate of more than 16,777,216"),
    (shape("a", [[1, 1], [5, 5], [3]]), r"has a point that is not two numbers: \[3\]"),
    (shape("a", [[1, 1], [5, 5], ["3", 3]]), "has a coordinate that is no number: '3'"),
    (shape("a", [[1, 1]], "rectangle"), "needs at least 2 points, got 1"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], "circle"), "needs 2 points, got 3"),
    (shape("a", [[1, 1], [2, 2]], "point"), "needs 1 points, got 2"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], "line"), "needs 2 points, got 3"),
    (shape("a", [[1, 1]], "linestrip"), "needs at least 2 points, got 1"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], "oriented_rectangle"), "needs at least 4 points, got 3"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], "heart"), "is of a type that is not known: 'heart'"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], ["polygon"]), "is of a type that is not known"),  # type: ignore[arg-type]
    (shape("a", [[1, 1], [2, 2], [3, 3]], group_id=1.5), "needs a whole number for group_id"),
    (shape("a", [[1, 1], [2, 2], [3, 3]], group_id=[1]), "needs a whole number for group_id"),
    (_mask(mask=None), "needs an image in base64 for its mask, got None"),
    (_mask(mask="not base64!"), "has a mask that is no base64"),
    (_mask(mask="é"), "has a mask that is no base64"),
    (_mask(mask="aGVsbG8="), "has a mask that is no image"),
    (
        _mask(mask=_png(Image.new("L", (5, 4)))),
        "has a mask of 5 x 4 pixels for the corners 2,2 and",
    ),
    (_mask(mask=_png(Image.new("RGB", (4, 4)))), "has a mask of mode RGB, and 1 or L was expected"),
    (_mask(mask=_flipped(_mask()["mask"])), "has a mask that is damaged"),
    (_mask(mask=_mask()["mask"][:60]), "has a mask that .*cut off"),
    (
        _mask(mask=_png(Image.new("1", (4000, 4000)))),
        "has a mask of more pixels than its image, 1,200",
    ),
]


@pytest.mark.parametrize(("found", "told"), BAD, ids=range(len(BAD)))
def test_shapes_that_cannot_be_drawn(found: Any, told: str) -> None:
    good = shape("b", [[1, 1], [9, 1], [5, 9]])
    picture = read([good, found, good])
    assert [each.number for each in picture.shapes] == [1, 3]
    (bad,) = picture.bad
    assert bad.number == 2
    assert re.search(told, str(bad)), str(bad)


DEGENERATE = [
    [[5, 5], [5, 5], [5, 5]],
    [[5, 5], [9, 5], [5, 5]],
    [[3, 3], [3, 3], [8, 8], [8, 8], [8, 3]],
    [[2, 2], [10, 10], [10, 2], [2, 10]],
    [[-9, -9], [-5, -9], [-5, -5]],
    [[500, 500], [600, 500], [600, 600]],
    [[-500, -500], [600, -500], [600, 600], [-500, 600]],
]


@pytest.mark.parametrize("points", DEGENERATE)
def test_degenerate_polygons_are_drawn_as_pillow_draws_them(points: Any) -> None:
    found = shape("a", points)
    assert np.array_equal(drawn(read([found])) == 1, draw_alone(found))


@pytest.mark.slow
def test_a_million_vertices() -> None:
    angles = np.linspace(0, 2 * np.pi, 1_000_000)
    points = np.column_stack((20 + 9 * np.cos(angles), 15 + 9 * np.sin(angles)))
    found = shape("a", points.tolist())
    assert np.array_equal(drawn(read([found])) == 1, draw_alone(found))


def test_groups_are_instances() -> None:
    given = [shape("a", [[1, 1], [9, 1], [5, 9]], group_id=group) for group in (None, 0, 0, "x")]
    assert [each.instance for each in read(given).shapes] == [None, 0, 0, "x"]


def test_width_of_lines_and_points() -> None:
    line, point = shape("a", [[2, 15], [38, 15]], "line"), shape("a", [[20, 15]], "point")
    thin = drawn(read([line], ReadingChoices(line_width=1)))
    assert [thin.sum(), np.ptp(np.nonzero(thin)[0])] == [37, 0]
    small = drawn(read([point], ReadingChoices(line_width=4)))
    assert np.ptp(np.nonzero(small)[0]) == 4


def test_sizes_that_are_not_told(tmp_path: Path) -> None:
    whole = document([], imageWidth=None, imageHeight=None)
    assert _size(whole | {"imageData": _png(Image.new("L", (7, 6)))}) == (7, 6)
    assert _size(whole, ReadingChoices(size=(3, 2))) == (3, 2)
    del whole["imageWidth"], whole["imageHeight"]
    Image.new("L", (9, 8)).save(tmp_path / "b.png")
    beside = whole | {"imagePath": "..\\images\\b.png"}  # as Windows writes it
    assert _size(beside, ReadingChoices(images=str(tmp_path))) == (9, 8)
    for data in ("aGVsbG8=", "?"):
        with pytest.raises(AnnotationError, match=r"imageData|cannot be read"):
            _size(whole | {"imageData": data})
    with pytest.raises(AnnotationError, match=r"'a.jpg' is not found"):
        _size(whole)


def _size(whole: Any, choices: ReadingChoices | None = None) -> tuple[int, int]:
    picture = LabelMe().read(source(whole), choices or ReadingChoices())
    return picture.width, picture.height


@pytest.mark.parametrize("side", [0, -5, 1.5, "30", True, 1e300, float("nan"), 1 << 40])
def test_sizes_that_are_none(side: Any) -> None:
    with pytest.raises(AnnotationError, match="gives its image a size of"):
        read([], imageWidth=side)


def test_sizes_beyond_the_limit() -> None:
    with pytest.raises(MaskSizeError, match="--max-pixels"):
        read([], imageWidth=1 << 20, imageHeight=1 << 20)


def test_any_value_at_any_place_is_drawn_or_told() -> None:
    for changed in with_odd_values(document()):
        with suppress(MaskError):
            picture = LabelMe().read(source(changed), ReadingChoices())
            if picture.width * picture.height < 10_000:
                drawn(picture)


@settings(max_examples=150)
@given(st.data())
def test_any_byte_at_any_place_is_drawn_or_told(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(document()).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    with suppress(MaskError):
        picture = LabelMe().read(Source("a", "a", content=bytes(raw)), ReadingChoices())
        if picture.width * picture.height < 10_000:
            drawn(picture)
