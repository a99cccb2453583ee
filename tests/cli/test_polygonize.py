"""`gpuseg polygonize`: what it prints, writes and ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gpuseg.cli import main
from gpuseg.palettes.writers import save_palette
from tests.dumps import save_label_map
from tests.making import PALETTE, save_mask
from tests.polygonizing.reading import NONE, drawn


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with dst/0.png and classes.csv; entered."""
    save_label_map(tmp_path / "dst" / "0.png", [[1, 0, 2], [0, 1, 255]], PALETTE)
    save_palette(PALETTE, tmp_path / "classes.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpuseg(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["polygonize", *arguments])


def test_for_people(project: Path) -> None:
    result = gpuseg("dst", "a.json", "--palette", "classes.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == [
        "palette: classes",
        "3 annotations of 1 image, 5 categories",
        "annotations: a.json",
    ]
    assert drawn(project / "a.json")["0.png"].tolist() == [[1, NONE, 2], [NONE, 1, NONE]]


def test_options(project: Path) -> None:
    save_label_map(project / "ids" / "0.png", [[1, 0, 1], [0, 2, 0]], PALETTE)
    result = gpuseg(
        *("dst", "a.json", "--palette=classes.csv", "--segmentation=rle", "--by=class"),
        *("--connectivity=8", "--instances=ids", "--min-area=2", "--background=none"),
        *("--ignore-index=2", "--image-suffix=.jpg", "--json"),
    )
    assert result.exit_code == 1, result.output  # 255 is in no palette
    told = json.loads(result.stdout)
    assert (told["path"], told["images"], told["files"]["failed"]) == (None, 0, 1)
    assert "255 (1 px)" in result.stderr
    save_label_map(project / "dst" / "0.png", [[1, 0, 2], [0, 1, 2]], PALETTE)
    result = gpuseg(
        *("dst", "a.json", "--palette=classes.csv", "--segmentation=rle", "--by=class"),
        *("--connectivity=8", "--instances=ids", "--min-area=2", "--background=none"),
        *("--ignore-index=2", "--image-suffix=.jpg", "--json"),
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["annotations"], told["small"], told["small_pixels"]) == (1, 2, 2)
    assert told["path"] == "a.json"
    assert drawn(project / "a.json")["0.jpg"].tolist() == [[NONE, 0, NONE], [0, NONE, NONE]]


def test_small_ones_are_a_note(project: Path) -> None:
    result = gpuseg("dst", "a.json", "--palette", "classes.csv", "--min-area", "2")
    assert result.exit_code == 0
    assert result.stderr == "note: 3 smaller annotations (3 px) left out by --min-area\n"


def test_nothing_is_written(project: Path) -> None:
    save_mask(project / "masks" / "0.png")
    result = gpuseg("masks", "a.json")
    assert result.exit_code == 1
    assert result.stderr.endswith("nothing was written\n")
    assert not (project / "a.json").exists()


def test_wrong_usage_is_2(project: Path) -> None:
    assert gpuseg("dst", "a.json", "--min-area", "0").exit_code == 2
    assert gpuseg("dst", "classes.csv").exit_code == 2
    assert gpuseg("nothing", "a.json").exit_code == 2
