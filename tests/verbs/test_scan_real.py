"""`scan` of real dumps says what their SOURCE.txt says."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpuseg
from gpuseg.palettes.load import load_palette

DATA = Path(__file__).parents[1] / "data"


def test_quintal(tmp_path: Path) -> None:
    src = DATA / "quintal_rgba"
    palette = load_palette(src / "label_colors.txt")
    found = gpuseg.scan(src)
    assert found.conclusion.code == "convert-table"
    assert found.conclusion.command.endswith(f"--palette {src / 'label_colors.txt'}")
    mine = {entry.rgb for entry in palette.classes}
    assert {entry.rgb for entry in found.propose().classes} == mine
    assert gpuseg.scan(src, palette=palette).conclusion.code == "convert"


def test_dubai_mixes_kinds_and_has_black_outliers(shared: Path) -> None:
    src = shared / "data/dubai_aerial"
    found = gpuseg.scan(src)
    told = "\n".join(found.notes)
    assert found.conclusion.code == "convert-table"
    assert "classes_true.csv, which lies with them: it has 99.99 %" in found.conclusion.words
    assert "palettes differ from file to file" in told
    assert "#000000 is rare: 812 pixels in 3 files of 12 (tile3_part006.png)" in told
    assert "tile2_part001.png" in told
    true = gpuseg.scan(src, palette=src / "classes_true.csv")
    assert true.conclusion.code == "convert-unknown"
    assert true.lack is not None
    assert [(u.key, u.pixels, u.why) for u in true.lack.shown] == [(0, 812, "other")]
    assert gpuseg.scan(src, palette=src / "classes.json").conclusion.code == "wrong-palette"


@pytest.mark.parametrize(
    ("folder", "code", "words"),
    [
        ("camvid12_480x360/rgb", "convert", "camvid12, every pixel"),
        ("camvid12_480x360/index_gray", "label-maps", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
        ("camvid12_480x360/conv16_buggy", "id-maps", "more than 8 bits"),
        ("coco_panoptic/rgb_id", "id-maps", "COCO panoptic"),
        ("coco_panoptic/two_channel", "id-maps", "instance in G"),
        ("labelme", "label-maps", "voc256"),
        ("animals_cvat_voc", "convert", "voc256"),
        ("ecp_facade", "convert-table", "classes.csv, which lies with them: it has every pixel"),
        ("urban_cvat_rle", "propose", "5 colours"),
        ("suim_bmp/HD", "binary-masks", "one class"),
    ],
)
def test_real_sets(shared: Path, folder: str, code: str, words: str) -> None:
    found = gpuseg.scan(shared / "data" / folder)
    assert found.conclusion.code == code
    assert words in found.conclusion.words
    assert found.report.failed == 0


def test_ade_is_an_encoding(shared: Path, tmp_path: Path) -> None:
    for name in ("ADE_train_00000970_raw.png", "ADE_train_00016869_seg.png"):
        (tmp_path / name).write_bytes((shared / "data/ade20k" / name).read_bytes())
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.code == "id-maps"
    assert "ADE20K" in found.conclusion.words
