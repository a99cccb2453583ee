"""Instance maps and void borders, from the shape of each pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuseg.annotations.labelme import LabelMe
from gpuseg.errors import AnnotationError
from gpuseg.kernels.reference_outline import void_outline
from gpuseg.rasterizing.instances import instance_map
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.shapes import Picture, Shape
from tests.making import PALETTE, indices

SHAPES = (
    Shape("a", (), 1),
    Shape("a", (), 2),
    Shape("b", (), 3, instance=7),
    Shape("__ignore__", (), 4),
    Shape("b", (), 5, instance=7),
    Shape("c", (), 6, instance=7),
    Shape("_background_", (), 7),
    Shape("a", (), 8),
)
CLASSES = [1, 1, 2, 255, 2, 3, 0, 1]
NUMBERS = np.arange(9, dtype=np.uint8).reshape(3, 3)


def made(numbers: np.ndarray = NUMBERS, shapes: Any = SHAPES, **options: Any) -> np.ndarray:
    settings = RasterizeOptions(**options)
    labels = Labels.of(PALETTE, LabelMe(), settings)
    picture = Picture(3, 3, shapes, "pillow")
    found = [labels.indices[shape.label] for shape in shapes]
    return instance_map(picture, found, numbers, labels, settings)


def test_instances_are_numbered_as_they_come() -> None:
    """Groups are one, of each label for itself; a number goes to what is ignored, too."""
    found = made(instances="palette")
    assert found.dtype == np.uint8
    assert found.ravel().tolist() == [0, 1, 2, 3, 255, 3, 5, 0, 7]
    deep = made(instances="16")
    assert deep.dtype == np.uint16
    assert deep.ravel().tolist() == [0, 1, 2, 3, 65535, 3, 5, 0, 7]


def test_classes_by_way_of_instances() -> None:
    assert made().ravel().tolist() == [0, *CLASSES]
    assert made(depth=16, ignore_index=65535).dtype == np.uint16


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
@pytest.mark.parametrize("options", [{}, {"instances": "palette"}, {"instances": "16"}])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_borders_lie_around_instances(kind: str, options: Any, width: int) -> None:
    numbers = indices(40, 50, seed=width, classes=9).astype(kind)
    plain, bordered = made(numbers, **options), made(numbers, border=width, **options)
    whose = made(numbers, instances="16").astype(np.int32)
    void = 65535 if options.get("instances") == "16" else 255
    outline = void_outline(whose, width)
    assert outline.any()
    assert np.array_equal(bordered, np.where(outline, void, plain))


def test_two_of_one_class_have_a_border_between_and_one_instance_has_none() -> None:
    for pair, void in (((1, 2), True), ((3, 5), False), ((0, 7), False), ((4, 4), False)):
        numbers = np.repeat(np.array([pair], np.uint8), 4, axis=1)
        assert (made(numbers, border=1)[0, 3:5] == 255).all() == (void or pair == (4, 4))


@pytest.mark.parametrize(("kind", "most"), [("palette", 254), ("16", 65534)])
def test_more_instances_than_a_map_can_tell_apart(kind: str, most: int) -> None:
    shapes = tuple(Shape("a", (), i) for i in range(1, most + 2))
    assert made(np.array([[most]], np.uint16), shapes[:most], instances=kind).item() == most
    with pytest.raises(AnnotationError, match=f"has {most + 1} instances.*hold {most}; "):
        made(np.array([[0]], np.uint16), shapes, instances=kind)
