"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gpuseg.cli import main
from gpuseg.convert import convert_files
from gpuseg.errors import UsageError
from gpuseg.palettes.writers import save_palette
from gpuseg.text import printable
from tests.helpers import environment
from tests.making import PALETTE, save_mask


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with src/{a,b/c}.png and classes.csv, entered."""
    save_mask(tmp_path / "src" / "a.png")
    save_mask(tmp_path / "src" / "b" / "c.png", seed=1)
    save_palette(PALETTE, tmp_path / "classes.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpuseg(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_convert_says_what_was_done_and_where(project: Path) -> None:
    result = gpuseg("convert", "src", "dst", "--palette", "classes.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 converted")
    assert "label maps: dst" in result.stdout
    assert f"report: {Path('dst/gpuseg-report.jsonl')}" in result.stdout
    assert "device: cpu: no CUDA device: " in result.stdout or "device: cuda" in result.stdout
    assert result.stderr == ""
    assert (project / "dst" / "b" / "c.png").exists()
    again = gpuseg("convert", "src", "dst", "--palette", "classes.csv")
    assert again.stdout.startswith("2 unchanged")


def test_convert_takes_one_file(project: Path) -> None:
    result = gpuseg("convert", "src/b/c.png", "dst", "--palette", "classes.csv")
    assert result.exit_code == 0, result.output
    assert (project / "dst" / "c.png").exists()


def test_failures_are_told_on_stderr(project: Path) -> None:
    (project / "src" / "bad.png").write_bytes(b"text")
    result = gpuseg("convert", "src", "dst", "--palette", "classes.csv", "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("failed bad.png: is no image of a known format")


def test_many_failures_are_counted(project: Path) -> None:
    for i in range(9):
        (project / "src" / f"bad{i}.png").write_bytes(b"text")
    result = gpuseg("convert", "src", "dst", "--palette", "classes.csv")
    assert result.stderr.count("failed bad") == 5
    report = str(Path("dst") / "gpuseg-report.jsonl")
    assert f"… and 4 more failures; {report} names all" in result.stderr
    assert "2 converted, 9 failed" in result.stdout
    result = gpuseg("check", "src", "--palette", "classes.csv")
    assert "… and 6 more failures; --report FILE names all" in result.stderr


def test_json_is_the_summary_and_nothing_else(project: Path) -> None:
    result = gpuseg("convert", "src", "dst", "--palette", "classes.csv", "--json")
    summary = json.loads(result.stdout)
    assert summary["files"]["converted"] == 2
    assert summary["exit_code"] == 0
    assert Path(summary["report"]).exists()


def test_options_reach_the_conversion(project: Path) -> None:
    result = gpuseg(
        "convert", "src", "dst", "--palette", "classes.csv", "--unknown", "nearest",
        "--tolerance", "3", "--workers", "1", "--shard", "1/1", "--pattern", "c*",
        "--report", "r.jsonl", "--no-resume", "--depth", "16",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    head, row, tail = map(json.loads, (project / "r.jsonl").read_text().splitlines())
    assert (head["options"]["unknown"], head["options"]["tolerance"]) == ("nearest", 3.0)
    assert (head["options"]["depth"], head["options"]["workers"]) == (16, 1)
    assert row["source"] == str(Path("b/c.png"))
    assert tail["left_alone"] == {".png": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "dst", "--palette", "voc"], "SRC none does not exist; give a folder"),
        (["src", "src", "--palette", "voc"], "DST must not be SRC"),
        (["src/b", "src", "--palette", "voc"], "must not lie inside DST"),
        (["t-*.tar", "dst", "--palette", "voc"], "many archives are named by braces"),
        (["s3:/src", "dst", "--palette", "voc"], "write s3://src, or ./s3:/src for a path"),
        (["src", "s3:/dst", "--palette", "voc"], "DST s3:/dst is neither a path that exists"),
        (["src", "dst.rar", "--palette", "voc"], "archives are .tar, .tar.gz"),
        (["a.tar", "b.tar", "c.tar", "--palette", "voc"], "names with braces or * in quotes"),
        (["src", "classes.csv", "--palette", "voc"], "DST must be a folder"),
        (["src/a.png", "out/a.png", "--palette", "voc"], "a name for a file"),
        (["src", "dst", "--palette", "cityscape"], "did you mean cityscapes"),
        (["src", "dst", "--palette", "no.csv"], "does not exist"),
        (["src", "dst"], "Missing option '--palette'"),
        (["src", "dst", "--palette", "voc", "--tolerance", "2"], "tolerance belongs to"),
        (["src", "dst", "--palette", "voc", "--shard", "3/2"], "shard must be K/N"),
        (["src", "dst", "--palette", "voc", "--workers", "0"], "workers must be at least 1"),
        (["src", "dst", "--palette", "voc256", "--unknown", "ignore", "--ignore-index", "7"],
         "ignore index 7 is the class"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_code_2(
    project: Path, arguments: list[str], message: str
) -> None:
    result = gpuseg("convert", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")
    assert not (project / "dst").exists()


def test_duplicates_are_named_and_can_be_chosen(project: Path) -> None:
    (project / "two.csv").write_text("name,r,g,b\nroad,0,0,0\nskyscraper,0,0,0\ncar,128,0,0\n")
    result = gpuseg("convert", "src", "dst", "--palette", "two.csv")
    assert result.exit_code == 2
    assert "'road' (0) and 'skyscraper' (1)" in result.stderr
    result = gpuseg("convert", "src", "dst", "--palette", "two.csv", "--on-duplicate", "last")
    assert result.exit_code == 1  # runs; the masks have other colours


def test_palettes_lists_presets() -> None:
    result = gpuseg("palettes")
    assert result.exit_code == 0, result.output
    for name in ("voc ", "cityscapes ", "ade20k "):
        assert f"\n{name}" in result.stdout
    names = [entry["name"] for entry in json.loads(gpuseg("palettes", "--json").stdout)]
    assert "voc" in names


def test_palettes_shows_colours_and_risks(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = gpuseg("palettes", "voc")
    assert "#c08080  person" in result.stdout
    colour = CliRunner().invoke(main, ["palettes", "voc"], color=True)
    assert "\x1b[48;2;192;128;128m" in colour.stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(main, ["palettes", "voc"], color=True).stdout
    shown = gpuseg("palettes", "cityscapes").stdout
    assert "merged: 'license plate' is read as 'car' (one colour)\n" in shown  # in no label map
    shown = gpuseg("palettes", "ade20k").stdout
    assert "is read as 'road' (one colour); label maps may hold it, as 48\n" in shown
    assert json.loads(gpuseg("palettes", "classes.csv", "--json").stdout)["name"] == "classes"


def test_palettes_saves_and_draws(project: Path) -> None:
    result = gpuseg("palettes", "voc256", "--swatch", "s.png", "--save", "voc.gpl")
    assert result.exit_code == 0, result.output
    assert (project / "s.png").stat().st_size > 1000
    assert gpuseg("palettes", "voc.csv").exit_code == 2
    assert gpuseg("palettes", "--swatch", "s.png").exit_code == 2
    assert gpuseg("palettes", "voc256", "--swatch", "s.png", "--save", "voc.gpl").exit_code == 0
    mine = (project / "classes.csv").read_bytes()
    for arguments in (("--save", "classes.csv"), ("--swatch", "s.png")):
        result = gpuseg("palettes", "voc", *arguments)
        assert result.exit_code == 2
        assert "exists already and would be replaced" in result.stderr
    assert (project / "classes.csv").read_bytes() == mine


def test_info_tells_devices_and_reasons() -> None:
    facts = json.loads(gpuseg("info", "--json").stdout)
    assert [device["name"] for device in facts["devices"]] == ["cuda", "cpu"]
    assert all(device["reason"] for device in facts["devices"])
    assert facts["packages"]["numba"]
    assert "cpu: can be used" in gpuseg("info").stdout


def test_text_of_others_cannot_drive_the_terminal() -> None:
    assert printable("a\x1b[31mb\udcff\nc") == "a\\x1b[31mb\\udcff\nc"


def test_what_files_named_one_by_one_cannot_have(project: Path) -> None:
    arguments = ("convert", "src/a.png", "out", "--palette", "classes.csv", "--device", "cpu")
    done = gpuseg(*arguments, "--pattern", "*.tif")
    assert done.exit_code == 2
    assert "a pattern chooses files of a folder" in done.stderr
    with pytest.raises(UsageError, match="must be a list of files"):
        convert_files("src/a.png", "out", PALETTE)
    assert not Path("out").exists()


def test_nothing_found_is_no_success(project: Path) -> None:
    result = gpuseg("convert", "src", "dst", "--palette", "classes.csv", "--pattern", "*.pgn")
    assert result.exit_code == 1
    assert result.stdout.startswith("no images found; --pattern names other files")
    assert "label maps" not in result.stdout
    shard = gpuseg("convert", "src", "d2", "--palette", "classes.csv", "--shard", "7/900")
    assert shard.exit_code == 0
    assert shard.stdout.startswith("no images found in this shard")
    (project / "src" / "more.tar").touch()
    result = gpuseg("inspect", "src", "--pattern", "*.pgn")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("no images found; archives in a folder")


def test_a_palette_file_with_duplicates_can_be_looked_at(project: Path) -> None:
    (project / "two.csv").write_text("name,r,g,b\nroad,0,0,0\nroof,0,0,0\n")
    assert gpuseg("palettes", "two.csv").exit_code == 2
    shown = gpuseg("palettes", "two.csv", "--on-duplicate", "first")
    assert "merged: 'roof' is read as 'road'" in shown.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_told(unbuffered: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gpuseg", "palettes", "--json"],
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: what is printed cannot be written: No space left")
    assert done.stderr.count(b"\n") == 1


def test_help_lists_every_command_once_under_headings() -> None:
    out = gpuseg("--help").stdout
    listed = re.findall(r"^  ([\w-]+)  ", out, re.MULTILINE)
    assert sorted(listed) == sorted(main.commands)
    assert listed[:2] == ["scan", "inspect"]
    assert "Colour masks:\n  scan " in out
