"""`gpuseg evaluate`: what it prints, saves and ends with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from gpuseg.evaluation.options import WORST
from gpuseg.options import Shard
from gpuseg.palette import Palette
from gpuseg.palettes.writers import save_palette
from gpuseg.verbs.evaluate import count_pairs
from tests.evaluations import evaluated, save, save_pair, six
from tests.helpers import gpuseg
from tests.making import PALETTE, indices, save_mask

ARGUMENTS = ("evaluate", "pred", "truth", "--palette", "classes.csv", "--workers", "1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `six` and classes.csv; entered."""
    six(tmp_path)
    save_palette(PALETTE, tmp_path / "classes.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two whole pairs, one of which is right, and classes.csv; entered."""
    for i in range(2):
        save_pair(tmp_path, f"{i}.png", indices(24, 30, i), indices(24, 30, 0))
    save_palette(PALETTE, tmp_path / "classes.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_for_people(project: Path) -> None:
    found = evaluated(project)
    ran = gpuseg(*ARGUMENTS)
    assert ran.code == 1
    assert ran.out.startswith("6 read, 1 missing, 1 extra, 2 failed")
    assert "palette: classes" in ran.out
    assert "pixels: 3,120, and 510 with the ignore index 255 in the truth" in ran.out
    [row] = [line for line in ran.out.splitlines() if line.split()[:2] == ["1", "a"]]
    a = found.classes[1]
    scores = [f"{100 * v:.2f}" for v in (a.iou, a.dice, a.accuracy, a.precision)]
    assert row.replace("%", "").split()[2:] == [*scores, f"{a.truth:,}", f"{a.predicted:,}"]
    assert f"mean IoU                {100 * found.miou:6.2f} %" in ran.out
    lines = ran.out.splitlines()
    worst = lines[lines.index("worst pairs, by the mean IoU of their classes:") + 1]
    assert worst.split()[-1] == found.worst[0].name
    assert "saved" not in ran.out


def test_what_is_wrong_goes_to_stderr(project: Path) -> None:
    err = gpuseg(*ARGUMENTS).err
    for line in ("failed broken.png", "failed size.png", "missing lonely.png", "extra extra.png"):
        assert line in err, line
    assert "note: 1 pair without a pixel that counts" in err
    quiet = gpuseg(*ARGUMENTS, "--quiet")
    assert quiet.out == ""
    assert "note:" not in quiet.err
    assert "missing lonely.png" in quiet.err


def test_all_well_is_exit_code_0(good: Path) -> None:
    ran = gpuseg(*ARGUMENTS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 read")
    assert "1.png" in ran.out
    assert "0.png" not in ran.out  # it is right


@pytest.mark.parametrize("side", ["pred", "truth"])
def test_a_file_without_a_partner_is_exit_code_1(good: Path, side: str) -> None:
    save(good / side / "alone.png", indices(3, 3))
    ran = gpuseg(*ARGUMENTS)
    assert ran.code == 1
    assert "alone.png" in ran.err


def test_json_is_one_object_with_the_summary(project: Path) -> None:
    ran = gpuseg(*ARGUMENTS, "--json", "--matrix", "m.csv")
    told = json.loads(ran.out)
    assert ran.code == told["exit_code"] == 1
    assert told["type"] == "summary"
    assert (told["files"]["read"], told["files"]["missing"], told["pairs"]) == (6, 1, 6)
    found = evaluated(project)
    assert told["miou"] == found.miou
    assert told["confusion"] == found.scores.confusion.tolist()
    assert told["saved"] == ["m.csv"]


def test_tables_plots_and_a_page(project: Path) -> None:
    pytest.importorskip("jinja2")
    outputs = ["--csv", "c.csv", "--matrix", "m.csv", "--images", "i.csv", "--plots", "plots"]
    ran = gpuseg(*ARGUMENTS, *outputs, "--page", "p.html", "--report", "r.jsonl")
    assert ran.code == 1
    plots = [f"plots/{name}" for name in ("confusion.png", "confusion.svg", "iou.svg")]
    saved = ["i.csv", "c.csv", "m.csv", *plots, "p.html"]
    assert [line[7:] for line in ran.out.splitlines() if line.startswith("saved: ")] == saved
    with open("i.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 10
    assert len(Path("r.jsonl").read_text().splitlines()) == 12
    assert "gpuseg evaluation" in Path("p.html").read_text("utf-8")
    assert gpuseg(*ARGUMENTS, *outputs, "--page", "p.html").code == 1


@pytest.mark.parametrize("option", ["--csv", "--matrix", "--images", "--page"])
def test_what_cannot_be_saved_is_told_before_the_work(project: Path, option: str) -> None:
    pytest.importorskip("jinja2")
    ran = gpuseg(*ARGUMENTS, option, "classes.csv", "--report", "r.jsonl")
    assert ran.code == 2
    assert "did not write here before" in ran.err
    assert not Path("r.jsonl").exists()
    assert Path("classes.csv").read_text().startswith("index,name")


def test_overwrite_is_for_the_page(good: Path) -> None:
    pytest.importorskip("jinja2")
    Path("mine.html").write_text("mine")
    assert gpuseg(*ARGUMENTS, "--page", "mine.html").code == 2
    assert gpuseg(*ARGUMENTS, "--page", "mine.html", "--overwrite").code == 0
    assert gpuseg(*ARGUMENTS, "--csv", "mine.html", "--overwrite").code == 2


def test_maps_suffixes_and_colour_masks(good: Path) -> None:
    save_mask(Path("t/0_gt.png"), 8, 9, seed=0)
    save(Path("p/0_pred.png"), indices(8, 9, 0) + 20, None)
    Path("map.json").write_text(json.dumps({str(k + 20): k for k in range(6)}))
    names = ["--pred-suffix", "_pred", "--truth-suffix", "_gt"]
    ran = gpuseg("evaluate", "p", "t", *names, "--palette", "classes.csv", "--pred-map", "map.json")
    assert ran.code == 0, ran.err
    assert "mean IoU                100.00 %" in ran.out
    Path("map.json").write_text('{"20": 0}')
    arguments = ["evaluate", "p", "t", *names, "--palette", "classes.csv", "--pred-map", "map.json"]
    assert "does not name" in gpuseg(*arguments).err
    assert gpuseg(*arguments, "--unmapped", "ignore").code == 0


def test_boundaries_are_scored_if_asked_for(project: Path) -> None:
    assert "oundary" not in gpuseg(*ARGUMENTS).out
    found = evaluated(project, boundary=1.5)
    assert found.boundaries is not None
    out = gpuseg(*ARGUMENTS, "--boundary", "1.5").out
    assert f"boundary F, images      {100 * found.boundaries.score:6.2f} %" in out
    assert f"boundary F, classes     {100 * found.boundaries.class_mean:6.2f} %" in out
    [row] = [line for line in out.splitlines() if line.split()[:2] == ["1", "a"]]
    assert f"{100 * found.classes[1].boundary:.2f} %" in row
    told = json.loads(gpuseg(*ARGUMENTS, "--boundary", "auto", "--json").out)
    assert told["boundary"]["theta"] == "auto"


def test_the_worst_are_as_many_as_asked_for(project: Path) -> None:
    told = json.loads(gpuseg(*ARGUMENTS, "--worst", "2", "--json").out)
    assert len(told["worst"]) == 2
    assert "worst pairs" not in gpuseg(*ARGUMENTS, "--worst", "0").out


def test_the_default_is_the_function_s(project: Path) -> None:
    help_text = " ".join(gpuseg("evaluate", "--help").out.split())
    assert f"Pairs to name. [default: {WORST}]" in help_text


def test_names_are_somebody_elses(good: Path) -> None:
    names = ["\x1b[31mred", "line\nbreak", "x" * 100, "d", "e", "f"]
    palette = Palette.from_colours([c.rgb for c in PALETTE.classes], names)
    save_palette(palette, good / "odd.json")
    ran = gpuseg("evaluate", "pred", "truth", "--palette", "odd.json")
    assert "\\x1b[31mred" in ran.out
    assert "line\\nbreak" in ran.out
    assert "x" * 29 not in ran.out
    assert "\x1b[31m" not in ran.out


def test_many_classes_are_cut_off_in_the_table_alone(good: Path) -> None:
    many = np.arange(1000, dtype=np.uint16).reshape(20, 50)
    for side in ("p", "t"):
        save(good / side / "a.png", many, None)
    ran = gpuseg("evaluate", "p", "t")
    assert "… and 699 more; --csv and --json have them all" in ran.out
    assert len(json.loads(gpuseg("evaluate", "p", "t", "--json").out)["classes"]) == 999


def test_wrong_usage(project: Path) -> None:
    for wrong in (
        ["none", "truth"],
        ["pred", "none"],
        ["truth", "truth"],
        ["pred", "truth", "--worst", "-1"],
        ["pred", "truth", "--ignore-index", "-1"],
        ["pred", "truth", "--boundary", "near"],
        ["pred", "truth", "--boundary", "nan"],
        ["pred", "truth", "--pred-map", "none.json"],
        ["pred", "truth", "--over", "truth"],
    ):
        assert gpuseg("evaluate", *wrong).code == 2, wrong


def test_nothing_found_is_exit_code_1(good: Path) -> None:
    ran = gpuseg(*ARGUMENTS, "--pattern", "*.tif")
    assert ran.code == 1
    assert ran.out.startswith("no images found")


def test_the_bar_counts_rows(project: Path) -> None:
    names = {"pattern": None, "pred_suffix": "", "truth_suffix": ""}
    report = evaluated(project).report
    assert count_pairs("pred", "truth", shard=Shard(), **names) == report.done == 10
    parts = [count_pairs("pred", "truth", shard=Shard(k, 3), **names) for k in (1, 2, 3)]
    assert sum(parts) == 10
    assert count_pairs("pred", "truth", shard=Shard(), **{**names, "pattern": "r*.png"}) == 2


def test_options_that_would_do_nothing_are_refused(good: Path) -> None:
    ended = gpuseg(*ARGUMENTS, "--overwrite")
    assert (ended.code, "--page" in ended.err) == (2, True)
    ended = gpuseg(*ARGUMENTS, "--unmapped", "ignore")
    assert (ended.code, "--truth-map" in ended.err) == (2, True)
