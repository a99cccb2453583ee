"""`gpuseg stats`: what it prints, saves and ends with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gpuseg.cli import main
from gpuseg.palette import Palette
from gpuseg.palettes.writers import save_palette
from tests.making import PALETTE, indices, save_mask


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with dst/{0,1,2}.png, label maps without class 5, and classes.csv; entered."""
    (tmp_path / "dst").mkdir()
    for i in range(3):
        image = Image.frombytes("P", (20, 12), indices(12, 20, i, classes=5).tobytes())
        image.putpalette(PALETTE.plte())
        image.save(tmp_path / "dst" / f"{i}.png")
    save_palette(PALETTE, tmp_path / "classes.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpuseg(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["stats", *arguments])


def test_a_table_for_people(project: Path) -> None:
    result = gpuseg("dst", "--palette", "classes.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 read")
    assert "sizes: 20 x 12 (3)" in result.stdout
    assert "formats: PNG, 8-bit (3)" in result.stdout
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    [row] = [line for line in lines if line.split()[:2] == ["0", "background"]]
    every = np.stack([np.array(Image.open(f"dst/{i}.png")) for i in range(3)])
    count = int((every == 0).sum())
    assert row.split()[2:6] == [f"{count:,}", f"{100 * count / every.size:.3f}", "%", "3"]
    assert "never seen, so of weight 0: e" in result.stdout


def test_rare_classes_are_named(project: Path) -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[0, 0] = 3
    Image.fromarray(labels).save(project / "one.png")
    result = gpuseg("one.png", "--palette", "classes.csv")
    assert "share of the pixels: c (0.01 %)" in result.stdout


def test_json_is_one_object_with_the_summary(project: Path) -> None:
    save_mask(project / "dst" / "mask.png")
    result = gpuseg("dst", "--palette", "classes.csv", "--json")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert facts["type"] == "summary"
    assert (facts["files"]["read"], facts["files"]["failed"], facts["label_maps"]) == (3, 1, 3)
    assert facts["pixels"] == facts["counted_pixels"] == 3 * 240
    assert facts["missing"] == [5]
    assert "gpuseg convert" in result.stderr


def test_remarks_are_told_on_stderr(project: Path) -> None:
    Image.fromarray(np.full((3, 3), 99, np.uint8)).save(project / "dst" / "odd.png")
    result = gpuseg("dst", "--palette", "classes.csv")
    assert result.exit_code == 0
    assert "99 (9 px in 1)" in result.stderr
    assert "not in the palette" in result.stdout
    quiet = gpuseg("dst", "--palette", "classes.csv", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_names_are_somebody_elses(project: Path) -> None:
    names = ["\x1b[31mred", "line\nbreak", "x" * 100, "d", "e", "f"]
    palette = Palette.from_colours([c.rgb for c in PALETTE.classes], names)
    save_palette(palette, project / "odd.json")
    result = gpuseg("dst", "--palette", "odd.json")
    assert result.exit_code == 0, result.output
    assert "\\x1b[31mred" in result.stdout
    assert "line\\nbreak" in result.stdout
    assert "x" * 27 + "… " in result.stdout
    assert "\x1b[31m" not in result.stdout


def test_sizes_are_told_in_one_order(project: Path) -> None:
    """Whatever the order of files: most first, then the smallest."""
    for name, width in (("0", 9), ("1", 7), ("2", 8)):
        Image.fromarray(np.zeros((2, width), np.uint8)).save(project / "dst" / f"{name}.png")
    for arguments in (("dst",), ("dst", "--workers", "1")):
        assert "sizes: 7 x 2 (1), 8 x 2 (1), 9 x 2 (1)" in gpuseg(*arguments).stdout


def test_many_indices_are_cut_off_in_the_table_alone(project: Path) -> None:
    labels = np.arange(1000, dtype=np.uint16).reshape(20, 50)
    Image.fromarray(labels).save(project / "many.png")
    result = gpuseg("many.png")
    assert "… and 700 more" in result.stdout
    assert len(json.loads(gpuseg("many.png", "--json").stdout)["classes"]) == 1000


def test_csv_and_plots_are_saved(project: Path) -> None:
    pytest.importorskip("matplotlib")
    result = gpuseg("dst", "--palette", "classes.csv", "--csv", "t.csv", "--plots", "plots")
    assert result.exit_code == 0, result.output
    assert "saved: t.csv" in result.stdout
    assert len((project / "t.csv").read_text().splitlines()) == 7
    names = ["co-occurrence.svg", "images.svg", "pixels.svg"]
    assert sorted(path.name for path in (project / "plots").iterdir()) == names


def test_without_matplotlib_nothing_is_begun(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = gpuseg("dst", "--plots", "plots", "--report", "r.jsonl")
    assert result.exit_code == 2
    assert "pip install 'gpuseg[plots]'" in result.stderr
    assert not (project / "plots").exists()
    assert not (project / "r.jsonl").exists()


def test_wrong_usage(project: Path) -> None:
    for wrong in (["none"], ["dst", "--ignore-index", "-1"], ["dst", "--csv", "none/t.csv"]):
        assert gpuseg(*wrong).exit_code == 2, wrong


def test_an_empty_folder_is_not_well(project: Path) -> None:
    (project / "empty").mkdir()
    result = gpuseg("empty")
    assert result.exit_code == 1
    assert result.stdout.startswith("no images found")


def test_mmseg_prints_python_and_nothing_else(project: Path) -> None:
    result = gpuseg("dst", "--palette", "classes.csv", "--mmseg")
    assert result.exit_code == 0, result.output
    names: dict[str, Any] = {}
    exec(result.stdout, names)
    assert names["metainfo"]["classes"] == tuple(c.name for c in PALETTE.classes)
    assert names["train_dataset"]["data_prefix"]["seg_map_path"] == "dst"
    assert result.stderr.startswith("3 read")
    quiet = gpuseg("dst", "--palette", "classes.csv", "--mmseg", "--quiet")
    assert (quiet.stdout, quiet.stderr) == (result.stdout, "")
    facts = json.loads(gpuseg("dst", "--palette", "classes.csv", "--mmseg", "--json").stdout)
    assert facts["mmseg"] == result.stdout


def test_mmseg_tells_of_what_failed(project: Path) -> None:
    save_mask(project / "dst" / "mask.png")
    result = gpuseg("dst", "--palette", "classes.csv", "--mmseg", "--csv", "t.csv")
    assert result.exit_code == 1
    assert result.stdout.startswith("# by gpuseg")
    assert "saved: t.csv" in result.stderr
    assert "failed mask.png" in result.stderr


def test_mmseg_wants_a_palette_and_a_folder(project: Path) -> None:
    result = gpuseg("dst", "--mmseg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name it with --palette" in result.stderr
    result = gpuseg("dst/0.png", "--mmseg", "--palette", "classes.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "from a folder of this machine, got dst/0.png" in result.stderr
