"""Values of others: taken as they are, or a sentence of what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.fields import (
    FARTHEST,
    ShapeFaultError,
    flag_of,
    flat_points,
    label_of,
    number_of,
    paired_points,
    points_of,
    shapes_of,
    shown,
    side_of,
    size_of,
)
from gpuseg.errors import AnnotationError, MaskSizeError
from gpuseg.shapes import Shape

NEAR = st.one_of(st.integers(-FARTHEST, FARTHEST), st.floats(-FARTHEST, FARTHEST))


@given(st.lists(st.tuples(NEAR, NEAR).map(list), min_size=1))
def test_points_are_taken_as_they_are(points: list[list[float]]) -> None:
    wanted = np.array(points, np.float64).reshape(-1, 2)
    for found in (points_of(points), flat_points([v for point in points for v in point])):
        assert found.dtype == np.float64
        assert np.array_equal(found, wanted)


ODD = [
    (None, "needs a list of points, got None"),
    ({"x": 1}, "needs a list of points"),
    ([[1, 2], 7], "not two numbers: 7"),
    ([[1, 2], [1, 2, 3]], r"not two numbers: \[1, 2, 3\]"),
    ([[1, 2], []], r"not two numbers: \[\]"),
    (["ab"], "not two numbers: 'ab'"),
    ([{"x": 1, "y": 2}], "not two numbers"),
    ([[1, "2"]], "no number: '2'"),
    ([[1, None]], "no number: None"),
    ([[True, 2]], "no number: True"),
    ([[1, [2]]], r"no number: \[2\]"),
    ([[1, float("nan")]], "x=1 y=nan"),
    ([[float("inf"), 1]], "x=inf y=1"),
    ([[0, 0], [5, 1e300]], r"x=5 y=1e\+300"),
    ([[0, FARTHEST + 1]], "at most 16,777,216"),
    ([[0, 10**30]], "at most 16,777,216"),
    ([[0, 10**400]], "coordinate of more than 16,777,216"),
]


@pytest.mark.parametrize(("value", "told"), ODD)
def test_what_is_no_list_of_points(value: Any, told: str) -> None:
    with pytest.raises(ShapeFaultError, match=told):
        points_of(value)


def test_flat_lists() -> None:
    for value in (None, [1, 2, 3], [[1, 2]], ["1", "2"], [1, 1e30], [True, False]):
        with pytest.raises(ShapeFaultError):
            flat_points(value)
    with pytest.raises(ShapeFaultError, match="at least 3 points, got 2"):
        flat_points([1, 2, 3, 4], 3)
    with pytest.raises(ShapeFaultError, match="at least 1 points, got 0"):
        points_of([])


def test_numbers() -> None:
    assert number_of(3, "rx") == 3.0
    for value in (None, "3", True, [3]):
        with pytest.raises(ShapeFaultError, match="needs a number for rx"):
            number_of(value, "rx")
    for value in (float("nan"), float("-inf"), 1e300, 10**400, -FARTHEST - 1):
        with pytest.raises(ShapeFaultError, match=r"has rx .*at most"):
            number_of(value, "rx")


def test_labels() -> None:
    assert label_of("") == ""
    with pytest.raises(ShapeFaultError, match="needs a text for its label, got 3"):
        label_of(3)


@pytest.mark.parametrize("value", [0, -4, True, 1.5, "7", None, float("nan"), 1e300, 10**20, [1]])
def test_what_is_no_side(value: Any) -> None:
    assert side_of(value) == 0
    with pytest.raises(AnnotationError, match="gives its image a size of"):
        size_of(value, 5, ReadingChoices(), lambda: (1, 1))


def test_where_sizes_come_from() -> None:
    choices = ReadingChoices(size=(9, 8))
    assert size_of(4.0, 5, choices, lambda: (1, 1)) == (4, 5)
    assert size_of(None, None, choices, lambda: (1, 1)) == (9, 8)
    assert size_of(None, None, ReadingChoices(), lambda: (1, 2)) == (1, 2)


def test_sizes_beyond_the_limit_are_refused_before_shapes_are_read() -> None:
    with pytest.raises(MaskSizeError, match="--max-pixels 20"):
        size_of(4, 5, ReadingChoices(max_pixels=19), lambda: (1, 1))


def test_shapes_are_read_bad_or_left_out() -> None:
    def read(value: Any, number: int) -> Shape | str:
        if "tag" in value:
            return "tags"
        if value.get("bad"):
            raise ShapeFaultError("is bad")
        return Shape(value["label"], (), number)

    tag = {"tag": 1}
    values = [{"label": "a"}, tag, {"label": "b", "bad": 1}, {"bad": 1, "label": 3}, tag, "tag"]
    shapes, bad, left_out = shapes_of(values, read)
    assert [(shape.label, shape.number) for shape in shapes] == [("a", 1)]
    told = ["shape 3 ('b') is bad", "shape 4 is bad", "shape 6 is no object: 'tag'"]
    assert [str(each) for each in bad] == told
    assert left_out == {"tags": 2}


@given(st.integers(1, 500))
def test_long_and_nested_values_are_shown_shortly(depth: int) -> None:
    assert len(shown(json.loads("[" * depth + "]" * depth))) <= 40
    assert len(shown({"a" * depth: ["b" * depth] * depth})) <= 40


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, False), (0, False), (False, False), (1, True), (True, True), (1.0, True)],
)
def test_flags(value: object, found: bool) -> None:
    assert flag_of(value, "iscrowd") is found


@pytest.mark.parametrize("value", ["0", "false", "", [], {}, 2, -1, float("nan")])
def test_what_is_no_flag(value: object) -> None:
    with pytest.raises(ShapeFaultError, match="needs 0 or 1 for iscrowd, got "):
        flag_of(value, "iscrowd")


def test_x_and_y_apart() -> None:
    assert paired_points([1, 2.5], [3, 4]).tolist() == [[1, 3], [2.5, 4]]
    for xs, ys in (([1], [1, 2]), (None, [1]), ([1], "1")):
        with pytest.raises(ShapeFaultError, match="needs as many x as y"):
            paired_points(xs, ys)
    with pytest.raises(ShapeFaultError, match="needs at least 3 points, got 1"):
        paired_points([1], [2], 3)
