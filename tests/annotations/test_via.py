"""VGG Image Annotator: both versions, and shapes as its export to COCO has them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.format import Record
from gpuseg.annotations.recognising import recognise
from gpuseg.annotations.via import Via
from gpuseg.discover import Source
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, MaskError, MaskSizeError, UsageError
from gpuseg.labels import load_label
from gpuseg.palette import Palette
from gpuseg.shapes import Picture
from gpuseg.verbs.rasterize import rasterize
from tests import pycocotools_judge
from tests.annotations.damaging import damaged

SIZE = (24, 16)


def region(kind: str, attributes: Any = None, **shape: Any) -> dict[str, Any]:
    wanted = {"class": "car"} if attributes is None else attributes
    return {"shape_attributes": {"name": kind, **shape}, "region_attributes": wanted}


def image(name: str, *regions: Any) -> dict[str, Any]:
    return {"filename": name, "size": 9, "regions": list(regions), "file_attributes": {}}


def project(*images: Any) -> dict[str, Any]:
    ids = [f"{each['filename']}9" for each in images]
    return {
        "_via_settings": {"core": {"buffer_size": 18}},
        "_via_img_metadata": dict(zip(ids, images, strict=True)),
        "_via_attributes": {"region": {"class": {"type": "text"}}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": ids,
    }


def saved(folder: Path, value: Any) -> Path:
    path = folder / "via.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def records(path: Path, label_key: str | None = None) -> list[Record]:
    return list(Via().album(str(path), ReadingChoices(label_key=label_key)))


def read(folder: Path, *regions: Any, label_key: str | None = None, **choices: Any) -> Picture:
    """The picture of one image with these regions."""
    (record,) = records(saved(folder, project(image("a.jpg", *regions))), label_key)
    source = Source(str(folder / "via.json"), record.name, content=record.content)
    return Via().read(source, ReadingChoices(**{"size": SIZE, **choices}))


RECT = region("rect", x=1, y=1, width=3, height=2)


def test_shapes_are_those_of_the_export_to_coco(tmp_path: Path) -> None:
    xs, ys = [1, 9, 9, 4.5], [2, 0, 14.25, 16]
    shapes: list[tuple[dict[str, Any], list[float]]] = [
        (region("rect", x=2, y=3, width=7, height=5), [2, 3, 9, 3, 9, 8, 2, 8]),
        (
            region("polygon", all_points_x=xs, all_points_y=ys),
            [v for point in zip(xs, ys, strict=True) for v in point],
        ),
        (region("circle", cx=8, cy=7, r=6.5), exported(8, 7, 6.5, 6.5, 0)),
        (region("ellipse", cx=12, cy=8, rx=9, ry=3, theta=0.6), exported(12, 8, 9, 3, 0.6)),
        (region("ellipse", cx=12, cy=8, rx=9, ry=3), exported(12, 8, 9, 3, 0)),
    ]
    for value, polygon in shapes:
        outline = [*zip(polygon[::2], polygon[1::2], strict=True)]
        wanted = pycocotools_judge.polygon(outline, SIZE[1], SIZE[0])
        assert wanted.any()
        assert np.array_equal(draw(read(tmp_path, value), "file", [1], 0), wanted)


def exported(x: float, y: float, rx: float, ry: float, theta: float) -> list[float]:
    """As `via_region_shape_to_coco_annotation` says it: a vertex every 5 degrees."""
    found = []
    for degrees in range(0, 360, 5):
        across, down = rx * math.cos(math.radians(degrees)), ry * math.sin(math.radians(degrees))
        found.append(round(x + across * math.cos(theta) - down * math.sin(theta), 3))
        found.append(round(y + across * math.sin(theta) + down * math.cos(theta), 3))
    return found


def test_a_rectangle_covers_as_many_pixels_as_it_is_wide_and_high(tmp_path: Path) -> None:
    values = draw(read(tmp_path, RECT), "file", [1], 0)
    assert values[1:3, 1:4].all()
    assert values.sum() == 6


def test_points_and_polylines_are_left_out_unless_they_are_given_a_width(tmp_path: Path) -> None:
    others = (
        region("point", cx=5, cy=5),
        region("polyline", all_points_x=[1, 9], all_points_y=[4, 4]),
    )
    picture = read(tmp_path, *others, RECT)
    assert picture.left_out == {"point": 1, "polyline": 1}
    assert [shape.number for shape in picture.shapes] == [3]
    picture = read(tmp_path, *others, line_width=3)
    assert not picture.left_out
    assert draw(picture, "file", [1, 2], 0)[3:6, 2].tolist() == [2, 2, 2]


def test_version_1_has_objects_of_regions_and_no_project(tmp_path: Path) -> None:
    first = image("a.jpg") | {"regions": {"0": RECT, "1": RECT}}
    path = saved(tmp_path, {"a.jpg9": first, "b.jpg9": image("b.jpg", RECT)})
    assert isinstance(recognise(str(path)), Via)
    found = records(path)
    assert [record.name for record in found] == ["a.jpg", "b.jpg"]
    assert json.loads(found[0].content) == ["class", "a.jpg", [RECT, RECT]]


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"class": "car"}, "car"),
        ({"class": {"car": True}}, "car"),
        ({"class": {"car": True, "bus": False}}, "car"),
        ({"class": "stra\u00dfe \u9053"}, "stra\u00dfe \u9053"),
    ],
)
def test_the_only_attribute_is_the_class(
    tmp_path: Path, attributes: Mapping[str, Any], label: str
) -> None:
    value = region("rect", attributes, x=1, y=1, width=3, height=2)
    assert read(tmp_path, value).shapes[0].label == label


def test_of_several_attributes_the_user_names_one(tmp_path: Path) -> None:
    value = region("rect", {"kind": "car", "colour": "red"}, x=1, y=1, width=3, height=2)
    with pytest.raises(AnnotationError, match=r"2 attributes: kind, colour; .* --label-key"):
        read(tmp_path, value)
    assert read(tmp_path, value, label_key="colour").shapes[0].label == "red"
    # even where each image has one: else what a class is would change from image to image
    path = saved(tmp_path, project(image("a", RECT), image("b", region("rect", {"seen": "yes"}))))
    with pytest.raises(AnnotationError, match="class, seen"):
        records(path)


BOX = {"x": 0, "y": 0, "width": 1, "height": 1}
BAD = {
    "no object": (7, "is no object: 7"),
    "no shape": ({"region_attributes": {"class": "a"}}, "has no shape: "),
    "type": (region("cuboid"), "a type that is not known: 'cuboid'"),
    "type list": (region(["rect"]), "a type that is not known: ['rect']"),
    "no class": (region("rect", {}, **BOX), "no attribute 'class' for its class"),
    "class list": (region("rect", [], **BOX), "no attribute 'class' for its class"),
    "empty class": (region("rect", {"class": ""}, **BOX), "nothing in 'class' for its class"),
    "number": (region("rect", {"class": 3}, **BOX), "a text for its label, got 3"),
    "nothing ticked": (region("rect", {"class": {"a": False}}, **BOX), "got none"),
    "two ticked": (region("rect", {"class": {"a": True, "b": True}}, **BOX), "got a, b"),
    "no width": (region("rect", x=1, y=1, height=3), "a number for width, got None"),
    "text": (region("circle", cx="1", cy=1, r=3), "a number for cx, got '1'"),
    "bool": (region("circle", cx=True, cy=1, r=3), "a number for cx, got True"),
    "negative": (region("rect", x=1, y=1, width=-1, height=3), "width of 0 or more, got -1"),
    "negative radius": (region("ellipse", cx=1, cy=1, rx=1, ry=-3), "ry of 0 or more, got -3"),
    "NaN": (region("circle", cx=1, cy=1, r=math.nan), "has r nan"),
    "far": (region("ellipse", cx=1e300, cy=1, rx=1, ry=3), "has cx 1e+300"),
    "theta": (region("ellipse", cx=1, cy=1, rx=1, ry=3, theta="x"), "for theta, got 'x'"),
    "points": (region("polygon", all_points_x=[1, 2, 3]), "as many x as y"),
    "uneven": (region("polygon", all_points_x=[1], all_points_y=[]), "as many x as y"),
    "few": (region("polygon", all_points_x=[1, 2], all_points_y=[1, 2]), "at least 3 points"),
    "no numbers": (
        region("polygon", all_points_x=["1", 2, 3], all_points_y=[1, 2, 3]),
        "a coordinate that is no number: '1'",
    ),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_regions_that_cannot_be_drawn(tmp_path: Path, value: Any, message: str) -> None:
    picture = read(tmp_path, value, RECT)
    assert [shape.number for shape in picture.shapes] == [2]
    (bad,) = picture.bad
    assert message in str(bad)


def test_regions_without_any_attribute_have_no_class(tmp_path: Path) -> None:
    (bad,) = read(tmp_path, region("rect", {}, **BOX)).bad
    assert str(bad) == "shape 1 has no class"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "is no JSON"),
        (b'{"_via_img_metadata": {"a": {"filename": "a"', "is no JSON"),
        (b"[1]", "a list in ''"),
        ({"images": [1]}, "a list in 'images'"),
        ({"a": 3}, "an object for image 'a', got 3"),
        ({"_via_img_metadata": 3}, "an object for image '_via_img_metadata'"),
        (project(image("a", RECT)) | {"_via_img_metadata": {"a": {}}}, "`filename` is None"),
        ({"a": image("a") | {"regions": 3}}, "a list for `regions`, got 3"),
        ({"project": {}, "config": {}, "file": {}}, "VIA 3"),
        ({"a": {"filename": "a", "regions": []}, "b": None}, "an object for image 'b'"),
        (b'{"\xff": 3}', "no text in UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        records(saved(tmp_path, value))


def test_whatever_stands_anywhere_is_drawn_or_told_of(tmp_path: Path) -> None:
    regions = (
        region("polygon", all_points_x=[1, 9, 9], all_points_y=[2, 0, 14.25]),
        region("ellipse", {"class": {"car": True}}, cx=12, cy=8, rx=9, ry=3, theta=0.6),
        region("point", cx=5, cy=5),
        RECT,
    )
    outcomes = {"drawn": 0, "bad": 0, "failed": 0}
    for value in damaged(project(image("a.jpg", *regions))):
        path = saved(tmp_path, value)
        try:
            found = records(path, "class")
            sources = [Source(str(path), r.name, content=r.content) for r in found]
            choices = ReadingChoices(size=SIZE, line_width=2)
            pictures = [Via().read(source, choices) for source in sources]
        except MaskError:
            outcomes["failed"] += 1
            continue
        outcomes["bad" if any(picture.bad for picture in pictures) else "drawn"] += 1
        for picture in pictures:
            draw(picture, "file", range(1, len(picture.shapes) + 1), 0)
    assert min(outcomes.values()) > 30


def test_sizes_come_from_the_user_or_from_images(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="does not say how large its image is"):
        read(tmp_path, RECT, size=None)
    Image.new("L", (7, 5)).save(tmp_path / "a.jpg")
    picture = read(tmp_path, RECT, size=None)
    assert (picture.width, picture.height) == (7, 5)
    with pytest.raises(MaskSizeError):
        read(tmp_path, RECT, max_pixels=SIZE[0] * SIZE[1] - 1)


def test_a_project_of_version_3_is_told_of(tmp_path: Path) -> None:
    keys = ("project", "config", "attribute", "file", "metadata", "view")
    path = saved(tmp_path, {key: {} for key in keys})
    assert isinstance(recognise(str(path)), Via)
    with pytest.raises((AnnotationError, UsageError), match="VIA 3"):
        records(path)


def test_a_project_becomes_label_maps(tmp_path: Path) -> None:
    wide = region("rect", {"class": "sky"}, x=0, y=2, width=2, height=9)
    path = saved(
        tmp_path,
        project(
            image("a.jpg", RECT, wide),
            image("sub/b.png"),
            image("https://host.example/c.jpg?x=1", RECT),
            image("../d.jpg", RECT),
        ),
    )
    colours = [(0, 0, 0), (1, 1, 1), (2, 2, 2)]
    palette = Palette.from_colours(colours, ["background", "car", "sky"])
    report = rasterize(path, tmp_path / "dst", palette, size=(5, 4))
    assert report.files == {"converted": 3, "failed": 1}
    assert load_label(tmp_path / "dst" / "a.png").tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [2, 2, 1, 1, 0],
        [2, 2, 0, 0, 0],
    ]
    assert not load_label(tmp_path / "dst" / "sub" / "b.png").any()
    assert not (tmp_path / "d.png").exists()


def test_a_change_makes_its_image_anew_and_no_other(tmp_path: Path) -> None:
    palette = Palette.from_colours([(0, 0, 0), (1, 1, 1)], ["background", "car"])

    def run(*regions: Any) -> dict[str, int]:
        path = saved(tmp_path, project(image("a.jpg", *regions), image("b.jpg", RECT)))
        return dict(rasterize(path, tmp_path / "dst", palette, size=(5, 4)).files)

    assert run(RECT) == {"converted": 2}
    assert run(RECT) == {"unchanged": 2}
    assert run(RECT, RECT) == {"converted": 1, "unchanged": 1}
