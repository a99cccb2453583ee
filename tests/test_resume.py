"""A second run redoes what changed and nothing else; shards and runs at once get on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.palette import Palette, PaletteClass
from tests.helpers import (
    REPORT,
    Place,
    check_exact,
    environment,
    marks,
    palette_file,
    read_report,
    temps,
)
from tests.making import COLOURS, PALETTE, indices, read_indices, save_mask


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.good()
    assert place.convert().code == 0
    return place


def statuses(place: Place) -> dict[str, str]:
    return {name: row["status"] for name, row in place.report().files.items()}


def test_what_is_unchanged_is_not_touched(place: Place) -> None:
    before = marks(place.dst)
    done = place.convert()
    assert done.code == 0
    assert done.out.startswith("3 unchanged")
    assert set(statuses(place).values()) == {"unchanged"}
    assert marks(place.dst) == before


def test_no_resume(place: Place) -> None:
    before = marks(place.dst)
    assert place.convert("--no-resume").code == 0
    assert set(statuses(place).values()) == {"converted"}
    assert not set(marks(place.dst).items()) & set(before.items())


def test_a_changed_source_is_converted_again(place: Place) -> None:
    os.utime(place.src / "good0.png", ns=(1, 1))
    status = (place.src / "good2.png").stat()
    with (place.src / "good2.png").open("ab") as file:
        file.write(b"x")  # behind the end of the PNG: another size, and the same time
    os.utime(place.src / "good2.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert place.convert().code == 0
    assert statuses(place) == {
        "good0.png": "converted",
        "good2.png": "converted",
        os.path.join("sub", "good1.png"): "unchanged",
    }
    check_exact(place)


def recoloured() -> Palette:
    return Palette.from_colours([*COLOURS[:5], (7, 8, 10)])  # the last colour is in no mask here


def renumbered() -> Palette:
    rows = [(c.index + (c.index == 5), c.name, c.rgb) for c in PALETTE.classes]
    return Palette(tuple(PaletteClass(*row) for row in rows))


@pytest.mark.parametrize(
    "change",
    [
        lambda place: ["--palette", str(palette_file(place.root, renumbered()))],
        lambda place: ["--unknown", "ignore"],
        lambda place: ["--unknown", "nearest"],
        lambda place: ["--unknown", "nearest", "--tolerance", "3"],
        lambda place: ["--depth", "16"],
        lambda place: ["--ignore-index", "77"],
    ],
    ids=["palette", "ignore", "nearest", "tolerance", "depth", "ignore-index"],
)
def test_other_options_convert_again(place: Place, change: Callable[[Place], list[str]]) -> None:
    more = change(place)
    assert place.convert(*more).code == 0
    assert set(statuses(place).values()) == {"converted"}
    assert place.convert(*more).code == 0
    assert set(statuses(place).values()) == {"unchanged"}
    depth = {"depth": 16} if "--depth" in more else {}
    check_exact(place, renumbered() if "--palette" in more else PALETTE, **depth)


def test_one_colour_of_the_palette_changes(tmp_path: Path) -> None:
    place = Place(tmp_path)
    Image.new("RGB", (4, 4), COLOURS[1]).save(place.src / "a.png")
    assert place.convert().code == 0
    palette_file(place.root, recoloured())
    assert place.convert().code == 0
    assert set(statuses(place).values()) == {"converted"}
    with Image.open(place.dst / "a.png") as image:
        assert image.getpalette()[15:18] == [7, 8, 10]


@pytest.mark.parametrize("keep", [0, 80, 200, -1])
def test_a_label_map_that_lost_its_end_is_made_again(place: Place, keep: int) -> None:
    target = place.dst / "good0.png"
    target.write_bytes(target.read_bytes()[:keep])
    done = place.convert()
    assert done.code == 0, done
    assert statuses(place)["good0.png"] == "converted"
    assert len(check_exact(place)) == 3


def test_a_label_map_whose_mark_is_damaged_is_refused_until_told(place: Place) -> None:
    target = place.dst / "good0.png"
    data = target.read_bytes()
    target.write_bytes(data.replace(b"gpSG", b"gpSH"))
    done = place.convert()
    assert done.code == 1
    assert "--overwrite" in done.err
    assert place.convert("--overwrite").code == 0
    assert len(check_exact(place)) == 3


def test_the_count_of_unknown_pixels_survives(place: Place) -> None:
    pixels = PALETTE.colours[indices(9, 9)]
    pixels[2, 3:5] = (1, 1, 1)
    Image.fromarray(pixels).save(place.src / "odd.png")
    for status in ("converted", "unchanged"):
        assert place.convert("--unknown", "ignore").code == 0
        report = place.report()
        assert report.files["odd.png"]["status"] == status
        assert report.files["odd.png"]["unknown_pixels"] == 2
        assert report.summary["unknown_pixels"] == 2
        assert report.summary["files_with_unknown"] == 1


def test_shards_share_everything_out_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.good(20)
    (place.src / "bad.png").write_bytes(b"")
    save_mask(place.src / "two.bmp")
    save_mask(place.src / "two.tif")
    seen: list[str] = []
    for k in (1, 2, 3):
        place.convert("--shard", f"{k}/3")
        rows = read_report(place.dst / f"gpuseg-report-{k:05d}-of-00003.jsonl").files
        assert rows
        seen += rows
    assert sorted(seen) == sorted({*seen})
    assert len(seen) == 23
    assert len(check_exact(place)) == 20
    done = place.convert()
    assert done.code == 1
    assert place.report().summary["files"]["unchanged"] == 20
    assert len(list(place.dst.glob("gpuseg-report*"))) == 4


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False], ids=["own-reports", "one-report"])
def test_two_runs_at_once(tmp_path: Path, own: bool) -> None:
    place = Place(tmp_path)
    place.good(150)
    command = [sys.executable, "-m", "gpuseg", *place.arguments()]
    reports = [place.root / f"{i}.jsonl" if own else place.dst / REPORT for i in range(2)]
    runs = [
        subprocess.Popen(
            [*command, "--report", str(report)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for report in reports
    ]
    said = [run.communicate(timeout=100)[0] for run in runs]
    for run, text in zip(runs, said, strict=True):
        assert run.returncode == 0 or (not own and "replaced by another run" in text), text
    for report in reports:  # whole, whoever wrote it last
        assert len(read_report(report).files) == 150
    assert len(check_exact(place)) == 150
    assert temps(place.dst) == []
    assert place.convert().out.startswith("150 unchanged")


def test_stale_temp_files_are_swept(place: Place) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    from gpuseg import output

    stale = place.dst / f"{output.PREFIX}{output._HOST}-{child.pid}-deadbeef-0{output.SUFFIX}"
    stale.write_bytes(b"half")
    os.utime(place.src / "good0.png", ns=(1, 1))
    assert place.convert().code == 0
    assert temps(place.dst) == []
    assert np.array_equal(read_indices(place.dst / "good0.png"), indices(9, 14))
