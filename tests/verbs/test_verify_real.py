"""`verify` of real sets: whatever `convert` makes of them is the same."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, convert_directory, load_palette, verify
from gpuseg.codecs.label_png import write_label
from tests.making import read_indices
from tests.real import HERE


def verified(src: Path, dst: Path, palette: Any, **which: Any) -> None:
    """Assert that what converts also verifies: by the run's palette, a given one, and without."""
    done = convert_directory(src, dst, palette, unknown="ignore", grey="colours", **which)
    refused = done.failed
    for options in ({}, {"palette": palette}):
        report = verify(src, dst, **options, **which)
        wrong = [(f.source, f.status, f.message) for f in report.failures]
        assert report.files["missing"] + report.files["failed"] == refused, wrong
        assert report.files["same"] == done.files["converted"], wrong
        assert report.unknown_pixels == done.unknown_pixels
    if load_palette(palette).max_index < 256:
        (dst / "gpuseg-report.jsonl").unlink()
        report = verify(src, dst, **which)
        assert report.files["same"] == done.files["converted"], report.failures


REAL = [
    ("animals_cvat_voc/cheetah/SegmentationClass", "animals_cvat_voc/labelmap.txt"),
    ("animals_cvat_voc/fox/SegmentationClass", "animals_cvat_voc/labelmap.txt"),
    ("animals_cvat_voc/fox/SegmentationObject", "voc256"),
    ("camvid12_480x360/rgb", "camvid12_480x360/classes.csv"),
    ("camvid12_480x360/index_gray", "camvid12_480x360/classes.csv"),
    ("dubai_aerial", "dubai_aerial/classes_true.csv"),
    ("dubai_aerial", "dubai_aerial/classes.json"),
    ("ecp_facade", "ecp_facade/classes.csv"),
    ("suim_bmp", "suim_bmp/codes.csv"),
    ("datumaro_tiny/camvid_dataset/testannot", "camvid32"),
    ("datumaro_tiny/voc_dataset/voc_dataset1/SegmentationClass", "voc"),
    ("labelme/semantic/SegmentationClass", "voc256"),
    ("cocostuff_P", "cocostuff_P/000000000934.png"),
    ("laneseg_P", "voc256"),
    ("bdd100k", "voc256"),
    ("deeplab2_maps", "voc256"),
    ("coco_panoptic/two_channel", "voc256"),
    ("ade20k", "ade20k"),
    ("mseg_misc", "voc256"),
    ("camvid12_train/rgb", "camvid12_train/classes.csv"),
]


@pytest.mark.parametrize(("folder", "palette"), REAL)
def test_real_sets_verify_once_converted(
    shared: Path, tmp_path: Path, folder: str, palette: str
) -> None:
    table: Any = shared / "data" / palette if "/" in palette else palette
    verified(shared / "data" / folder, tmp_path / "dst", table)


@pytest.mark.parametrize(
    ("folder", "palette"),
    [("quintal_rgba", "label_colors.txt"), ("davis_P", "voc256"), ("human_parsing_P", "voc256")],
)
def test_sets_beside_the_tests_verify(tmp_path: Path, folder: str, palette: str) -> None:
    table: Any = HERE / folder / palette if "." in palette else palette
    verified(HERE / folder, tmp_path / "dst", table)


def test_pngs_of_all_kinds_verify(shared: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared / "data/pngsuite/pngsuite.zip") as archive:
        archive.extractall(tmp_path / "src")
    verified(tmp_path / "src", tmp_path / "dst", "voc256")


def test_large_masks_verify(shared: Path, tmp_path: Path) -> None:
    """5.8 to 41 Mpx, PNGs under the name .jpg."""
    src = shared / "data/urban_cvat_rle"
    colours: set[tuple[int, int, int]] = set()
    for path in src.glob("*_mask.jpg"):
        with Image.open(path) as image:
            colours |= {rgb for _, rgb in image.getcolors(1 << 16)}
    verified(src, tmp_path, Palette.from_colours(sorted(colours)), pattern="*_mask.jpg")


def test_ids_of_16_bits_in_colours_verify(shared: Path, tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    path = shutil.copy(shared / "data/mseg_misc/uint16img.png", src)
    with Image.open(path) as image:
        colours = np.unique(np.array(image).reshape(-1, 3), axis=0)
    palette = Palette.from_colours(colours)
    convert_directory(src, tmp_path / "dst", palette, depth=16)
    assert verify(src, tmp_path / "dst").files == {"same": 1}
    labels = np.array(Image.open(tmp_path / "dst/uint16img.png"))
    labels[0, 0] ^= 1
    Image.fromarray(labels).save(tmp_path / "dst/uint16img.png")
    assert verify(src, tmp_path / "dst").files == {"differs": 1}


def test_finished_maps_of_others_compare_with_the_masks(shared: Path, tmp_path: Path) -> None:
    """The CamVid indices of the SegNet authors are greyscale: what they mean a palette tells."""
    data = shared / "data/camvid12_480x360"
    names = sorted((data / "rgb").iterdir())
    for name in names:
        shutil.copy(data / "index_gray" / name.name.replace("_L.png", ".png"), tmp_path / name.name)
    report = verify(data / "rgb", tmp_path, palette=data / "classes.csv")
    assert report.files == {"differs": len(names)}
    assert "greyscale, without the colours" in report.failures[0].message
    plte = load_palette(data / "classes.csv").plte()
    for name in names:
        (tmp_path / name.name).write_bytes(
            write_label(np.array(Image.open(tmp_path / name.name)), plte)
        )
        assert read_indices(tmp_path / name.name).any()
    report = verify(data / "rgb", tmp_path, palette=data / "classes.csv")
    assert report.files == {"same": len(names)}
