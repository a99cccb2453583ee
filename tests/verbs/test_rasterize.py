"""`rasterize` over files and folders of LabelMe: pixels, policies, rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.palette import voc_colormap
from gpuseg.palettes.of_run import palette_of_run
from tests.annotations.labelme_files import (
    HEIGHT,
    SHAPES,
    WIDTH,
    draw_all,
    mask_shape,
    shape,
)
from tests.helpers import REPORT, tree
from tests.making import PALETTE
from tests.rasterizing.places import INNER, TRIANGLE, Place, wanted


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_folder(place: Place) -> None:
    place.save()
    place.save("sub/b.jpg.json", SHAPES[:4])
    (place.src / "b.jpg").write_bytes(b"the image")
    report = place.run()
    assert (report.files["converted"], report.exit_code) == (2, 0)
    assert report.pixels == 2 * WIDTH * HEIGHT
    assert tree(place.dst) == ["a.png", "sub/b.png"]
    assert np.array_equal(place.labels(), wanted())
    assert np.array_equal(place.labels("sub/b.png"), wanted(SHAPES[:4]))
    with Image.open(place.dst / "a.png") as image:
        assert bytes(image.getpalette("RGB")) == PALETTE.plte()
    row = place.rows().files["a.json"]
    assert (row["width"], row["height"], row["format"]) == (WIDTH, HEIGHT, "LabelMe JSON")
    assert row["shapes"] == len(SHAPES)
    assert set(row["seconds"]) == {"read", "draw", "encode", "write"}
    found = palette_of_run(place.dst)
    assert found is not None
    assert found.classes == PALETTE.classes


def test_the_report_says_which_format_was_found(place: Place) -> None:
    place.save()
    assert "annotations: LabelMe JSON (auto)" in place.run().summary()
    head = place.rows().header
    assert (head["verb"], head["annotations"], head["background"]) == ("rasterize", "labelme", 0)
    report = place.run(format="labelme")
    assert "; annotations: LabelMe JSON" in report.summary()
    assert "auto" not in report.summary()


def test_one_file(place: Place) -> None:
    path = place.save("deep/down/a.json")
    report = gpuseg.rasterize(path, place.dst, PALETTE)
    assert (report.exit_code, tree(place.dst)) == (0, ["a.png"])


@pytest.mark.parametrize("order", ["file", "reverse", "area"])
def test_orders(place: Place, order: Any) -> None:
    pair = [shape("a", INNER), shape("b", TRIANGLE)]
    place.save("a.json", pair)
    place.run(order=order)
    lies = pair if order == "file" else pair[::-1]
    assert np.array_equal(place.labels(), wanted(lies))


def test_unknown_labels_fail_the_image_or_are_ignored_and_counted(place: Place) -> None:
    shapes = [shape("B", TRIANGLE), shape("a", INNER), shape("zebra", [[0, 0], [3, 0], [0, 3]])]
    place.save("a.json", shapes)
    place.save("good.json")
    report = place.run()
    assert dict(report.files) == {"converted": 1, "failed": 1}
    row = place.rows().files["a.json"]
    assert row["error"] == "unknown-labels"
    assert "'B' ('b' is one), 'zebra'; add them" in row["message"]

    report = place.run(unknown="ignore")
    assert dict(report.files) == {"converted": 2}  # an option that shapes labels: all anew
    made = place.labels()
    assert np.array_equal(made, wanted(shapes, B=255, zebra=255))
    row = place.rows().files["a.json"]
    counts = {
        name: int((draw_all(shapes, [1, 2, 3]) == n).sum()) for n, name in ((1, "B"), (3, "zebra"))
    }
    assert row["unknown_labels"] == counts
    assert row["unknown_pixels"] == (made == 255).sum()
    told = f"{(made == 255).sum():,} pixels of unknown labels were given the ignore index in 1 file"
    assert told in report.summary()
    assert "colour" not in report.summary()
    again = place.run(unknown="ignore")  # remembered by the label map
    assert (again.files["unchanged"], again.unknown_pixels) == (2, (made == 255).sum())


def test_bad_shapes_fail_the_image_or_are_left_out_and_told(place: Place) -> None:
    bad = [shape("b", [[1, 2]]), shape("c", [[1, 1], [2, 2], [float("nan"), 1]])]
    place.save("a.json", [shape("a", TRIANGLE), *bad, shape("d", INNER)])
    assert place.run().files["failed"] == 1
    row = place.rows().files["a.json"]
    assert row["error"] == "annotation"
    assert "shape 2 ('b') needs at least 3 points, got 1; shape 3 ('c') has" in row["message"]
    assert row["message"].endswith("mend the annotation, or choose --bad-shapes skip")

    report = place.run(bad_shapes="skip")
    assert "1 file with warnings" in report.summary()
    row = place.rows().files["a.json"]
    assert (row["shapes"], row["bad_shapes"]) == (2, 2)
    assert row["warnings"][0].startswith("left out: shape 2 ('b') needs")
    assert np.array_equal(place.labels(), wanted([shape("a", TRIANGLE), shape("d", INNER)]))


def test_many_bad_shapes_are_counted(place: Place) -> None:
    place.save("a.json", [shape("a" * 10_000, [])] * 400)
    place.run()
    message = place.rows().files["a.json"]["message"]
    assert "and 395 more; mend" in message
    assert len(message) < 1000


def test_what_would_take_any_memory_or_time_is_a_bad_shape(place: Place) -> None:
    huge = [
        mask_shape("a", np.ones((1, WIDTH * HEIGHT + 1)), 0, 0),
        shape("b", [[0, 0], [1e6, 1e6]], "circle"),
    ]
    place.save("a.json", huge)
    place.run()
    message = place.rows().files["a.json"]["message"]
    assert "shape 1 ('a') has a mask of more pixels than its image, 1,200" in message
    assert "shape 2 ('b') has a radius of more than 262,144 pixels" in message


def test_sizes_beyond_the_limit(place: Place) -> None:
    place.save("a.json", imageWidth=1 << 20, imageHeight=1 << 20)
    place.save("b.json")
    assert dict(place.run().files) == {"converted": 1, "failed": 1}
    assert place.rows().files["a.json"]["error"] == "too-large"
    place.run(max_pixels=WIDTH * HEIGHT - 1, resume=False)
    assert len(place.rows().failed()) == 2


def test_pixels_without_a_shape(place: Place) -> None:
    place.save("a.json", [shape("a", TRIANGLE)])
    for background, ground in ((None, 0), ("d", 4), (3, 3), (255, 255)):
        place.run(background=background)
        assert np.array_equal(place.labels(), wanted([shape("a", TRIANGLE)], ground)), background
    other = gpuseg.Palette.from_colours([(1, 1, 1)], ["a"], name="other")
    gpuseg.rasterize(place.src, place.dst, other)
    assert set(np.unique(place.labels())) == {0, 255}


def test_void_borders(place: Place) -> None:
    place.save("a.json", [shape("a", TRIANGLE)])
    place.run(border=2)
    made, inside = place.labels(), wanted([shape("a", TRIANGLE)]) == 1
    assert (made[4, 4:8] == 255).all()
    for y, x in np.argwhere(made != 255).tolist():
        near = inside[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        assert near.all() if made[y, x] == 1 else not near.any()


@pytest.mark.parametrize("kind", ["palette", "16"])
def test_instances(place: Place, kind: Any) -> None:
    first, ignored = shape("a", TRIANGLE, group_id=4), shape("__ignore__", INNER)
    third = shape("a", [[33, 20], [38, 20], [35, 28]], group_id=4)
    second = shape("b", [[0, 26], [3, 26], [0, 29]], group_id=4)
    shapes = [first, ignored, third, second]
    place.save("a.json", shapes)
    place.run(instances=kind)
    with Image.open(place.dst / "a.png") as image:
        assert image.mode == ("P" if kind == "palette" else "I;16")
        if kind == "palette":
            assert bytes(image.getpalette("RGB")) == voc_colormap(256).tobytes()
        made = np.array(image)
    void = 255 if kind == "palette" else 65535
    assert np.array_equal(made, draw_all(shapes, [1, void, 1, 3]))
    assert palette_of_run(place.dst) is None  # colours of instances are no classes


def test_16_bits(place: Place) -> None:
    place.save()
    place.run(depth=16, ignore_index=1000, background=1000)
    with Image.open(place.dst / "a.png") as image:
        assert image.mode == "I;16"
        assert np.array_equal(np.array(image), wanted(ground=1000))


def test_a_size_that_the_file_does_not_tell(place: Place) -> None:
    place.save("sub/a.json", imageWidth=None, imageHeight=None, imagePath="a.jpg")
    assert place.run().files["failed"] == 1
    assert "--images" in place.rows().files["sub/a.json"]["message"]
    assert place.run(size=(WIDTH, HEIGHT)).files["converted"] == 1
    images = place.root / "images" / "sub"
    images.mkdir(parents=True)
    Image.new("RGB", (50, 31)).save(images / "a.jpg")
    place.run(images=images.parent)
    assert place.labels("sub/a.png").shape == (31, 50)


def test_labels_that_no_terminal_shows(place: Place) -> None:
    place.save("a.json", [shape("\ud800\x1b[31m\u202e", TRIANGLE)])
    assert place.run().failures[0].error == "unknown-labels"
    assert place.run(unknown="ignore").exit_code == 0
    (label,) = place.rows().files["a.json"]["unknown_labels"]
    assert label == "\ud800\x1b[31m\u202e"


def test_rows_are_json_without_nan(place: Place) -> None:
    place.save("a.json", [shape("a", [[float("nan"), 0]] * 3)])
    place.run()
    for line in (place.dst / REPORT).read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(name))
