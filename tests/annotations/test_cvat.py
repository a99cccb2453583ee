"""CVAT for images 1.1: what each kind of shape covers, the names of images, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.cvat import Cvat
from gpuseg.annotations.recognising import recognise
from gpuseg.discover import Source
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, UsageError
from gpuseg.palette import Palette
from gpuseg.shapes import Picture
from gpuseg.verbs.rasterize import rasterize
from tests import pycocotools_judge
from tests.making import read_indices

SIZE = 'width="20" height="15"'
PALETTE = Palette.from_colours([(0, 0, 0), (1, 2, 3), (4, 5, 6)], ["background", "cat", "dog"])


def picture(shapes: str, sides: str = SIZE, **choices: Any) -> Picture:
    image = f'<image id="0" name="a.jpg" {sides}>{shapes}</image>'.encode()
    source = Source("annotations.xml", "a.jpg", content=image)
    return Cvat().read(source, ReadingChoices(**choices))


def drawn(shapes: str, **choices: Any) -> NDArray[np.unsignedinteger]:
    """Which shape each pixel belongs to, from 1."""
    found = picture(shapes, **choices)
    assert found.bad == ()
    return draw(found, "z", range(1, len(found.shapes) + 1), 0)


def written(folder: Path, images: str, name: str = "annotations.xml") -> Path:
    path = folder / name
    path.write_text(f"<annotations><version>1.1</version><meta/>{images}</annotations>")
    return path


def polygon(*points: float) -> NDArray[np.bool_]:
    return pycocotools_judge.polygon(points, 15, 20)


def test_polygon() -> None:
    found = drawn('<polygon label="cat" points="1.5,2.00;19.25,8;6,14.5"/>')
    np.testing.assert_array_equal(found == 1, polygon(1.5, 2, 19.25, 8, 6, 14.5))


def test_box() -> None:
    found = drawn('<box label="cat" xtl="2.4" ytl="3" xbr="9.7" ybr="8.5"/>')
    np.testing.assert_array_equal(found == 1, polygon(2.4, 3, 9.7, 3, 9.7, 8.5, 2.4, 8.5))


def test_a_turned_box_turns_clockwise_about_its_centre() -> None:
    found = drawn('<box label="cat" xtl="4" ytl="6" xbr="14" ybr="8" rotation="90"/>')
    np.testing.assert_array_equal(found == 1, polygon(10, 2, 10, 12, 8, 12, 8, 2))
    found = drawn('<box label="cat" xtl="4" ytl="6" xbr="14" ybr="8" rotation="30.00"/>')
    corners = 9 + 7j + np.array([-5 - 1j, 5 - 1j, 5 + 1j, -5 + 1j]) * np.exp(1j * np.pi / 6)
    want = polygon(*np.column_stack((corners.real, corners.imag)).ravel())
    np.testing.assert_array_equal(found == 1, want)


def test_ellipse() -> None:
    found = drawn('<ellipse label="cat" cx="9.6" cy="7" rx="6.2" ry="3.49" rotation="44.6"/>')
    want = np.zeros((15, 20), np.uint8)
    cv2.ellipse(want, (10, 7), (6, 3), 44.6, 0, 360, 1, thickness=-1)
    np.testing.assert_array_equal(found, want)


def test_mask_goes_along_the_rows_of_its_box() -> None:
    text = '<mask label="cat" rle="1, 2, 3, 4, 2" left="{}" top="{}" width="4" height="3"/>'
    box = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]])
    want = np.zeros((15, 20), np.uint8)
    want[5:8, 3:7] = box
    np.testing.assert_array_equal(drawn(text.format(3, 5)), want)
    np.testing.assert_array_equal(drawn(text.format(-2, 13))[13:, :2], box[:2, 2:])
    assert not drawn(text.format(50, 13)).any()


def test_kinds_without_an_area_are_left_out() -> None:
    shapes = """<polyline label="cat" points="1,2;8,9"/><points label="cat" points="1,2;8,9"/>
        <tag label="day"/><cuboid label="cat" xtl1="1"/><polyline label="dog" points="3,3;4,4"/>
        <skeleton label="cat"><points label="head" points="1,2"/></skeleton>"""
    found = picture(shapes)
    assert (found.shapes, found.bad) == ((), ())
    assert found.left_out == {"polyline": 2, "points": 1, "tag": 1, "cuboid": 1, "skeleton": 1}


def test_lines_and_points_of_a_width() -> None:
    found = drawn('<polyline label="cat" points="2,4;12,4"/>', line_width=3)
    assert np.argwhere(found).min(axis=0).tolist() == [3, 2]
    assert np.argwhere(found).max(axis=0).tolist() == [5, 12]
    found = drawn('<points label="cat" points="4,4;14,9"/>', line_width=4)
    assert found[4, 4] == found[9, 14] == found[4, 6] == found[9, 12] == 1
    assert not found[4, 7]
    assert not found[7, 9]


def box(left: int, **attributes: object) -> str:
    told = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<box label="cat" xtl="{left}" ytl="1" xbr="{left + 6}" ybr="7"{told}/>'


def test_order() -> None:
    """By z_order; of one, turned boxes come last, and the others in the order of the file."""
    shapes = box(2, z_order=1) + box(4) + box(6, rotation=180) + box(8) + box(9, z_order=-2)
    found = drawn(shapes)
    assert found[3].tolist() == [0, 0] + [1] * 6 + [3] * 4 + [4] * 2 + [5] + [0] * 5
    assert draw(picture(shapes), "file", range(1, 6), 0)[3, 9:15].tolist() == [5] * 6


def test_groups_are_instances() -> None:
    shapes = box(1, group_id=3) + box(2, group_id=3) + box(3, group_id=0) + box(4)
    assert [shape.instance for shape in picture(shapes).shapes] == ["3", "3", None, None]


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ('<polygon points="1,2;3,4;5,6"/>', "shape 2 has no label"),
        ('<polygon label="cat"/>', "shape 2 ('cat') has no points"),
        ('<polygon label="cat" points=""/>', "has points that are no x,y;x,y: ''"),
        ('<polygon label="cat" points="1,2;3"/>', "has points that are no x,y;x,y: '1,2;3'"),
        ('<polygon label="cat" points="1,2;3,4,5;6,7"/>', "has points that are no x,y;x,y"),
        ('<polygon label="cat" points="1,2;3,b;5,6"/>', "has points that are no x,y;x,y"),
        ('<polygon label="cat" points="1,2;3,4"/>', "needs at least 3 points, got 2"),
        ('<polygon label="cat" points="1,2;nan,4;5,6"/>', "has a point at x=nan y=4"),
        ('<polygon label="cat" points="1,2;3,4;5,1e9"/>', "has a point at x=5 y=1e+09"),
        ('<box label="cat" xtl="1" ytl="2" xbr="3"/>', "has no ybr"),
        ('<box label="cat" xtl="one" ytl="2" xbr="3" ybr="4"/>', "needs a number for xtl"),
        ('<box label="cat" xtl="inf" ytl="2" xbr="3" ybr="4"/>', "has xtl inf"),
        ('<box label="cat" xtl="1" ytl="2" xbr="3" ybr="4" z_order="x"/>', "number for z_order"),
        ('<box label="cat" xtl="1" ytl="2" xbr="3" ybr="4" rotation="nan"/>', "has rotation nan"),
        ('<ellipse label="cat" cx="1" cy="2" rx="-3" ry="4"/>', "has half axes of -3 and 4"),
        ('<star label="cat"/>', "is of a type that is not known: 'star'"),
    ],
)
def test_bad_shapes(shape: str, why: str) -> None:
    found = picture(box(1) + shape + box(2))
    assert [each.number for each in found.shapes] == [1, 3]
    assert why in str(found.bad[0])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('rle="4,9" left="0" top="0" width="4" height="3"', "has an rle of 13 pixels"),
        ('rle="-4,16" left="0" top="0" width="4" height="3"', "the least of its runs -4"),
        ('rle="4,a" left="0" top="0" width="4" height="3"', "has an rle that is no list"),
        ('rle="" left="0" top="0" width="4" height="3"', "has an rle that is no list"),
        (f'rle="{9 * 10**99}" left="0" top="0" width="4" height="3"', "has an rle of 9,000,"),
        ('left="0" top="0" width="4" height="3"', "has no rle"),
        ('rle="12" left="0.5" top="0" width="4" height="3"', "needs a whole number for left"),
        ('rle="12" left="0" top="0" width="0" height="3"', "a mask of 0 x 3 pixels in an image"),
        (
            'rle="90000000000" left="0" top="0" width="300000" height="300000"',
            "has a mask of 300000 x 300000 pixels in an image of 20 x 15",
        ),
    ],
)
def test_bad_masks(told: str, why: str) -> None:
    (bad,) = picture(f'<mask label="cat" {told}/>').bad
    assert why in str(bad)


@pytest.mark.parametrize("size", ['width="20"', 'width="0" height="15"', 'width="2e1" height="1"'])
def test_sizes_that_are_none(size: str) -> None:
    with pytest.raises(AnnotationError, match="gives its image a size of"):
        picture("", size)


def test_a_size_that_is_not_told() -> None:
    found = picture("", "", size=(7, 5))
    assert (found.width, found.height) == (7, 5)


def image(name: str, told: str = "", shapes: str = "") -> str:
    return f'<image id="0" name="{name}" {told} {SIZE}>{shapes}</image>'


def names(path: Path) -> list[str]:
    album = Cvat().album(os.fspath(path), ReadingChoices())
    found = list(album.names())
    assert [record.name for record in album] == found
    return found


def test_images_are_named_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, image("b/a.jpg", 'subset="Train"') + image("ä &amp; c.png"))
    assert names(path) == ["b/a.jpg", "ä & c.png"]


def test_images_of_one_name_go_to_folders_of_subsets(tmp_path: Path) -> None:
    images = image("a.jpg", 'subset="Train"') + image("a.png", 'subset="Test"') + image("b.jpg")
    assert names(written(tmp_path, images)) == ["Train/a.jpg", "Test/a.png", "b.jpg"]


def test_images_that_nothing_tells_apart_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, image("a.jpg") + image("a.jpg") + image("b.jpg"))
    report = rasterize(path, tmp_path / "out", PALETTE)
    assert report.files == {"converted": 1, "failed": 2}


def test_a_video_names_the_export_to_choose(tmp_path: Path) -> None:
    path = written(tmp_path, '<track id="0" label="cat"><box frame="0"/></track>')
    assert recognise(os.fspath(path)).name == "cvat"
    report = rasterize(path, tmp_path / "out", PALETTE)
    assert report.failed == 1
    assert "export it as CVAT for images 1.1" in report.failures[0].message


def test_a_broken_end_is_a_row(tmp_path: Path) -> None:
    path = written(tmp_path, image("a.jpg", shapes=box(1)) + image("b.jpg") + image("c.jpg"))
    path.write_bytes(path.read_bytes()[:-40])
    report = rasterize(path, tmp_path / "out", PALETTE)
    assert report.files == {"converted": 2, "failed": 1}
    assert "is no XML that can be read" in report.failures[0].message
    assert read_indices(tmp_path / "out/a.png")[3, :9].tolist() == [0] + [1] * 6 + [0] * 2


def test_other_xml_is_not_recognised(tmp_path: Path) -> None:
    for text in ("<annotation><object/></annotation>", "<annotations><meta/></annotations>"):
        (tmp_path / "a.xml").write_text(text)
        with pytest.raises(UsageError, match="in no format"):
            recognise(os.fspath(tmp_path / "a.xml"))


def test_one_changed_image_is_made_anew(tmp_path: Path) -> None:
    path = written(tmp_path, image("a.jpg", shapes=box(1)) + image("b.jpg", shapes=box(2)))
    assert rasterize(path, tmp_path / "out", PALETTE).files == {"converted": 2}
    written(tmp_path, image("new.jpg") + image("a.jpg", shapes=box(1)) + image("b.jpg"))
    again = rasterize(path, tmp_path / "out", PALETTE)
    assert again.files == {"converted": 2, "unchanged": 1}
