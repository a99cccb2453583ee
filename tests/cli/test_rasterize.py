"""`gpuseg rasterize`: every option reaches the run, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.recognising import FORMATS, format_names
from gpuseg.cli.rasterize import FORMAT_CHOICES
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.verbs.rasterize import count_images
from tests.annotations.labelme_files import HEIGHT, SHAPES, WIDTH, document, save, shape
from tests.helpers import Finished, gpuseg, palette_file
from tests.making import read_indices
from tests.rasterizing.places import TRIANGLE, wanted


@pytest.fixture
def place(tmp_path: Path) -> Path:
    palette_file(tmp_path)
    save(tmp_path / "src" / "a.json")
    return tmp_path


def run(place: Path, *more: str) -> Finished:
    palette = str(place / "palette.csv")
    done = gpuseg("rasterize", str(place / "src"), str(place / "dst"), "--palette", palette, *more)
    assert "Traceback" not in done.err
    return done


def test_what_is_printed(place: Path) -> None:
    done = run(place)
    assert done.code == 0
    first, made, report = done.out.splitlines()
    assert first.startswith("1 converted")
    assert first.endswith("; annotations: LabelMe JSON (auto)")
    assert made == f"label maps: {place / 'dst'}"
    assert report == f"report: {place / 'dst' / 'gpuseg-report.jsonl'}"
    assert np.array_equal(read_indices(place / "dst" / "a.png"), wanted())


def test_help_names_what_there_is(place: Path) -> None:
    assert ("auto", *format_names()) == FORMAT_CHOICES
    told = gpuseg("rasterize", "--help").out
    for format in FORMATS:
        assert format.name in told
    assert "--column" not in told
    assert run(place, "--format", "LabelMe").code == 0
    assert "format must be auto or one of ade20k, ade20k-" in run(place, "--format", "pascal").err


def test_json(place: Path) -> None:
    found = json.loads(run(place, "--json").out)
    assert (found["files"]["converted"], found["exit_code"]) == (1, 0)
    assert "LabelMe JSON" in found["remark"]


def test_failures_are_told(place: Path) -> None:
    save(place / "src" / "b.json", document([shape("zebra", TRIANGLE)]))
    done = run(place)
    assert done.code == 1
    assert done.err.startswith("failed b.json: has labels that the palette does not hold: 'zebra'")


def test_options_reach_the_run(place: Path) -> None:
    line = [shape("a", [[5, 15], [35, 15]], "line"), shape("zebra", TRIANGLE), shape("b", [])]
    save(place / "src" / "a.json", document(line, imageWidth=None, imageHeight=None))
    options = "--unknown ignore --bad-shapes skip --background c --order reverse --border 1"
    sizes = f"--line-width 3 --size {WIDTH}x{HEIGHT} --format labelme --ignore-index 9"
    assert run(place, *options.split(), *sizes.split()).code == 0
    labels = read_indices(place / "dst" / "a.png")
    assert labels.shape == (HEIGHT, WIDTH)
    assert [labels[0, 0], labels[20, 11], labels[15, 20], labels[12, 20]] == [3, 9, 1, 9]
    assert np.ptp(np.nonzero(labels[:, 34] == 1)[0]) < 3
    for kind, mode in (("16", "I;16"), ("palette", "P")):
        assert run(place, *options.split(), *sizes.split(), "--instances", kind).code == 0
        with Image.open(place / "dst" / "a.png") as image:
            assert image.mode == mode
    assert run(place, *options.split(), *sizes.split(), "--depth", "16").code == 0
    with Image.open(place / "dst" / "a.png") as image:
        assert image.mode == "I;16"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "40"], "size must be WIDTHxHEIGHT, for instance 1280x720, got '40'"),
        (["--size", "0x5"], "size must be WIDTHxHEIGHT, both above 0"),
        (["--size", "-3x5"], "size must be WIDTHxHEIGHT"),
        (["--format", "labelmee"], "format must be auto or one of"),
        (["--border", "900"], "border must be 0 to 255 pixels"),
        (["--unknown", "nearest"], "nearest"),
        (["--images", "nowhere"], "images must be a folder"),
    ],
)
def test_wrong_usage(place: Path, words: list[str], told: str) -> None:
    done = run(place, *words)
    assert done.code == 2
    assert told in done.err
    assert not (place / "dst").exists()


def test_images_are_counted_for_the_progress_bar(place: Path) -> None:
    save(place / "src" / "sub" / "b.json", document(SHAPES[:1]))
    (place / "src" / "b.jpg").write_bytes(b"")
    assert count_images(str(place / "src"), str(place / "dst"), RasterizeOptions()) == 2
