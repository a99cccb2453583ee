"""`gpuseg report` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import Place, gpuseg
from tests.making import save_mask

pytest.importorskip("jinja2")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.good()
    assert place.convert().code == 0
    return place


def test_it_says_where_the_page_is_and_how_large(place: Place) -> None:
    found = gpuseg("report", str(place.dst), "--workers", "1")
    page = place.dst / "gpuseg-report.html"
    size = page.stat().st_size
    assert (found.code, found.err) == (0, "")
    assert "3 read" in found.out
    assert f"page: {page} ({size / 1e6:.1f} MB)" in found.out
    assert gpuseg("report", str(place.dst), "--quiet").out == ""


def test_json_is_one_object(place: Place, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = gpuseg("report", str(place.dst), "--out", str(page), "--gallery", "2", "--json")
    told = json.loads(found.out)
    assert (told["page"], told["bytes"]) == (str(page), page.stat().st_size)
    assert (told["shown"], told["reports"], told["exit_code"]) == (2, 1, 0)
    assert told["files"]["read"] == 3
    assert "gpuseg report" in page.read_text("utf-8")


def test_a_file_that_is_no_label_map_is_exit_code_1(place: Place) -> None:
    save_mask(place.dst / "colours.png")
    found = gpuseg("report", str(place.dst))
    assert found.code == 1
    assert "colours.png" in found.err
    assert (place.dst / "gpuseg-report.html").exists()


def test_nothing_found_is_exit_code_1(tmp_path: Path) -> None:
    assert gpuseg("report", str(tmp_path)).code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "no.jsonl"], "cannot be read"),
        (["--src", "no"], "must be a folder"),
        (["--over", "no"], "must be a folder"),
        (["--gallery", "900"], "gallery must be 0 to 500"),
        (["--palette", "no-such-palette"], "palette"),
        (["--out", "{palette}"], "did not write here before"),
    ],
)
def test_wrong_usage_is_exit_code_2(place: Place, arguments: list[str], message: str) -> None:
    arguments = [word.format(palette=place.palette) for word in arguments]
    found = gpuseg("report", str(place.dst), *arguments)
    assert found.code == 2
    assert message in found.err
    assert not (place.dst / "gpuseg-report.html").exists()


def test_overwrite_replaces_what_is_no_page(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text("mine")
    arguments = ["report", str(place.dst), "--out", str(other)]
    assert gpuseg(*arguments).code == 2
    assert gpuseg(*arguments, "--overwrite").code == 0
    assert gpuseg(*arguments).code == 0
