"""Runs of `rasterize`: resume, shards, dry runs, collisions, places, processes, other storages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg import processes, storage
from gpuseg.errors import UsageError
from tests import impatient
from tests.annotations.labelme_files import SHAPES, save, shape
from tests.helpers import marks, temps, tree
from tests.making import PALETTE, read_indices
from tests.rasterizing.places import CLASSES, TRIANGLE, Place, wanted


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_resume(place: Place) -> None:
    for name in ("a.json", "b.json", "c.json"):
        place.save(name)
    place.run()
    before = marks(place.dst, ["a.png", "b.png", "c.png"])
    assert place.run().files["unchanged"] == 3
    assert marks(place.dst, ["a.png", "b.png", "c.png"]) == before
    place.save("b.json", SHAPES[:2])
    assert dict(place.run().files) == {"converted": 1, "unchanged": 2}
    assert np.array_equal(place.labels("b.png"), wanted(SHAPES[:2]))
    assert place.run(resume=False).files["converted"] == 3


SHAPING: list[dict[str, Any]] = [
    {"order": "reverse"},
    {"border": 1},
    {"border": 2},
    {"instances": "16"},
    {"instances": "palette"},
    {"depth": 16},
    {"background": "a"},
    {"ignore_index": 9},
    {"unknown": "ignore"},
    {"bad_shapes": "skip"},
    {"line_width": 3},
    {"size": (5, 5)},
]


def test_each_option_that_shapes_label_maps_makes_them_anew(place: Place) -> None:
    place.save()
    for options in SHAPING:
        assert place.run(**options).files["converted"] == 1, options
        assert place.run(**options).files["unchanged"] == 1, options
    place.run()
    names = [f"{name}s" for name in CLASSES]
    colours = [c.rgb for c in PALETTE.classes]
    renamed = gpuseg.Palette.from_colours(colours, names, name="six")
    report = gpuseg.rasterize(place.src, place.dst, renamed, unknown="ignore")
    assert report.files["converted"] == 1
    for options in ({"workers": 1}, {"fail_fast": True}, {"pattern": "a*"}, {"max_pixels": 9999}):
        gpuseg.rasterize(place.src, place.dst, renamed, unknown="ignore")
        report = gpuseg.rasterize(place.src, place.dst, renamed, unknown="ignore", **options)
        assert report.files["unchanged"] == 1, options


def test_a_dry_run_reads_and_draws_and_writes_nothing(place: Place) -> None:
    place.save()
    place.save("bad.json", [shape("zebra", TRIANGLE)])
    report = place.run(dry_run=True)
    assert dict(report.files) == {"planned": 1, "failed": 1}
    assert not place.dst.exists()


def test_fail_fast(place: Place) -> None:
    place.save("bad.json", [shape("zebra", TRIANGLE)])
    report = place.run(fail_fast=True)
    assert (report.stopped, report.exit_code) == ("fail-fast", 1)


def test_shards_divide_the_files(place: Place) -> None:
    for i in range(12):
        place.save(f"{i}.json", SHAPES[:1])
    done = [place.run(shard=gpuseg.Shard(k, 3)).files["converted"] for k in (1, 2, 3)]
    assert sum(done) == 12
    assert max(done) < 12
    assert len(tree(place.dst)) == 12


def test_files_of_one_target(place: Place) -> None:
    for name in ("a.jpg.json", "a.png.json", "b.json"):
        place.save(name)
    report = place.run()
    assert dict(report.files) == {"converted": 1, "failed": 2}
    rows = place.rows()
    assert rows.failed() == ["a.jpg.json", "a.png.json"]
    assert rows.files["a.jpg.json"]["error"] == "collision"
    assert tree(place.dst) == ["b.png"]


def test_strange_targets_are_not_replaced(place: Place) -> None:
    place.save()
    place.dst.mkdir()
    Image.new("L", (3, 3)).save(place.dst / "a.png")
    before = (place.dst / "a.png").read_bytes()
    assert place.run().files["failed"] == 1
    assert (place.dst / "a.png").read_bytes() == before
    assert place.run(overwrite=True).files["converted"] == 1
    assert temps(place.dst) == []


def test_dst_inside_src(place: Place) -> None:
    place.save()
    for _ in range(2):
        report = gpuseg.rasterize(place.src, place.src / "maps", PALETTE)
        assert report.done == 1
    save(place.src / "maps" / "b.json")
    assert gpuseg.rasterize(place.src, place.src / "maps", PALETTE).done == 1


def test_wrong_places(place: Place) -> None:
    place.save()
    for options, told in (
        ({"images": place.root / "nowhere"}, "images must be a folder of this machine"),
        ({"masks": "memory://masks"}, "masks must be a folder of this machine"),
        ({"keep_others": True}, "keep_others and column are of archives"),
        ({"format": "nothing"}, "format must be auto or one of"),
        ({"background": "nothing"}, "background must be a class"),
    ):
        with pytest.raises(UsageError, match=told):
            place.run(**options)
    for src, dst, told in (
        (place.root / "nothing", place.dst, "does not exist; give a file or a folder"),
        (place.src, place.src, "files would be their own targets"),
        (place.src / "a.json", place.root / "a.png", "a name for a file"),
        (place.src / "a.json", place.src / "a.json", "DST must be a folder, got"),
        (place.src, place.root / "a.zip", "annotations are read from files and folders"),
    ):
        with pytest.raises(UsageError, match=told):
            gpuseg.rasterize(src, dst, PALETTE)
    assert not place.dst.exists()


def test_from_and_to_a_storage(place: Place) -> None:
    path = place.save()
    storage.write("memory://rasterize/in/sub/a.json", path.read_bytes())
    storage.write("memory://rasterize/in/b.json", b"{}")
    with pytest.raises(UsageError, match="name it by --format"):
        gpuseg.rasterize("memory://rasterize/in", place.dst, PALETTE)
    report = gpuseg.rasterize("memory://rasterize/in", place.dst, PALETTE, format="labelme")
    assert dict(report.files) == {"converted": 1, "failed": 1}
    assert np.array_equal(place.labels("sub/a.png"), wanted())
    gpuseg.rasterize(place.src, "memory://rasterize/out", PALETTE)
    made = storage.read("memory://rasterize/out/a.png")
    assert made[:8] == (place.dst / "sub" / "a.png").read_bytes()[:8]
    (place.root / "back.png").write_bytes(made)
    assert np.array_equal(read_indices(place.root / "back.png"), wanted())


def test_processes_make_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Noted(processes.Worker):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            started.append(1)
            super().__init__(*arguments, **more)

    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    monkeypatch.setattr(processes.ProcessFlow, "_is_decided", impatient.decided)
    monkeypatch.setattr(processes, "Worker", Noted)
    for i in range(60):
        place.save(f"{i}.json", SHAPES[: 1 + i % 9])
    place.save("bad.json", [shape("zebra", TRIANGLE)])
    report = place.run(bad_shapes="skip")
    assert started
    assert dict(report.files) == {"converted": 60, "failed": 1}
    for i in range(60):
        assert np.array_equal(place.labels(f"{i}.png"), wanted(SHAPES[: 1 + i % 9]))


def test_workers_of_a_cluster_make_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    for i in range(6):
        place.save(f"{i}.json", imageWidth=None, imageHeight=None, imagePath="a.png")
    (place.root / "images").mkdir()
    Image.new("L", (44, 33)).save(place.root / "images" / "a.png")
    monkeypatch.chdir(place.root)  # where the workers are not
    report = gpuseg.rasterize("src", "dst", PALETTE, images="images", scheduler="local:2")
    assert dict(report.files) == {"converted": 6}
    assert place.labels("3.png").shape == (33, 44)
