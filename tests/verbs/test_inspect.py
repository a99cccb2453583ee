"""`inspect`: a verdict for every file, counts, and a bounded answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.census.facts import Facts
from gpuseg.results import FileResult
from gpuseg.verbs import inspect as module
from gpuseg.verbs.inspect import Inspection, code_of
from tests.helpers import read_report
from tests.making import indices, save_mask

DATA = Path(__file__).parents[1] / "data"


def codes(*paths: Path) -> dict[str, str]:
    found = gpuseg.inspect(*paths)
    return {row.source: code_of(row) for row in found.rows}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    src = tmp_path / "src"
    for i in range(3):
        save_mask(src / f"mask{i}.png", seed=i)
    Image.fromarray(indices(9, 14)).save(src / "grey.png")
    whole = (src / "mask0.png").read_bytes()
    (src / "cut.png").write_bytes(whole[:-20])
    (src / "empty.png").write_bytes(b"")
    return src


def test_every_file_has_one_row_and_one_verdict(dump: Path, tmp_path: Path) -> None:
    found = gpuseg.inspect(dump, report=tmp_path / "r.jsonl")
    lines = read_report(tmp_path / "r.jsonl")
    assert lines.header["verb"] == "inspect"
    assert set(lines.files) == {path.name for path in dump.iterdir()}
    assert lines.failed() == ["cut.png", "empty.png"]
    assert lines.files["grey.png"]["verdict"] == "label-map-grey"
    assert lines.files["mask0.png"]["verdict"] == "colour-mask-unnamed"
    assert lines.files["mask0.png"]["different"] == len(lines.files["mask0.png"]["colours"])
    assert found.verdicts == {"colour-mask-unnamed": 3, "label-map-grey": 1, "damaged": 2}
    assert found.examples["damaged"] == "cut.png"
    assert [row.source for row in found.rows] == sorted(path.name for path in dump.iterdir())
    assert not found.is_cut
    assert found.report.exit_code == 1


def test_one_object_for_programs(dump: Path) -> None:
    data = json.loads(json.dumps(gpuseg.inspect(dump).as_dict()))
    assert data["files"]["read"] == 4
    assert data["files"]["failed"] == 2
    assert data["verdicts"]["damaged"] == {"files": 2, "example": "cut.png"}
    rows = {row["source"]: row for row in data["rows"]}
    assert rows["grey.png"]["indices"] == {
        str(value): int(count)
        for value, count in zip(*np.unique(indices(9, 14), return_counts=True), strict=True)
    }
    assert rows["empty.png"]["error"] == "broken"
    assert data["rows_cut"] is False


def test_rows_are_bounded_and_the_first_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    found = Inspection()
    for number in np.random.default_rng(0).permutation(95).tolist():
        result = FileResult.failure(f"{number:03d}", ValueError("x"))
        found.report.add(result)
        found.add(result)
        assert len(found.rows) < 20
    found.cut()
    assert [row.source for row in found.rows] == [f"{number:03d}" for number in range(10)]
    assert found.is_cut
    assert found.verdicts["damaged"] == 95
    assert found.examples["damaged"] == "000"


def test_files_and_folders_together(dump: Path) -> None:
    assert codes(dump / "grey.png") == {"grey.png": "label-map-grey"}
    found = codes(dump, DATA / "davis_P")
    assert found[f"{DATA / 'davis_P'}/blackswan_00010.png"] == "label-map"
    assert found[f"{dump}/grey.png"] == "label-map-grey"


def test_label_maps_that_gpuseg_made(tmp_path: Path) -> None:
    save_mask(tmp_path / "src" / "a.png")
    with Image.open(tmp_path / "src" / "a.png") as image:
        colours = sorted({rgb for _, rgb in image.getcolors()})[1:]
    palette = gpuseg.Palette.from_colours(colours)
    gpuseg.convert_directory(tmp_path / "src", tmp_path / "dst", palette, unknown="ignore")
    [row] = gpuseg.inspect(tmp_path / "dst" / "a.png").rows
    facts = row.details
    assert isinstance(facts, Facts)
    assert facts.made_by_gpuseg
    with Image.open(tmp_path / "dst" / "a.png") as image:
        ignored = int((np.array(image) == 255).sum())
    assert facts.unknown == ignored > 0
    assert f"{ignored:,} pixels of unknown colour replaced" in facts.verdict.words


@pytest.mark.parametrize(
    ("file", "code", "preset"),
    [
        ("davis_P/bike-packing_00010.png", "label-map", "voc256"),
        ("human_parsing_P/demo_atr.png", "label-map", "voc"),
        ("human_parsing_P/demo_lip.png", "label-map", "voc"),
        ("human_parsing_P/demo_pascal.png", "label-map", "voc"),
        ("quintal_rgba/datasetQuintal_155_L.png", "colour-mask-unnamed", ""),
    ],
)
def test_real_files(file: str, code: str, preset: str) -> None:
    check(DATA / file, code, preset)


@pytest.mark.parametrize(
    ("file", "code", "preset"),
    [
        ("ade20k/ADE_train_00000970_raw.png", "id-map:ade", ""),
        ("ade20k/ADE_train_00016869_seg.png", "id-map:ade", ""),
        ("ade20k/ADE_train_00000970_challenge.png", "label-map-grey", ""),
        ("animals_cvat_voc/fox/SegmentationClass/00000000_512resized.png", "colour-mask", ""),
        ("bdd100k/bitmasks__quasi-video__insseg_bitmask.png", "alpha-data", ""),
        ("bdd100k/tiny10x10_rgba.png", "alpha-data", ""),
        ("bdd100k/semseg_mask.png", "label-map-grey", ""),
        ("bdd100k/lane_gray.png", "label-map-grey", ""),
        ("bdd100k/to_rle__sem_seg__masks__0.png", "label-map", ""),
        ("camvid12_480x360/rgb/0001TP_006690_L.png", "colour-mask", "camvid12"),
        ("camvid12_480x360/index_gray/0001TP_006690.png", "label-map-grey", ""),
        ("camvid12_480x360/conv16_buggy/0001TP_006690_L.png", "ids-16-bit", ""),
        ("coco_panoptic/rgb_id/000000142238.png", "id-map:coco-panoptic", ""),
        ("coco_panoptic/two_channel/000000142238.png", "id-map:two-channel", ""),
        ("cocostuff_P/000000000934.png", "label-map", ""),
        ("datumaro_tiny/icdar_dataset/jpeg_named_img_1.png", "lossy", ""),
        ("datumaro_tiny/icdar_dataset/text_segmentation/train/1_GT.bmp", "colour-mask-unnamed", ""),
        (
            "datumaro_tiny/kitti_dataset/kitti_segmentation/training/instance/000030_10.png",
            "ids-16-bit",
            "",
        ),
        ("datumaro_tiny/labelme_dataset/Masks/subset1/img1_mask_1.png", "transparent", ""),
        ("deeplab2_maps/bird_gt.png", "grey-colours", ""),
        ("deeplab2_maps/cat_gt.png", "binary-mask", ""),
        ("deeplab2_maps/dummy_gt_for_vps.png", "id-map:ids", ""),
        ("deeplab2_maps/panoptic_target.png", "ids-16-bit", ""),
        ("dubai_aerial/tile1_part001.png", "colour-mask-unnamed", ""),
        ("dubai_aerial/tile2_part001.png", "palette-of-its-own", ""),
        ("dubai_aerial/tile4_part002.png", "palette-of-its-own", ""),
        ("ecp_facade/monge_1.png", "colour-mask-unnamed", ""),
        ("labelme/semantic/SegmentationClass/2011_000003.png", "label-map", "voc256"),
        ("laneseg_P/3.png", "label-map", ""),
        ("mseg_misc/sunrgbd37_train_00000001.png", "label-map-grey", ""),
        ("mseg_misc/nonconvex_table_mask.png", "label-map-grey", ""),
        ("mseg_misc/uint16img.png", "photograph", ""),
        ("suim_bmp/d_r_47_.bmp", "colour-mask", "suim"),
        ("suim_bmp/HD/d_r_47_.bmp", "binary-mask", ""),
        ("urban_cvat_rle/robin-wersich-N4eOCJrQYBA-unsplash_mask.jpg", "colour-mask-unnamed", ""),
    ],
)
def test_real_files_whose_licence_forbids_copies(
    shared: Path, file: str, code: str, preset: str
) -> None:
    check(shared / "data" / file, code, preset)


def check(path: Path, code: str, preset: str) -> None:
    [row] = gpuseg.inspect(path).rows
    facts = row.details
    assert isinstance(facts, Facts)
    verdict = facts.verdict
    found = f"{verdict.code}:{verdict.encoding}" if verdict.encoding else verdict.code
    assert (found, verdict.preset) == (code, preset), verdict
    lies = row.format != {".jpg": "JPEG", ".bmp": "BMP", ".png": "PNG"}[path.suffix]
    assert lies == any("whatever its suffix" in warning for warning in row.warnings)


def test_every_file_of_the_pngsuite_has_a_verdict(shared: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(shared / "data/pngsuite/pngsuite.zip") as archive:
        archive.extractall(tmp_path)
    found = gpuseg.inspect(tmp_path)
    assert (found.report.done, found.report.failed) == (28, 0)
    by_name = {row.source: code_of(row) for row in found.rows}
    assert by_name["basn2c16.png"] == "colours-16-bit"
    assert by_name["basn0g16.png"] == "ids-16-bit"
    assert by_name["basn6a08.png"] == "transparent"
    assert by_name["tbrn2c08.png"] == "transparent"
    assert by_name["basn2c08.png"] == "photograph"
    rows = {row.source: row.details for row in found.rows}
    for name, facts in rows.items():
        assert isinstance(facts, Facts)
        assert facts.interlaced == name.startswith("basi"), name
        if name != "Basn0g03.png":  # 4 bits, of which 3 mean something
            assert facts.bits == int(name[-6:-4]), name  # as the suite names them
