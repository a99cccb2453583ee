"""Masks of VOC and CVAT: classes by labelmap.txt, instances, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gpuseg import convert_directory
from gpuseg.annotations.recognising import recognise
from gpuseg.annotations.voc_masks import VocMasks, instance_number
from gpuseg.palette import Palette, voc_colormap
from gpuseg.results import Report
from gpuseg.verbs.rasterize import rasterize
from tests.making import read_indices

TABLE = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:9,8,7::\ndog:1,2,3::\n"
COLOURS = np.array([(0, 0, 0), (9, 8, 7), (1, 2, 3)], np.uint8)
CLASSES = np.array([[0, 1, 1, 2], [0, 1, 2, 2], [0, 0, 2, 1]], np.uint8)
OBJECTS = np.array([[0, 1, 1, 3], [0, 1, 3, 3], [0, 0, 4, 2]], np.uint8)
PALETTE = Palette.from_colours([(0, 0, 0), (5, 5, 5), (6, 6, 6)], ["background", "dog", "cat"])
WANTED = np.array([0, 2, 1], np.uint8)[CLASSES]


def saved(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    root = tmp_path / "dump"
    saved(root / "SegmentationClass/a.png", COLOURS[CLASSES])
    saved(root / "SegmentationObject/a.png", voc_colormap(256)[OBJECTS])
    saved(root / "JPEGImages/a.jpg", COLOURS[CLASSES])
    (root / "labelmap.txt").write_text(TABLE)
    return root


def drawn(dump: Path, palette: Palette = PALETTE, **options: Any) -> Report:
    return rasterize(dump, dump.parent / "out", palette, **options)


def test_classes_by_name(dump: Path) -> None:
    assert recognise(os.fspath(dump)).name == "voc"
    report = drawn(dump)
    assert report.files == {"converted": 1}
    assert sum(report.left_alone.values()) == 3
    np.testing.assert_array_equal(read_indices(dump.parent / "out/a.png"), WANTED)


def test_palette_images(dump: Path) -> None:
    image = Image.fromarray(CLASSES[::-1].copy())
    image.putpalette(COLOURS.tobytes())
    image.save(dump / "SegmentationClass/a.png")
    drawn(dump)
    np.testing.assert_array_equal(read_indices(dump.parent / "out/a.png"), WANTED[::-1])


def test_background_is_what_no_class_covers(dump: Path) -> None:
    names = Palette.from_colours([(5, 5, 5), (6, 6, 6)], ["dog", "cat"])
    assert drawn(dump, names).files == {"converted": 1}
    found = read_indices(dump.parent / "out/a.png")
    np.testing.assert_array_equal(found, np.array([255, 1, 0], np.uint8)[CLASSES])


def test_instances_keep_their_numbers(dump: Path) -> None:
    drawn(dump, instances="palette")
    np.testing.assert_array_equal(read_indices(dump.parent / "out/a.png"), OBJECTS)
    drawn(dump, instances="16", overwrite=True)
    with Image.open(dump.parent / "out/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), OBJECTS)


def test_an_instance_of_two_classes_is_two(dump: Path) -> None:
    saved(dump / "SegmentationObject/a.png", voc_colormap(256)[np.full((3, 4), 7)])
    drawn(dump, instances="palette")
    np.testing.assert_array_equal(read_indices(dump.parent / "out/a.png"), CLASSES)


def test_instance_numbers_are_those_of_the_colour_map() -> None:
    colours = voc_colormap(256).astype(int) @ [1, 1 << 8, 1 << 16]
    assert [instance_number(id) for id in colours.tolist()] == list(range(256))
    assert len({instance_number(id) for id in range(0, 1 << 24, 1009)}) == (1 << 24) // 1009 + 1


def test_borders_lie_between_instances_of_one_class_too(dump: Path) -> None:
    large = np.ones((6, 6), np.uint8)
    saved(dump / "SegmentationClass/a.png", COLOURS[np.kron(CLASSES, large)])
    saved(dump / "SegmentationObject/a.png", voc_colormap(256)[np.kron(OBJECTS, large)])
    drawn(dump, border=1)
    found = read_indices(dump.parent / "out/a.png")
    assert found[8:16, 15].tolist() == [1, 1, 1, 255, 255, 1, 1, 1]  # dogs 3 and 4
    assert found[3, :8].tolist() == [0, 0, 0, 0, 0, 255, 255, 2]


def test_without_a_table_the_classes_are_those_of_voc(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 20, 255]], np.uint8)
    saved(tmp_path / "dump/SegmentationClass/a.png", voc_colormap(256)[indices])
    names = ["tvmonitor", "background", "aeroplane"]
    palette = Palette.from_colours([(1, 1, 1), (2, 2, 2), (3, 3, 3)], names)
    report = drawn(tmp_path / "dump", palette)
    assert report.files == {"converted": 1}, report.failures
    assert read_indices(tmp_path / "out/a.png").tolist() == [[1, 2, 0, 255]]


def test_the_nearest_table_counts(dump: Path) -> None:
    saved(dump / "b/SegmentationClass/c/a.png", COLOURS[CLASSES])
    saved(dump / "d/SegmentationClass/a.png", COLOURS[CLASSES])
    (dump / "b/labelmap.txt").write_text("background:0,0,0::\ndog:9,8,7::\ncat:1,2,3::\n")
    assert drawn(dump).files == {"converted": 3}
    other = np.array([0, 1, 2], np.uint8)[CLASSES]
    np.testing.assert_array_equal(read_indices(dump.parent / "out/b/c/a.png"), other)
    np.testing.assert_array_equal(read_indices(dump.parent / "out/d/a.png"), WANTED)


def test_a_changed_table_makes_label_maps_anew(dump: Path) -> None:
    drawn(dump)
    assert drawn(dump).files == {"unchanged": 1}
    (dump / "labelmap.txt").write_text(TABLE.replace("cat", "dogs").replace("dog:", "cat:"))
    assert drawn(dump, unknown="ignore").files == {"converted": 1}
    (dump / "labelmap.txt").write_text(TABLE.replace("cat", "x").replace("dog:", "cat:") + "\n")
    assert drawn(dump, unknown="ignore").files == {"converted": 1}


def failure(dump: Path, **options: Any) -> str:
    report = drawn(dump, **options)
    assert report.files == {"failed": 1}
    return report.failures[0].message


def test_unknown_colours(dump: Path) -> None:
    pixels = COLOURS[CLASSES]
    pixels[1, 2:] = 200, 100, 50
    pixels[2, 3] = 1, 2, 4
    saved(dump / "SegmentationClass/a.png", pixels)
    report = drawn(dump)
    (row,) = report.failures
    assert row.message.startswith(
        "3 of 12 pixels have a colour that labelmap.txt does not hold: "
        "#c86432 2 px, first at x=2 y=1; #010204 1 px, first at x=3 y=2; add it there"
    )
    assert (row.error, row.unknown_pixels) == ("unknown-colours", 3)


def test_a_class_that_the_palette_does_not_hold(dump: Path) -> None:
    (dump / "labelmap.txt").write_text(TABLE.replace("dog", "fox") + "unused:7,7,7::\n")
    assert "has labels that the palette does not hold: 'fox'" in failure(dump)


def test_a_colour_of_two_classes(dump: Path) -> None:
    (dump / "labelmap.txt").write_text(TABLE + "fox:1,2,3::\n")
    assert "has pixels of #010203, which labelmap.txt gives to dog and fox" in failure(dump)


@pytest.mark.parametrize("table", ["", "cat:1,2::\n", "\0", "cat:1,2,300::"])
def test_a_table_that_cannot_be_read(dump: Path, table: str) -> None:
    (dump / "labelmap.txt").write_text(table)
    assert "has a table of classes that cannot be read: labelmap.txt" in failure(dump)


def test_instances_that_are_missing(dump: Path) -> None:
    os.remove(dump / "SegmentationObject/a.png")
    assert "which --instances and --border need" in failure(dump, instances="16")


def test_instances_of_another_size(dump: Path) -> None:
    saved(dump / "SegmentationObject/a.png", voc_colormap(256)[OBJECTS[:, :3]])
    message = failure(dump, border=2)
    assert message.startswith("is 4 x 3 pixels, and its mask of instances ")
    assert message.endswith(" 3 x 3; export both anew")


def test_a_mask_of_instances_that_is_damaged(dump: Path) -> None:
    (dump / "SegmentationObject/a.png").write_bytes(b"no image")
    assert f"SegmentationObject{os.sep}a.png" in failure(dump, instances="16")


def test_names_of_label_maps() -> None:
    format = VocMasks()
    assert format.target("SegmentationClass/a.png") == "a.png"
    assert format.target("b/SegmentationClass/c/a.tif") == "b/c/a.png"
    assert not format.takes("SegmentationObject/a.png")
    assert not format.takes("SegmentationClass.png")


def test_animals(shared: Path, tmp_path: Path) -> None:
    """As `convert` has them by the same labelmap.txt; instances as CVAT painted them."""
    folder = shared / "data/animals_cvat_voc"
    palette = folder / "labelmap.txt"
    assert rasterize(folder, tmp_path / "classes", palette).files == {"converted": 7}
    rasterize(folder, tmp_path / "objects", palette, instances="palette")
    for animal in ("cheetah", "fox"):
        masks = folder / animal / "SegmentationClass"
        convert_directory(masks, tmp_path / "converted" / animal, palette)
        for path in sorted((tmp_path / "converted" / animal).glob("*.png")):
            name = f"{animal}/{path.name}"
            classes = read_indices(tmp_path / "classes" / name)
            np.testing.assert_array_equal(classes, read_indices(path))
            with Image.open(folder / animal / "SegmentationObject" / path.name) as image:
                objects = voc_colormap(256)[read_indices(tmp_path / "objects" / name)]
                np.testing.assert_array_equal(objects, np.asarray(image))


def test_masks_of_datumaro(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/datumaro_tiny/voc_dataset/voc_dataset1"
    assert rasterize(folder, tmp_path / "out", "voc").files == {"converted": 1}
    with Image.open(folder / "SegmentationClass/2007_000001.png") as image:
        want = np.asarray(image.convert("RGB"))
    found = read_indices(tmp_path / "out/2007_000001.png")
    np.testing.assert_array_equal(voc_colormap(256)[found], want)
