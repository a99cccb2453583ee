"""`gpuseg inspect` at the door, and what `gpuseg scan` has in common with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from gpuseg.palettes.load import load_palette
from tests.helpers import gpuseg
from tests.making import indices, save_mask

CAMVID = load_palette("camvid12")


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    for seed in range(2):
        pixels = CAMVID.colours[indices(64, 90, seed=seed, classes=13)]
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


def test_one_image_gets_all_that_is_known(src: Path) -> None:
    run = gpuseg("inspect", str(src / "0.png"))
    assert run.code == 0
    assert "colour mask: camvid12 has all its 13 colours" in run.out
    assert "verdict    colour-mask" in run.out
    assert "PNG, RGB, 8 bits, 90 x 64 pixels" in run.out
    with Image.open(src / "0.png") as image:
        for count, rgb in image.getcolors():
            line = "#{:02x}{:02x}{:02x}".format(*rgb)
            assert f"{line}     {count:>12,} px" in run.out


def test_several_images_get_a_line_each_and_a_table(src: Path) -> None:
    (src / "cut.png").write_bytes((src / "0.png").read_bytes()[:-9])
    run = gpuseg("inspect", str(src))
    assert run.code == 1
    assert run.err.startswith("failed cut.png: ")
    lines = run.out.splitlines()
    assert lines[2].startswith("cut.png: failed: is cut off")  # not all that fails is damaged
    assert [line.split(":")[0] for line in lines[:3]] == ["0.png", "1.png", "cut.png"]
    assert any(line.split()[:2] == ["2", "colour-mask"] for line in lines)
    assert any(line.split()[:2] == ["1", "damaged"] for line in lines)


@pytest.mark.parametrize("verb", ["inspect", "scan"])
def test_one_json_object(src: Path, verb: str, tmp_path: Path) -> None:
    report = tmp_path / "r.jsonl"
    run = gpuseg(verb, str(src), "--json", "--report", str(report))
    assert (run.code, run.err) == (0, "")
    data = json.loads(run.out)
    assert data["type"] == "summary"
    assert data["files"]["read"] == 2
    assert data["report"] == str(report)
    assert json.loads(report.read_text().splitlines()[0])["verb"] == verb


@pytest.mark.parametrize("verb", ["inspect", "scan"])
def test_exit_codes(tmp_path: Path, verb: str) -> None:
    assert gpuseg(verb, str(tmp_path / "gone")).code == 2
    assert gpuseg(verb).code == 2
    nothing = gpuseg(verb, str(tmp_path))
    assert nothing.code == 1
    assert "no images found" in nothing.out
    assert gpuseg(verb, str(tmp_path), "--workers", "0").code == 2


@pytest.mark.parametrize("verb", ["inspect", "scan"])
def test_names_cannot_write_on_the_terminal(tmp_path: Path, verb: str) -> None:
    name = "a\x1b[31m\nb.png"
    save_mask(tmp_path / name)
    save_mask(tmp_path / "c.png")
    (tmp_path / "x\n\x1b[0m.png").write_bytes(b"")
    run = gpuseg(verb, str(tmp_path))
    assert "\x1b" not in run.out + run.err
    assert "\nb.png" not in run.out + run.err
