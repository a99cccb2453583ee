"""`gpuseg scan` at the door: what is printed, and palettes that are proposed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import save_label
from gpuseg.palettes.load import load_palette
from tests.helpers import gpuseg
from tests.making import PALETTE, indices, read_indices, save_mask

CAMVID = load_palette("camvid12")


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    for seed in range(2):
        pixels = CAMVID.colours[indices(64, 90, seed=seed, classes=13)]
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


def test_scan_ends_in_the_command_to_run(src: Path) -> None:
    run = gpuseg("scan", str(src))
    lines = run.out.splitlines()
    assert lines[-2:] == [
        "colour masks of camvid12, every pixel",
        f"next: gpuseg convert {src} DST --palette camvid12",
    ]
    assert any(line.startswith("camvid12: 100.00 % of the pixels") for line in lines)
    name = f"{CAMVID.classes[2].index} {CAMVID.classes[2].name}"
    assert any(CAMVID.classes[2].hex in line and name in line for line in lines)


def test_a_proposed_palette_converts(tmp_path: Path) -> None:
    for seed in range(3):
        save_mask(tmp_path / "src" / f"{seed}.png", 40, 50, seed=seed)
    target = tmp_path / "palette.csv"
    run = gpuseg("scan", str(tmp_path / "src"), "--propose", str(target))
    assert run.code == 0
    assert str(target) in run.err
    assert run.out.splitlines()[-1] == (
        f"next: gpuseg convert {tmp_path / 'src'} DST --palette {target}"
    )
    assert {c.rgb for c in load_palette(target).classes} == {c.rgb for c in PALETTE.classes}
    run = gpuseg("convert", str(tmp_path / "src"), str(tmp_path / "dst"), "--palette", str(target))
    assert run.code == 0


def test_a_palette_that_cannot_be_proposed_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    noise[:30] = 0
    Image.fromarray(noise).save(tmp_path / "a.png")
    run = gpuseg("scan", str(tmp_path), "--propose", str(tmp_path / "p.json"))
    assert run.code == 2
    assert "colours were found" in run.err
    assert "1 read" in run.out  # what was found out is not lost
    assert not (tmp_path / "p.json").exists()
    run = gpuseg("scan", str(tmp_path), "--propose", str(tmp_path / "no" / "p.json"))
    assert (run.code, run.out) == (2, "")  # before the work begins
    assert "is no folder" in run.err
    run = gpuseg("scan", str(tmp_path), "--propose", str(tmp_path / "p.docx"))
    assert run.code == 2
    assert "must end in" in run.err


def test_a_proposal_replaces_no_file(src: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("name,r,g,b\nsky,1,2,3\n")
    run = gpuseg("scan", str(src), "--propose", str(mine))
    assert (run.code, run.out) == (2, "")
    assert "exists already and would be replaced" in run.err
    assert mine.read_text() == "name,r,g,b\nsky,1,2,3\n"
    run = gpuseg("scan", str(src), "--propose", str(tmp_path / "none" / "p.csv"))
    assert (run.code, run.out) == (2, "")


def test_the_palette_that_binary_masks_are_told_to_take(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    labels = indices(20, 30, seed=1, classes=2)
    Image.fromarray((labels * 255).astype(np.uint8)).save(tmp_path / "src" / "a.png")
    run = gpuseg("scan", str(tmp_path / "src"))
    lines = re.findall(r"'(\d+ \d+ \d+ \w+)'", run.out.splitlines()[-1])
    assert len(lines) == 2
    (tmp_path / "two.txt").write_text("\n".join(lines))
    places = (str(tmp_path / "src"), str(tmp_path / "dst"))
    run = gpuseg("convert", *places, "--palette", str(tmp_path / "two.txt"), "--grey", "colours")
    assert run.code == 0
    assert (read_indices(tmp_path / "dst" / "a.png") == labels).all()


def test_label_maps_are_counted_next(tmp_path: Path) -> None:
    save_label(tmp_path / "a.png", indices(20, 30), "voc")
    run = gpuseg("scan", str(tmp_path))
    assert run.out.splitlines()[-1] == f"next: gpuseg stats {tmp_path}"


def test_a_palette_and_a_report_are_two_files(src: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "p.json")
    run = gpuseg("scan", str(src), "--report", target, "--propose", target)
    assert (run.code, run.out) == (2, "")
    assert "must name two files" in run.err


@pytest.mark.parametrize("name", ["a b", "it's", "-r", "a\nb", "\udcff$HOME", "tab\t\\n", "ü😀"])
def test_the_next_command_is_what_a_shell_takes(
    src: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    monkeypatch.chdir(src.parent)
    src.rename(name)
    run = gpuseg("scan", "--max-pixels", "9999", "--pattern", "[01].p?g", "--", name)
    (line,) = [line for line in run.out.splitlines() if line.startswith("next: gpuseg ")]
    words = f"printf '%s\\0' {line.removeprefix('next: gpuseg ')}"
    said = subprocess.run(["bash", "-c", words], capture_output=True, check=True).stdout
    command = [os.fsdecode(word) for word in said.split(b"\0")[:-1]]
    assert gpuseg(*command).code == 0
    assert len(list(Path("DST").glob("*.png"))) == 2


def test_a_proposal_ends_in_the_command_that_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_mask(tmp_path / "it's" / "a.dat.png", 40, 50)
    run = gpuseg("scan", "it's", "--pattern", "*.dat.*", "--propose", "-p q.csv")
    line = run.out.splitlines()[-1]
    assert shlex.split(line) == [
        *("next:", "gpuseg", "convert", "it's", "DST", "--pattern=*.dat.*"),
        *("--palette", "./-p q.csv"),
    ]
    assert gpuseg(*shlex.split(line)[2:]).code == 0
