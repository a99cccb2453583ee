"""What `evaluate` leaves behind: written whole, in no other file's place, refused beforehand."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.errors import OutputError, UsageError
from gpuseg.evaluation.result import Evaluation
from gpuseg.verbs.evaluation_outputs import (
    Outputs,
    save_csv,
    save_matrix,
    save_page,
    save_plots,
)
from tests.evaluations import evaluated, six

NAMES = ("table", "matrix", "images", "page")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluated(six(tmp_path_factory.mktemp("six")))


def test_tables_are_read_back(found: Evaluation, tmp_path: Path) -> None:
    save_csv(found, tmp_path / "c.csv")
    save_matrix(found, tmp_path / "m.csv")
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [c.name for c in found.classes]
    assert [float(row["iou"]) for row in rows] == [c.iou for c in found.classes]
    with (tmp_path / "m.csv").open(newline="") as file:
        matrix = [row[1:] for row in list(csv.reader(file))[1:]]
    assert np.array_equal(np.array(matrix, np.int64), found.scores.confusion)


def test_plots_are_svg_and_png(found: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    paths = save_plots(found, tmp_path)
    assert [Path(path).name for path in paths] == ["confusion.png", "confusion.svg", "iou.svg"]
    with Image.open(paths[0]) as image:
        assert image.format == "PNG"
    for path in paths[1:]:
        assert Path(path).read_text("utf-8").startswith("<svg ")


def test_what_was_written_here_before_is_replaced(found: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    for _ in range(2):
        save_csv(found, tmp_path / "c.csv")
        save_matrix(found, tmp_path / "m.csv")
        assert save_page(found, tmp_path / "p.html") == tmp_path / "p.html"


@pytest.mark.parametrize("save", [save_csv, save_matrix, save_page])
def test_no_other_file_is_replaced(found: Evaluation, tmp_path: Path, save: object) -> None:
    pytest.importorskip("jinja2")
    mine = tmp_path / "mine"
    mine.write_text("index,name,r,g,b\n")
    with pytest.raises(OutputError, match="did not write here before"):
        save(found, mine)
    assert mine.read_text() == "index,name,r,g,b\n"


def test_a_page_replaces_any_file_if_told_to(found: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "mine.html"
    page.write_text("mine")
    save_page(found, page, overwrite=True)
    assert "gpuseg evaluation" in page.read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_what_could_not_be_written_is_refused_before(tmp_path: Path, name: str) -> None:
    pytest.importorskip("jinja2")
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for place, why in ((mine, "did not write"), (tmp_path / "no/where", "is no folder")):
        with pytest.raises(OutputError, match=why):
            Outputs(**{name: place}).check()
    with pytest.raises(OutputError, match="on this machine"):
        Outputs(**{name: "s3://bucket/x"}).check()
    Outputs(**{name: tmp_path / "new"}).check()
    assert not (tmp_path / "new").exists()


def test_two_outputs_have_two_places(tmp_path: Path) -> None:
    for other in (*NAMES[1:3], "report"):
        with pytest.raises(UsageError, match="two outputs"):
            Outputs(**{"table": tmp_path / "a/../x.csv", other: tmp_path / "x.csv"}).check()
    six(tmp_path)
    with pytest.raises(UsageError, match="two outputs"):
        evaluated(tmp_path, report=tmp_path / "x", images=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_photographs_belong_to_a_page(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    with pytest.raises(UsageError, match="for a page"):
        Outputs(over=tmp_path).check()
    with pytest.raises(UsageError, match="must be a folder"):
        Outputs(over=tmp_path / "none", page=tmp_path / "p.html").check()


def test_without_matplotlib_or_jinja2_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r"gpuseg\[report\]"):
        Outputs(page=tmp_path / "p.html").check()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"gpuseg\[plots\]"):
        Outputs(plots=tmp_path / "plots").check()
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_wanted_is_saved_and_told(found: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    outputs = Outputs(
        table=tmp_path / "c.csv",
        matrix=tmp_path / "m.csv",
        plots=tmp_path / "plots",
        page=tmp_path / "p.html",
    )
    outputs.check()
    saved = outputs.save(found)
    names = ["c.csv", "m.csv", "confusion.png", "confusion.svg", "iou.svg", "p.html"]
    assert [Path(path).name for path in saved] == names
    assert all(Path(path).stat().st_size for path in saved)
    assert Outputs().save(found) == ()
