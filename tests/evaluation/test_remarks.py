"""What is odd is said, and what is usual is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import Palette, evaluate
from tests.dumps import save_label_map
from tests.evaluation.making import save_pairs
from tests.making import COLOURS, PALETTE

THREE = Palette.from_colours(COLOURS[:3], ["background", "a", "b"], name="three")
ALL = np.array([[0, 1, 2, 3, 4, 5]])


def remarks(folder: Path, truth: Any, prediction: Any, palette: Palette | None = PALETTE) -> str:
    save_pairs(folder, {"a.png": (np.array(truth), np.array(prediction))}, None)
    return "\n".join(evaluate(folder / "pred", folder / "truth", palette=palette).remarks)


def test_nothing_is_odd(tmp_path: Path) -> None:
    assert remarks(tmp_path, ALL, ALL[:, ::-1]) == ""


def test_no_palette(tmp_path: Path) -> None:
    [told] = remarks(tmp_path, ALL, ALL, None).splitlines()
    assert told.startswith("no palette is known")
    assert "--palette" in told


def test_an_ignore_index_that_may_be_a_class(tmp_path: Path) -> None:
    deep = np.array([[0, 1, 255, 300]])
    assert "and 255 was taken for the ignore index" in remarks(tmp_path, deep, deep, None)
    assert "taken for" not in remarks(tmp_path, np.minimum(deep, 255), deep % 255, None)


@pytest.mark.parametrize("of_object", [1, 255])
def test_masks_of_one_object(tmp_path: Path, of_object: int) -> None:
    """0 and 255 in the truth are 0 and 1 to many a network: no pixel of the object counts."""
    truth, prediction = [[0, 0, 255, 255]], [[0, 0, of_object, 0]]
    told = remarks(tmp_path, truth, prediction, None)
    assert "\ntruths hold nothing but 0 and 255, and 255 was taken for the ignore index; if" in told
    save_pairs(tmp_path, {"b.png": (np.array([[7]]), np.array([[7]]))}, None)
    assert "nothing but" not in remarks(tmp_path, truth, prediction, None)


def test_predicted_as_the_ignore_index(tmp_path: Path) -> None:
    told = remarks(tmp_path, [[0, 1, 2, 3, 4, 5, 5, 5]], [[0, 1, 2, 3, 4, 5, 5, 255]])
    assert told.startswith(
        "12.50 % of the pixels that count were predicted as the ignore index 255"
    )


def test_predicted_outside_the_palette(tmp_path: Path) -> None:
    told = remarks(tmp_path, [[*range(6), *[0] * 10]], [[*range(6), *range(80, 90)]])
    assert "that palette 'six' does not: 80 (1 px), 81 (1 px)" in told
    assert "87 (1 px) and 2 more: each pixel is wrong" in told
    assert "--pred-map" in told


def test_outside_where_nothing_counts_is_nobodys_business(tmp_path: Path) -> None:
    assert remarks(tmp_path, [[*range(6), 255]], [[*range(6), 99]]) == ""


def test_pairs_without_a_pixel_that_counts(tmp_path: Path) -> None:
    told = remarks(tmp_path, [[255, 255]], [[0, 1]])
    assert "1 pair without a pixel that counts: their truth is the ignore index all over" in told


def test_classes_that_are_nowhere(tmp_path: Path) -> None:
    told = remarks(tmp_path, [[0, 1, 2]], [[0, 1, 5]])
    assert told.startswith("2 of the 6 classes are neither in the truth nor in a prediction")


def test_label_maps_of_other_colours_are_told(tmp_path: Path) -> None:
    """Palette images of which the colours are meant, as some data sets have them."""
    swapped = Palette.from_colours([COLOURS[1], COLOURS[0], *COLOURS[2:]], name="swapped")
    for name in ("a.png", "b.png"):
        save_label_map(tmp_path / "truth" / name, np.array([[0, 1, 2]], np.uint8), swapped)
        save_label_map(tmp_path / "pred" / name, np.array([[0, 1, 2]], np.uint8), PALETTE)
    [told] = _evaluated(tmp_path, palette=THREE)
    assert told.startswith(
        "label maps of the truth have other colours than palette 'three' (0 'background' is "
        "#000000, #800000 in 2; 1 'a' is #800000, #000000 in 2): what counts here are their indices"
    )
    assert "gpuseg convert" in told
    assert not _evaluated(tmp_path, palette=THREE, truth_map={0: 0, 1: 1, 2: 2})


def test_colours_of_what_does_not_occur_tell_nothing(tmp_path: Path) -> None:
    other = Palette.from_colours([*COLOURS[:2], (1, 2, 3)], name="other")
    save_label_map(tmp_path / "truth/a.png", np.array([[0, 1, 2]], np.uint8), None)  # grey
    save_label_map(tmp_path / "pred/a.png", np.array([[0, 1, 1]], np.uint8), other)
    assert not _evaluated(tmp_path, palette=THREE)
    assert not _evaluated(tmp_path, palette=other)
    save_label_map(tmp_path / "pred/a.png", np.array([[0, 1, 2]], np.uint8), other)
    [told] = _evaluated(tmp_path, palette=THREE)
    assert told.startswith("label maps of the predictions have other colours than palette 'three'")
    assert "(2 'b' is #008000, #010203 in 1)" in told
    assert not _evaluated(tmp_path, palette=THREE, ignore_index=2)


def test_a_class_that_is_none_by_its_name(tmp_path: Path) -> None:
    named = Palette.from_colours(COLOURS[:3], ["sky", "Unlabelled", "road"], name="named")
    told = remarks(tmp_path, [[0, 1, 2]], [[0, 1, 2]], named)
    assert (
        "counted as a class, and by its name or palette none: 1 'Unlabelled'; --ignore-index 1 "
        in told
    )
    assert not _evaluated(tmp_path, palette=named, ignore_index=1)
    assert "none: " not in remarks(tmp_path, [[0, 2]], [[0, 2]], named)


def _evaluated(folder: Path, **options: Any) -> tuple[str, ...]:
    return evaluate(folder / "pred", folder / "truth", **options).remarks


def _no_pair(folder: Path, **options: Any) -> str:
    [told] = _evaluated(folder, **options)
    return told


def test_a_run_without_a_pair_says_why(tmp_path: Path) -> None:
    save_label_map(tmp_path / "truth/a_gt.png", ALL)
    (tmp_path / "pred").mkdir()
    assert _no_pair(tmp_path).startswith("nothing below PRED belongs to any of these")
    save_label_map(tmp_path / "pred/a_net.png", ALL)
    told = _no_pair(tmp_path)
    assert told.startswith("no truth has a prediction: a pair has the same path")
    assert "--pred-suffix and --truth-suffix" in told
    told = _no_pair(tmp_path, truth_suffix="_gt.png", pred_suffix="_net")
    assert told.startswith("nothing below TRUTH belongs to any of these")
    told = _no_pair(tmp_path, truth_suffix="_gt.png", pred_suffix="_net.png")
    assert told.startswith("neither PRED nor TRUTH holds an image that --pattern")
    found = _evaluated(tmp_path, truth_suffix="_gt", pred_suffix="_net")
    assert [each[:21] for each in found] == ["no palette is known, "]


def test_a_run_that_was_stopped_does_not_know_whether_there_are_pairs(tmp_path: Path) -> None:
    for name in ("truth/a.png", "truth/b.png", "pred/a.png"):
        save_label_map(tmp_path / name, ALL)
    (tmp_path / "truth/a.png").rename(tmp_path / "truth/c.png")
    assert not _evaluated(tmp_path, fail_fast=True, workers=1)


def test_a_pair_that_failed_is_one(tmp_path: Path) -> None:
    save_label_map(tmp_path / "truth/a.png", ALL)
    save_label_map(tmp_path / "pred/a.png", ALL[:, 1:])
    save_label_map(tmp_path / "pred/b.png", ALL)
    assert not _evaluated(tmp_path)


def test_label_maps_as_jpeg_are_told(tmp_path: Path) -> None:
    flat = np.full((16, 16), 3, np.uint8)
    for name in ("a", "b"):
        save_label_map(tmp_path / f"truth/{name}.png", flat)
        save_label_map(tmp_path / f"pred/{name}.jpg", flat)
    told, _ = _evaluated(tmp_path)  # and that no palette is known
    assert told == (
        "2 pairs with a warning: prediction: JPEG is lossy: colours are not exact, above all at "
        "borders"
    )
