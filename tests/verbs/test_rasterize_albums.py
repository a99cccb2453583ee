"""`rasterize` over a file of many images: each image is resumed, told and stopped by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpuseg
from gpuseg import storage
from gpuseg.annotations import recognising
from gpuseg.errors import UsageError
from gpuseg.results import Report
from tests.annotations.labelme_files import SHAPES, document, shape
from tests.clusters import wait_until
from tests.helpers import REPORT, environment, marks, palette_file, read_report, tree
from tests.making import PALETTE, read_indices
from tests.rasterizing.albums import Pages, save_album
from tests.rasterizing.places import TRIANGLE, wanted


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recognising, "FORMATS", (Pages(),))
    pages = {f"sub/{i}.jpg": document(SHAPES[: i + 1]) for i in range(5)}
    return save_album(tmp_path / "all.json", pages)


def run(album: Path, **options: Any) -> Report:
    return gpuseg.rasterize(album, album.parent / "dst", PALETTE, format="pages", **options)


def change(album: Path, **pages: Any) -> None:
    whole = json.loads(album.read_text())
    save_album(album, whole | {f"sub/{name[1:]}.jpg": page for name, page in pages.items()})


def test_each_image_has_a_label_map_and_a_row(album: Path) -> None:
    report = run(album)
    assert (report.files["converted"], report.exit_code) == (5, 0)
    dst = album.parent / "dst"
    assert tree(dst) == [f"sub/{i}.png" for i in range(5)]
    for i in range(5):
        assert np.array_equal(read_indices(dst / "sub" / f"{i}.png"), wanted(SHAPES[: i + 1]))
    rows = read_report(dst / REPORT)
    assert sorted(rows.files) == [f"sub/{i}.jpg" for i in range(5)]
    assert rows.header["src"] == str(album)


def test_only_images_whose_annotations_changed_are_made_anew(album: Path) -> None:
    run(album)
    dst = album.parent / "dst"
    before = marks(dst)
    os.utime(album, (1, 1))
    assert run(album).files["unchanged"] == 5
    assert marks(dst) == before
    change(album, _3=document(SHAPES[:1]), _9=document([]))
    assert dict(run(album).files) == {"converted": 2, "unchanged": 4}
    assert np.array_equal(read_indices(dst / "sub" / "3.png"), wanted(SHAPES[:1]))


def test_what_one_image_lacks_stops_no_other(album: Path) -> None:
    whole = json.loads(album.read_text())
    bad = {
        "../out.jpg": document(),
        "unusable.jpg": "unusable",
        "strange.jpg": document([shape("zebra", TRIANGLE)]),
        "sub/0.png": document(),
    }
    save_album(album, whole | bad)
    report = run(album)
    assert report.files["converted"] == 4
    rows = read_report(album.parent / "dst" / REPORT)
    errors = {name: row["error"] for name, row in rows.files.items() if "error" in row}
    assert errors == {
        "../out.jpg": "member",
        "unusable.jpg": "annotation",
        "strange.jpg": "unknown-labels",
        "sub/0.jpg": "collision",
        "sub/0.png": "collision",
    }
    assert not (album.parent / "out.png").exists()


def test_a_file_that_is_broken_off_is_a_row(album: Path) -> None:
    album.write_text(album.read_text()[:-3])
    report = run(album)
    assert (report.exit_code, report.done) == (1, 1)
    assert "is no JSON that can be read" in report.failures[0].message


def test_shards_and_patterns(album: Path) -> None:
    done = [run(album, shard=gpuseg.Shard(k, 2)).files["converted"] for k in (1, 2)]
    assert sum(done) == 5
    assert run(album, pattern="[34].*", resume=False).done == 2


def test_a_folder_of_albums_names_one(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    path = tmp_path / "train" / "_annotations.coco.json"
    image = {"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}
    thing = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 0, 1, 1]]}
    path.write_text(json.dumps({"images": [image], "annotations": [thing], "categories": []}))
    with pytest.raises(UsageError, match=rf"name the file, for instance {path}$"):
        gpuseg.rasterize(tmp_path, tmp_path / "dst", PALETTE)


def test_boxes_alone_are_told(tmp_path: Path) -> None:
    path = tmp_path / "detection.json"
    image = {"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}
    box = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "bbox": [0, 0, 2, 2]}
    kinds = [{"id": 1, "name": "a"}]
    path.write_text(json.dumps({"images": [image], "annotations": [box], "categories": kinds}))
    report = gpuseg.rasterize(path, tmp_path / "dst", PALETTE)
    assert (report.exit_code, report.files_with_warnings) == (0, 1)
    told = (tmp_path / "dst" / "gpuseg-report.jsonl").read_text()
    assert "draws nothing: its annotations are left out (annotation without a seg" in told


def test_wrong_places(album: Path) -> None:
    with pytest.raises(UsageError, match=r"holds the annotations of many images.*name the file"):
        gpuseg.rasterize(album.parent, album.parent / "dst", PALETTE, format="pages")
    storage.write("memory://albums/all.json", album.read_bytes())
    with pytest.raises(UsageError, match="read from this machine"):
        gpuseg.rasterize("memory://albums/all.json", album.parent / "dst", PALETTE, format="pages")


SLOW = """
import sys, time
from gpuseg.annotations import recognising
from gpuseg.cli import main
from tests.rasterizing.albums import Pages

class Slow(Pages):
    name = "coco"

    def album(self, path, choices):
        open(sys.argv.pop(), "w").close()
        time.sleep(600)

recognising.FORMATS = (Slow(),)
main.main(sys.argv[1:-1], "gpuseg")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_the_file_is_looked_through(album: Path) -> None:
    flag, dst = album.parent / "flag", album.parent / "dst"
    palette = palette_file(album.parent)
    words = ["rasterize", album, dst, "--palette", palette, "--format", "coco", flag]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *map(str, words)],
        env=environment(),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_until(flag.exists, "the file to be looked through")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, b"Traceback" in told) == (130, False)
    assert not dst.exists()
