"""Labels to classes, by their names in the palette."""

from __future__ import annotations

from typing import Any

import pytest

from gpuseg.annotations.labelme import LabelMe
from gpuseg.errors import UsageError
from gpuseg.palette import Palette
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from tests.making import PALETTE

COLOURS = [(0, 0, 0), (1, 2, 3), (4, 5, 6)]


def labels(names: list[str] | None = None, **options: Any) -> Labels:
    palette = PALETTE if names is None else Palette.from_colours(COLOURS[: len(names)], names)
    return Labels.of(palette, LabelMe(), RasterizeOptions(**options))


def test_names() -> None:
    found = labels()
    assert (found.indices["background"], found.indices["e"]) == (0, 5)
    assert (found.ignored, found.background, found.top) == (255, 0, 255)
    assert "A" not in found.indices


def test_what_labelme_calls_background_and_ignored() -> None:
    assert labels().indices["_background_"] == 0
    assert labels().indices["__ignore__"] == 255
    found = labels(["x", "__ignore__", "_background_"])
    assert (found.indices["__ignore__"], found.indices["_background_"]) == (1, 2)
    assert found.background == 2


@pytest.mark.parametrize(
    ("names", "wanted", "index"),
    [
        (["x", "unlabeled"], None, 1),
        (["unlabeled", "background"], None, 1),
        (["x", "y"], None, 255),
        (["x", "y"], "y", 1),
        (["x", "y"], 1, 1),
        (["x", "y"], "1", 1),
        (["x", "1"], "1", 1),
        (["1", "x"], "1", 0),  # a name comes before a number
        (["x", "y"], 255, 255),
        (["x", "y"], "255", 255),
        (["x", "y"], "ignore", 255),
        (["x", "y"], "Ignore", 255),
    ],
)
def test_background(names: list[str], wanted: str | int | None, index: int) -> None:
    assert labels(names, background=wanted).background == index


@pytest.mark.parametrize("wanted", ["z", 7, -1, "", "1.0", "skip", True, "1" * 5000])
def test_no_background(wanted: str | int) -> None:
    with pytest.raises(UsageError, match="background must be a class of palette"):
        labels(["x", "y"], background=wanted)


def test_a_background_that_means_two_things() -> None:
    with pytest.raises(
        UsageError, match=r"'ignore' is a class of .* means ignore here; write .* 1"
    ):
        labels(["x", "ignore"], background="ignore")
    assert labels(["x", "ignore"], background=1).background == 1


def test_a_background_of_another_case_is_told() -> None:
    with pytest.raises(UsageError, match=r"or 'ignore', got 'Road' .'road' is one.$"):
        labels(["x", "road"], background="Road")


def test_other_ignore_indices() -> None:
    assert labels(ignore_index=77).indices["__ignore__"] == 77
    assert labels(depth=16).ignored == 65535
    assert labels(["x", "y"], ignore_index=0).background == 0


def test_unknown_labels_are_named_with_what_was_meant() -> None:
    found = labels(["person", "traffic light", "car"])
    text = found.unknown(["Person", "cat", "traffic-light", "Person"])
    assert "'Person' ('person' is one), 'cat' ('car' is one)" in text
    assert "'traffic-light' ('traffic light' is one); " in text
    many = found.unknown([f"{i}" for i in range(9)])
    assert "'4' and 4 more;" in many
    assert len(found.unknown(["x" * 10**6])) < 400
