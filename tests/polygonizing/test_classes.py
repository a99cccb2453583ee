"""Which indices have annotations, and what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.errors import LabelError, UsageError
from gpuseg.palette import Palette, PaletteClass
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions
from tests.making import PALETTE

SKY = Palette.from_colours([(1, 2, 3), (4, 5, 6)], ["sky", "tree"], name="two", ignore_index=9)


def of(palette: Palette | None, **options: object) -> Classes:
    return Classes.of(palette, PolygonizeOptions(**options))


def counts(*indices: int) -> np.ndarray:
    return np.bincount(indices, minlength=256).astype(np.int64)


def test_the_background_of_a_palette_has_none() -> None:
    found = of(PALETTE)
    assert found.names == {1: "a", 2: "b", 3: "c", 4: "d", 5: "e"}
    assert found.silent == {0, 255}
    assert found.table[[0, 1, 5, 6, 255]].tolist() == [0, 1, 5, 0, 0]
    assert found.indices.tolist() == [1, 2, 3, 4, 5]
    assert found.categories([])[0] == {"id": 1, "name": "a", "supercategory": ""}


@pytest.mark.parametrize(
    ("background", "silent"), [("none", {255}), ("c", {3, 255}), (4, {4, 255}), ("255", {255})]
)
def test_another_background(background: str | int, silent: set[int]) -> None:
    assert of(PALETTE, background=background).silent == silent


def test_a_palette_without_background() -> None:
    found = of(SKY)
    assert (found.silent, list(found.names)) == ({9}, [0, 1])
    assert of(SKY, ignore_index=1).silent == {1}


def test_a_class_that_is_called_none() -> None:
    palette = Palette.from_colours([(1, 2, 3), (4, 5, 6)], ["none", "background"])
    assert of(palette, background="none").silent == {0, 255}


def test_an_index_that_nobody_ignores_is_a_class() -> None:
    colours = [(i, 0, 0) for i in range(256)]
    found = of(Palette.from_colours(colours, [f"c{i}" for i in range(256)]))
    assert (found.silent, len(found.indices)) == (frozenset(), 256)


def test_the_ignore_index_of_large_indices() -> None:
    palette = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(300, "b", (1, 1, 1))))
    assert of(palette).silent == {65535}


def test_without_a_palette_what_occurs_is_a_category() -> None:
    found = of(None)
    assert (found.silent, len(found.indices)) == ({255}, 65535)
    assert found.table[[0, 254, 255, 256, 65535]].tolist() == [1, 255, 0, 256, 65535]
    assert [c["name"] for c in found.categories({7, 300})] == ["7", "300"]
    assert of(None, background=0).silent == {0, 255}


def test_indices_that_the_palette_does_not_hold() -> None:
    of(PALETTE).check(counts(0, 1, 5, 255))
    with pytest.raises(LabelError, match=r"palette 'six' does not: 6 \(2 px\), 9 \(1 px\); name"):
        of(PALETTE).check(counts(6, 6, 9, 1))


@pytest.mark.parametrize("background", ["sky", 6, -1, "1.5"])
def test_a_background_that_is_none(background: str | int) -> None:
    with pytest.raises(UsageError, match="background must be a class of palette 'six'"):
        of(PALETTE, background=background)


def test_a_background_that_is_no_index() -> None:
    with pytest.raises(UsageError, match="background must be an index, or none, got '9999"):
        of(None, background="9" * 5000)
    with pytest.raises(UsageError, match="background must be an index, or none, got 'sky'"):
        of(None, background="sky")


@pytest.mark.parametrize(
    "options",
    [
        {"segmentation": "mask"},
        {"by": "image"},
        {"connectivity": 6},
        {"min_area": 0},
        {"min_area": True},
        {"ignore_index": 65536},
        {"image_suffix": "jpg"},
        {"image_suffix": "./a"},
    ],
)
def test_options_that_do_not_exist(options: dict[str, object]) -> None:
    [name] = options
    with pytest.raises(UsageError, match=f"{name} must be"):
        PolygonizeOptions(**options)
