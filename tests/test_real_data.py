"""Real masks: every folder of colour masks converts to what others, or the reference, made of it.

tests/data holds the sets with a clear licence; the others are read from a folder `shared`
beside the checkout and skipped where that is absent.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.convert import convert_directory, convert_files
from gpuseg.errors import PaletteSizeError
from gpuseg.kernels import reference
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.results import Report
from tests.making import read_indices

DATA = Path(__file__).parent / "data"


def rows(report: Report) -> dict[str, dict[str, object]]:
    lines = [json.loads(line) for line in report.path.read_text().splitlines()]
    return {row["source"]: row for row in lines if row["type"] == "file"}


def check_against_reference(
    src: Path, dst: Path, palette: Palette, converted: list[str], **options: object
) -> None:
    settings = IndexOptions(**options)
    for name in converted:
        with Image.open(src / name) as image:
            pixels = np.array(image.convert("RGB"))
        want, _ = reference.rgb_to_index(pixels, palette, settings)
        target = (dst / name).with_suffix(".png")
        assert np.array_equal(read_indices(target), want), name
        with Image.open(target) as image:
            assert bytes(image.getpalette()) == palette.plte()
            assert "transparency" not in image.info


def test_quintal_rgba_with_its_label_colors(tmp_path: Path) -> None:
    src = DATA / "quintal_rgba"
    palette = load_palette(src / "label_colors.txt")
    report = convert_directory(src, tmp_path, palette)
    assert (report.files["converted"], report.failed) == (11, 0)
    assert report.left_alone.total() == 3
    check_against_reference(src, tmp_path, palette, list(rows(report))[:3])


def test_finished_label_maps_convert_by_their_own_palette(tmp_path: Path) -> None:
    """Palette files in VOC colours: the indices stay as they are, 4-bit files become 8-bit."""
    for folder in ("davis_P", "human_parsing_P"):
        report = convert_directory(DATA / folder, tmp_path / folder, "voc256")
        assert report.failed == 0
        for name in rows(report):
            want = read_indices(DATA / folder / name)
            assert np.array_equal(read_indices(tmp_path / folder / name), want)


@pytest.mark.parametrize("folder", ["camvid12_480x360/rgb", "camvid12_train/rgb"])
def test_camvid_equals_the_indices_of_the_segnet_authors(
    shared: Path, tmp_path: Path, folder: str
) -> None:
    src = shared / "data" / folder
    report = convert_directory(src, tmp_path, shared / "data/camvid12_480x360/classes.csv")
    assert report.failed == 0
    names = list(rows(report))
    assert len(names) in (14, 367)
    for name in names[:60]:
        truth = src.parent / "index_gray" / name.replace("_L.png", ".png")
        with Image.open(truth) as image:
            assert np.array_equal(read_indices(tmp_path / name), np.array(image)), name


def test_camvid_finished_indices_are_not_taken_for_colours(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/camvid12_480x360"
    report = convert_directory(data / "index_gray", tmp_path, data / "classes.csv")
    assert report.files["converted"] == 0
    assert all("finished class indices" in row["message"] for row in rows(report).values())
    report = convert_directory(data / "conv16_buggy", tmp_path / "16", data / "classes.csv")
    assert all("16 bits" in row["message"] for row in rows(report).values())


def test_suim_equals_its_bitmaps_per_class(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/suim_bmp"
    palette = load_palette(data / "codes.csv")
    report = convert_files([data / "d_r_47_.bmp"], tmp_path, palette)
    assert report.files["converted"] == 1
    labels = read_indices(tmp_path / "d_r_47_.png")
    index = {entry.name: entry.index for entry in palette.classes}
    for name in ("FV", "HD", "RI", "RO", "WR"):
        with Image.open(data / name / "d_r_47_.bmp") as image:
            assert np.array_equal(labels == index[name], np.array(image) > 127), name


def test_dubai_with_the_right_table(shared: Path, tmp_path: Path) -> None:
    """RGB files and palette files whose order differs from file to file; black in a few."""
    src = shared / "data/dubai_aerial"
    palette = load_palette(src / "classes_true.csv")
    report = convert_directory(src, tmp_path / "error", palette)
    found = rows(report)
    wrong = {name for name, row in found.items() if row["status"] == "failed"}
    assert wrong == {"tile3_part006.png", "tile3_part007.png", "tile5_part002.png"}
    assert found["tile3_part007.png"]["unknown_colours"] == [
        {"hex": "#000000", "pixels": 4, "x": 372, "y": 276}
    ]
    good = sorted(set(found) - wrong)
    check_against_reference(src, tmp_path / "error", palette, good)
    report = convert_directory(src, tmp_path / "ignore", palette, unknown="ignore")
    assert (report.failed, report.unknown_pixels, report.files_with_unknown) == (0, 812, 3)
    check_against_reference(src, tmp_path / "ignore", palette, sorted(found), unknown="ignore")


def test_dubai_with_the_wrong_table_it_ships_is_loud(shared: Path, tmp_path: Path) -> None:
    src = shared / "data/dubai_aerial"
    report = convert_directory(src, tmp_path, src / "classes.json")
    assert report.files["converted"] == 0
    assert report.exit_code == 1
    shares = []
    for row in rows(report).values():
        assert "is not in palette 'classes'" in row["message"].replace("that ", "")
        shares.append(row["unknown_pixels"] / (row["width"] * row["height"]))
    assert min(shares) > 0.9


def test_animals_class_masks_agree_with_object_masks(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/animals_cvat_voc"
    for animal, index in (("cheetah", 1), ("fox", 2)):
        src = data / animal / "SegmentationClass"
        report = convert_directory(src, tmp_path / animal, data / "labelmap.txt")
        assert report.failed == 0
        objects = convert_directory(
            data / animal / "SegmentationObject", tmp_path / f"{animal}-o", "voc256"
        )
        assert objects.failed == 0
        for name in rows(report):
            labels = read_indices(tmp_path / animal / name)
            assert set(np.unique(labels)) <= {0, index}
            instances = read_indices(tmp_path / f"{animal}-o" / name)
            assert np.array_equal(labels > 0, instances > 0)


def test_urban_png_named_jpg(shared: Path, tmp_path: Path) -> None:
    """5.8 to 41 Mpx PNGs under the name .jpg; colours are those of the CVAT labels."""
    src = shared / "data/urban_cvat_rle"
    colours: set[tuple[int, int, int]] = set()
    files = sorted(src.glob("*_mask.jpg"))
    assert len(files) == 5
    for path in files:
        with Image.open(path) as image:
            colours |= {rgb for _, rgb in image.getcolors(1 << 16)}
    palette = Palette.from_colours(sorted(colours))
    report = convert_files(files, tmp_path, palette)
    assert report.failed == 0
    assert report.files_with_warnings == 0  # a PNG is not lossy, whatever its name
    check_against_reference(src, tmp_path, palette, [path.name for path in files])


def test_ecp_facade_odd_sizes(shared: Path, tmp_path: Path) -> None:
    src = shared / "data/ecp_facade"
    palette = load_palette(src / "classes.csv")
    report = convert_directory(src, tmp_path, palette)
    assert (report.files["converted"], report.failed) == (5, 0)
    check_against_reference(src, tmp_path, palette, list(rows(report)))


def test_tiny_masks_of_datumaro(shared: Path, tmp_path: Path) -> None:
    """1 x 5 pixels, a PNG named .bmp, small-window zlib headers."""
    data = shared / "data/datumaro_tiny"
    src = data / "common_semantic_segmentation_dataset/dataset"
    palette = load_palette(src / "dataset_meta.json")
    report = convert_directory(src / "masks", tmp_path / "a", palette)
    assert (report.files["converted"], report.failed) == (2, 0)
    check_against_reference(src / "masks", tmp_path / "a", palette, list(rows(report)))
    for folder in ("testannot", "trainannot", "valannot"):
        src = data / "camvid_dataset" / folder
        report = convert_directory(src, tmp_path / folder, "camvid32")
        assert report.failed == 0
        check_against_reference(
            src, tmp_path / folder, load_palette("camvid32"), list(rows(report))
        )
    src = data / "voc_dataset/voc_dataset1/SegmentationClass"
    assert convert_directory(src, tmp_path / "voc", "voc").failed == 0
    src = data / "icdar_dataset/text_segmentation/train"
    with Image.open(src / "1_GT.bmp") as image:
        palette = Palette.from_colours(sorted({rgb for _, rgb in image.convert("RGB").getcolors()}))
    report = convert_directory(src, tmp_path / "icdar", palette)
    assert rows(report)["1_GT.bmp"]["format"] == "PNG"
    check_against_reference(src, tmp_path / "icdar", palette, ["1_GT.bmp"])


@pytest.mark.parametrize(
    ("file", "error", "message"),
    [
        ("bdd100k/semseg_mask.png", "unsupported", "finished class indices"),
        ("bdd100k/bitmasks__quasi-video__insseg_bitmask.png", "unsupported", "transparent"),
        ("deeplab2_maps/bird_gt.png", "unsupported", "finished class indices"),
        ("deeplab2_maps/panoptic_target.png", "unsupported", "16 bits"),
        ("mseg_misc/uint16img.png", "unknown-colours", "not in palette"),
        ("coco_panoptic/rgb_id/000000142238.png", "unknown-colours", "not in palette"),
        ("ade20k/ADE_train_00000970_raw.png", "unknown-colours", "not in palette"),
    ],
)
def test_what_is_no_colour_mask_is_told(
    shared: Path, tmp_path: Path, file: str, error: str, message: str
) -> None:
    report = convert_files([shared / "data" / file], tmp_path, "voc256")
    [row] = rows(report).values()
    assert (row["status"], row["error"]) == ("failed", error)
    assert message in row["message"]


def test_pngsuite_never_breaks_a_run(shared: Path, tmp_path: Path) -> None:
    """Every colour type and depth: converted exactly, or one clear row."""
    import zipfile

    with zipfile.ZipFile(shared / "data/pngsuite/pngsuite.zip") as archive:
        archive.extractall(tmp_path / "src")
    report = convert_directory(
        tmp_path / "src", tmp_path / "dst", "voc256", unknown="nearest", report=tmp_path / "r.jsonl"
    )
    found = rows(report)
    assert len(found) == 28
    good = [name for name, row in found.items() if row["status"] == "converted"]
    kinds = {row["error"] for row in found.values() if row["status"] == "failed"}
    assert len(good) >= 6
    assert kinds == {"unsupported"}
    check_against_reference(
        tmp_path / "src", tmp_path / "dst", load_palette("voc256"), good, unknown="nearest"
    )


def test_labelme_label_maps_keep_the_indices_that_numpy_files_hold(
    shared: Path, tmp_path: Path
) -> None:
    """VOC palettes, 255 for `__ignore__`; one map lies beside them as .npy, -1 for 255."""
    for folder in ("semantic", "instance"):
        for kind in (shared / "data/labelme" / folder).glob("Segmentation*"):
            report = convert_directory(kind, tmp_path / folder / kind.name, "voc256")
            assert (report.files["converted"], report.failed) == (3, 0)
            for name in rows(report):
                found = read_indices(tmp_path / folder / kind.name / name)
                assert np.array_equal(found, read_indices(kind / name)), name
    truth = np.load(shared / "data/labelme/semantic/2011_000003.npy")
    found = read_indices(tmp_path / "semantic/SegmentationClass/2011_000003.png")
    assert np.array_equal(found, np.where(truth == -1, 255, truth))


def test_a_palette_file_is_its_own_table(shared: Path, tmp_path: Path) -> None:
    """184 entries in one, 256 in the other: read from the PLTE, the indices stay."""
    for file in ("cocostuff_P/000000000934.png", "laneseg_P/3.png"):
        path = shared / "data" / file
        report = convert_files([path], tmp_path, path)
        assert report.failed == 0, report.failures
        assert np.array_equal(read_indices(tmp_path / path.name), read_indices(path))


@pytest.mark.parametrize(
    "file",
    [
        "ade20k/ADE_train_00000970_raw.png",
        "ade20k/ADE_train_00016869_seg.png",
        "coco_panoptic/rgb_id/000000142238.png",
        "coco_panoptic/two_channel/000000142238.png",
        "deeplab2_maps/cat_gt.png",
        "deeplab2_maps/dummy_gt_for_vps.png",
        "deeplab2_maps/team_gt_instance.png",
        "mseg_misc/test_seg_rgb_img.png",
    ],
)
def test_ids_in_colours_convert_with_a_table_of_them(
    shared: Path, tmp_path: Path, file: str
) -> None:
    """Colours that are ids, RGB and opaque RGBA: the palette is what the file holds."""
    path = shared / "data" / file
    with Image.open(path) as image:
        colours = sorted({rgb[:3] for _, rgb in image.getcolors(1 << 16)})
    palette = Palette.from_colours(colours)
    assert convert_files([path], tmp_path, palette).failed == 0
    check_against_reference(path.parent, tmp_path, palette, [path.name])


def test_391_colours_need_16_bits(shared: Path, tmp_path: Path) -> None:
    path = shared / "data/mseg_misc/uint16img.png"
    with Image.open(path) as image:
        pixels = np.array(image)
    palette = Palette.from_colours(np.unique(pixels.reshape(-1, 3), axis=0))
    with pytest.raises(PaletteSizeError, match="--depth 16"):
        convert_files([path], tmp_path, palette)
    assert convert_files([path], tmp_path, palette, depth=16).failed == 0
    with Image.open(tmp_path / "uint16img.png") as image:
        assert np.array_equal(palette.colours[np.array(image)], pixels)
