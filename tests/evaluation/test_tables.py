"""Tables of an evaluation: a row a pair, whole or not at all, and the confusion matrix."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gpuseg.errors import OutputError
from gpuseg.evaluation.cells import cells_of
from gpuseg.evaluation.tables import image_table, matrix_csv
from gpuseg.palette import Palette
from gpuseg.results import FileResult
from tests.evaluations import evaluated, of_matrix, six
from tests.helpers import temps


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["source"]: row for row in csv.DictReader(file)}


def test_every_pair_has_a_row_and_so_has_what_is_none(tmp_path: Path) -> None:
    table = tmp_path / "images.csv"
    found = evaluated(six(tmp_path), images=table)
    told = rows(table)
    assert len(told) == found.report.done == 10
    assert {name: row["status"] for name, row in told.items() if row["status"] != "read"} == {
        "broken.png": "failed",
        "extra.png": "extra",
        "lonely.png": "missing",
        "size.png": "failed",
    }
    one = told["sub/1.png"]
    assert [one[name] for name in ("target", "width", "height")] == ["sub/1.png", "30", "24"]
    assert [int(one[name]) for name in ("pixels", "ignored", "correct")] == [600, 120, 480]
    assert float(one["accuracy"]) == 0.8
    assert {p.name: p.miou for p in found.worst} == {
        name: float(row["miou"]) for name, row in told.items() if row["miou"]
    }
    void = told["void.png"]
    assert (void["pixels"], void["ignored"], void["accuracy"], void["miou"]) == ("0", "30", "", "")
    assert told["size.png"]["error"] == "label"
    assert "9 x 9" in told["size.png"]["message"]
    assert told["broken.png"]["pixels"] == ""


def test_boundaries_are_told_where_they_were_scored(tmp_path: Path) -> None:
    found = evaluated(six(tmp_path), images=tmp_path / "i.csv", boundary=1.0)
    assert found.boundaries is not None
    scores = [row["boundary"] for row in rows(tmp_path / "i.csv").values()]
    told = [float(score) for score in scores if score]
    assert len(told) == found.boundaries.images
    assert sum(told) / len(told) == pytest.approx(found.boundaries.score)
    evaluated(tmp_path, images=tmp_path / "i.csv")
    assert {row["boundary"] for row in rows(tmp_path / "i.csv").values()} == {""}


def test_a_table_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    with image_table(path) as add:
        add(FileResult(source="a.png", status="missing"))
    before = path.read_bytes()

    def interrupted() -> None:
        with image_table(path) as add:
            add(FileResult(source="b.png", status="missing"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert temps(tmp_path) == []


def test_only_an_earlier_table_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_text("mine")
    with pytest.raises(OutputError, match="did not write"), image_table(path):
        pass
    assert path.read_text() == "mine"
    with pytest.raises(OutputError, match="is no folder"), image_table(tmp_path / "none/i.csv"):
        pass


def test_names_are_whatever_files_are_called(tmp_path: Path) -> None:
    names = ['a,"b".png', "line\nbreak.png", "bad\udcff.png", "道.png"]
    with image_table(tmp_path / "i.csv") as add:
        for name in names:
            add(FileResult(source=name, status="missing"))
    assert list(rows(tmp_path / "i.csv")) == [*names[:2], "bad\\udcff.png", names[3]]


def test_memory_does_not_grow_with_the_number_of_pairs(tmp_path: Path) -> None:
    cells = cells_of(np.array([0, 1, 1 << 16], np.uint32), np.array([5, 6, 7]), 255, None)

    def peak(pairs: int) -> int:
        tracemalloc.start()
        with image_table(tmp_path / "i.csv") as add:
            for i in range(pairs):
                add(FileResult(source=f"{i:09}.png", status="read", details=cells))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(4000) < peak(100) + 50_000


def test_a_matrix_is_read_back(tmp_path: Path) -> None:
    names = ["a", "a", "ignored", 'x,"\n']
    palette = Palette.from_colours([(k, k, k) for k in range(4)], names, name="four")
    cells = {(0, 0): 3, (0, 1): 4, (1, 255): 2, (2, 9): 5, (3, 3): 1, (255, 0): 9}
    found = of_matrix(tmp_path, cells, palette=palette)
    head, *body = csv.reader(io.StringIO(matrix_csv(found)))
    assert head == [
        "truth/predicted",
        "a (0)",
        "a (1)",
        "ignored (2)",
        'x,"\n',
        "ignored",
        "outside",
    ]
    assert [row[0] for row in body] == head[1:5]
    matrix = np.array([row[1:] for row in body], np.int64)
    assert np.array_equal(matrix, found.scores.confusion)
    assert matrix[1, 4] == 2
    assert matrix[2, 5] == 5
