"""An evaluation as a value: what programs and tables get of it."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from gpuseg import Palette, PaletteClass, evaluate
from gpuseg.evaluation.result import CSV_HEAD, Evaluation
from tests.evaluation.making import confusion, made_pairs, save_pairs
from tests.making import PALETTE


@pytest.fixture
def found(tmp_path: Path) -> Evaluation:
    save_pairs(tmp_path, made_pairs())
    return evaluate(tmp_path / "pred", tmp_path / "truth", palette=PALETTE)


def test_classes_are_those_of_the_palette(found: Evaluation) -> None:
    matrix = confusion([*made_pairs().values()], range(6))
    assert np.array_equal(found.scores.confusion, matrix)
    assert found.scores.confusion.dtype == np.int64
    assert [(c.index, c.name, c.colour) for c in found.classes] == [
        (c.index, c.name, c.hex) for c in PALETTE.classes
    ]
    assert [c.rgb for c in found.classes] == [c.rgb for c in PALETTE.classes]
    assert [c.truth for c in found.classes] == matrix.sum(axis=1).tolist()
    assert [c.predicted for c in found.classes] == matrix.sum(axis=0)[:6].tolist()
    assert [c.hits for c in found.classes] == np.diagonal(matrix).tolist()
    for k, entry in enumerate(found.classes):
        for name in ("iou", "dice", "accuracy", "precision"):
            value, want = getattr(entry, name), getattr(found.scores, name)[k]
            assert value == want or (math.isnan(value) and math.isnan(want))
    assert found.miou == found.scores.miou
    assert (found.palette, found.ignore_index, found.pairs, found.uncounted) == ("six", 255, 6, 0)


def test_json_has_no_nan(found: Evaluation) -> None:
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["confusion"] == found.scores.confusion.tolist()
    assert told["miou"] == found.miou
    assert told["counted_pixels"] == found.scores.pixels
    assert told["ignored_pixels"] == sum((t == 255).sum() for t, _ in made_pairs().values())
    assert [entry["name"] for entry in told["classes"]] == ["background", *"abcde"]
    assert told["classes"][5]["iou"] is None
    assert told["classes"][0]["iou"] == found.classes[0].iou
    worst = [entry["miou"] for entry in told["worst"]]
    assert worst == sorted(worst)
    assert {entry["source"] for entry in told["worst"]} == set(made_pairs())


def test_a_table(found: Evaluation) -> None:
    rows = list(csv.DictReader(io.StringIO(found.as_csv())))
    assert found.as_csv().splitlines()[0] == CSV_HEAD
    assert [row["name"] for row in rows] == ["background", *"abcde"]
    assert [float(row["iou"]) for row in rows[:5]] == [c.iou for c in found.classes[:5]]
    assert rows[5] == {**rows[5], "iou": "", "dice": "", "accuracy": "", "precision": ""}
    assert (rows[5]["truth"], rows[5]["hits"]) == ("0", "0")


def test_names_that_tables_must_quote(tmp_path: Path) -> None:
    names = ['a "b", c', "d\ne", "=1+2", "é"]
    palette = Palette(tuple(PaletteClass(i, n, (i, 0, 0)) for i, n in enumerate(names)))
    save_pairs(tmp_path, {"a.png": (np.array([[0, 1, 2, 3]]), np.array([[0, 1, 2, 3]]))})
    found = evaluate(tmp_path / "pred", tmp_path / "truth", palette=palette)
    rows = csv.DictReader(io.StringIO(found.as_csv(), newline=""))
    assert [row["name"] for row in rows] == names


def test_without_a_palette_classes_have_numbers(tmp_path: Path) -> None:
    save_pairs(tmp_path, {"a.png": (np.array([[7, 255, 3]]), np.array([[7, 9, 255]]))})
    found = evaluate(tmp_path / "pred", tmp_path / "truth")
    assert [(c.index, c.name, c.colour, c.rgb) for c in found.classes] == [
        (3, "3", "", None), (7, "7", "", None), (9, "9", "", None)
    ]  # fmt: skip
    assert found.palette == ""
    assert found.scores.confusion.tolist() == [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert math.isnan(found.classes[2].iou)  # predicted only where nothing counts
    assert found.outside == {}


def test_nothing_was_read(tmp_path: Path) -> None:
    for side in ("pred", "truth"):
        (tmp_path / side).mkdir()
    for palette in (PALETTE, None):
        found = evaluate(tmp_path / "pred", tmp_path / "truth", palette=palette)
        assert (found.report.exit_code, found.pairs) == (1, 0)
        told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert (told["miou"], told["pixel_accuracy"], told["worst"]) == (None, None, [])
        assert len(found.as_csv().splitlines()) == 1 + len(found.classes)
        assert [each[:29] for each in found.remarks] == ["neither PRED nor TRUTH holds "]


def test_two_colours_of_one_class_are_one_class(tmp_path: Path) -> None:
    classes = (*PALETTE.classes, PaletteClass(2, "b2", (9, 9, 9)))
    save_pairs(tmp_path, made_pairs())
    found = evaluate(tmp_path / "pred", tmp_path / "truth", palette=Palette(classes))
    assert [c.name for c in found.classes] == ["background", *"abcde"]
