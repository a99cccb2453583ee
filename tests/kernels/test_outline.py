"""Void borders by the kernel are those of the specification, of any width and type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gpuseg.kernels.outline import draw_outline
from gpuseg.kernels.reference_outline import void_outline

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=13)


def check(instances: np.ndarray, width: int, kind: str = "u1") -> None:
    made = np.full(instances.shape, 7, kind)
    draw_outline(instances, width, made, np.iinfo(kind).max)
    wanted = np.where(void_outline(instances, width), np.iinfo(kind).max, 7)
    np.testing.assert_array_equal(made, wanted)


@pytest.mark.parametrize(("kind", "void"), [("u1", "u1"), ("u2", "u2"), ("u4", "u1")])
def test_agrees_with_the_specification(kind: str, void: str) -> None:
    @given(arrays.arrays(kind, SHAPES, elements=st.integers(0, 2)), st.integers(1, 5))
    def agrees(instances: np.ndarray, width: int) -> None:
        check(instances, width, void)

    agrees()


@given(SHAPES, st.data(), st.integers(1, 20))
def test_one_odd_pixel_makes_a_square(shape: tuple[int, int], data: st.DataObject, n: int) -> None:
    y, x = (data.draw(st.integers(0, side - 1)) for side in shape)
    instances = np.zeros(shape, np.uint8)
    instances[y, x] = 1
    made = np.zeros(shape, np.uint8)
    draw_outline(instances, n, made, 255)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    near = (abs(rows - y) <= n) & (abs(columns - x) <= n)
    assert np.array_equal(made == 255, near & (instances.size > 1))
    check(instances, n)


def test_a_border_of_n_is_n_pixels_on_either_side_and_none_at_the_edge_of_the_image() -> None:
    instances = np.repeat(np.uint8([[0, 1]]), 10, axis=1).repeat(4, axis=0)
    made = np.zeros((4, 20), np.uint8)
    draw_outline(instances, 3, made, 255)
    assert (np.flatnonzero(made[2]) == range(7, 13)).all()
    assert (made == made[0]).all()


def test_empty_images() -> None:
    for shape in ((0, 5), (5, 0)):
        draw_outline(np.zeros(shape, np.uint8), 2, np.zeros(shape, np.uint8), 255)
