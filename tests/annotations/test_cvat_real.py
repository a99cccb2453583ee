"""Real files of CVAT, against the masks that CVAT made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.palette import Palette
from gpuseg.verbs.rasterize import rasterize
from tests.making import read_indices

URBAN = {
    "background": (0, 0, 0),
    "CAR": (250, 50, 83),
    "TRAFFIC_SIGN": (255, 204, 51),
    "PEDESTRIAN": (61, 245, 61),
    "ROAD_SURFACE": (61, 61, 245),
}
"""The colours of the file's labels."""

ROUNDED = {"chris-kursikowski-FavVDBvOm2A-unsplash": 10}
"""Pixels at edges of a turned box: the file has two decimals of what CVAT drew."""


@pytest.mark.slow
def test_cities(shared: Path, tmp_path: Path) -> None:
    """48 masks and 7 boxes, 2 of them turned, on 5.8 to 17.9 million pixels an image."""
    folder = shared / "data/urban_cvat_rle"
    palette = Palette.from_colours(URBAN.values(), URBAN)
    report = rasterize(folder / "annotations.xml", tmp_path, palette)
    assert report.files == {"converted": 5}
    differing = {}
    for path in sorted(tmp_path.glob("*.png")):
        with Image.open(folder / f"{path.stem}_mask.jpg") as mask:  # a PNG
            wrong = (palette.colours[read_indices(path)] != np.asarray(mask)).any(axis=2).sum()
        if wrong:
            differing[path.stem] = int(wrong)
    assert differing == ROUNDED


def test_an_export_of_subsets(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/datumaro_tiny/cvat_dataset/for_images"
    palette = Palette.from_colours(
        [(0, 0, 0), (1, 1, 1), (2, 2, 2)], ["background", "label1", "label2"]
    )
    report = rasterize(folder / "export_project/annotations.xml", tmp_path, palette)
    assert report.files == {"converted": 6}
    for subset in ("Train", "Test", "Validation"):
        box = np.zeros((8, 8), np.uint8)
        box[2:4, :4] = 1
        np.testing.assert_array_equal(read_indices(tmp_path / subset / "img0.png"), box)
        assert set(read_indices(tmp_path / subset / "img1.png").ravel().tolist()) == {0, 1}


def test_a_shape_without_a_name_is_an_unknown_label(shared: Path, tmp_path: Path) -> None:
    path = shared / "data/datumaro_tiny/cvat_dataset/for_images/export_task/train.xml"
    palette = Palette.from_colours([(0, 0, 0), (1, 1, 1)], ["background", "label1"])
    report = rasterize(path, tmp_path, palette)
    assert report.files == {"converted": 1, "failed": 1}
    assert "has labels that the palette does not hold: ''" in report.failures[0].message


def test_a_video(shared: Path, tmp_path: Path) -> None:
    path = shared / "data/datumaro_tiny/cvat_dataset/for_video/annotations.xml"
    report = rasterize(path, tmp_path, Palette.from_colours([(0, 0, 0)], ["II"]))
    assert report.files == {"failed": 1}
    assert "export it as CVAT for images 1.1" in report.failures[0].message


@pytest.mark.slow
def test_xml_and_coco_of_one_revision(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/urban_cvat_rle"
    palette = Palette.from_colours(URBAN.values(), URBAN)
    rasterize(folder / "old_rev_annotations.xml", tmp_path / "xml", palette)
    coco = folder / "old_rev_instances_default.json"
    rasterize(coco, tmp_path / "coco", palette, crowd="class")
    names = sorted(path.name for path in (tmp_path / "xml").glob("*.png"))
    assert len(names) == 5
    for name in names:
        one, other = read_indices(tmp_path / "xml" / name), read_indices(tmp_path / "coco" / name)
        np.testing.assert_array_equal(one, other)
