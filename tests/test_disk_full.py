"""A disk that fills up: the rows name the cause, what is written is whole, a second run ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from gpuseg.palette import Palette
from tests.helpers import REPORT, Place, check_exact, environment, marks, read_report, temps
from tests.making import PALETTE, indices

pytestmark = pytest.mark.slow

FILES = 40
KIB = 1024


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Noisy masks, so that each label map takes about 6 KiB."""
    place = Place(tmp_path)
    for i in range(FILES):
        noise = indices(90, 90 * 5, seed=i)[::4, ::5]
        pixels = PALETTE.colours[noise.repeat(4, 0)[:90]]
        Image.fromarray(pixels).save(place.src / f"{i:02d}.png")
    return place


def test_a_disk_that_fills_up(place: Place, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(60 * KIB))
    place.dst = small_disk / "dst"
    report = place.root / "r.jsonl"
    done = place.convert("--report", report)
    assert done.code == 1
    rows = read_report(report).files
    failed = [row for row in rows.values() if row["status"] == "failed"]
    assert 0 < len(failed) < FILES, "the disk was to hold some of them"
    assert {row["error"] for row in failed} == {"output"}
    assert all("No space left on device" in row["message"] for row in failed)
    assert temps(place.dst) == []
    finished = check_exact(place)
    assert len(finished) == FILES - len(failed)

    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    before = marks(place.dst, finished)
    done = place.convert("--report", report)
    assert done.code == 0, done
    counts = read_report(report).summary["files"]
    assert (counts["unchanged"], counts["converted"]) == (len(finished), len(failed))
    assert marks(place.dst, finished) == before
    assert len(check_exact(place)) == FILES


def test_a_disk_too_full_for_the_report(place: Place, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(120 * KIB))
    place.dst = small_disk / "dst"
    done = place.convert()
    assert done.code == 1
    assert "the report is incomplete" in done.out
    assert "No space left on device" in done.out
    text = (place.dst / REPORT).read_text()
    assert text == "" or text.endswith("\n")
    assert temps(small_disk) == []
    check_exact(place)
    (small_disk / "rest").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096))
    place.dst = small_disk / "other"
    done = place.convert()
    assert done.code in (1, 2)
    assert "No space left on device" in done.out + done.err


def test_a_disk_too_full_for_compiled_code(place: Place, small_disk: Path) -> None:
    """numba keeps compiled code on disk; where that fails it is compiled again."""
    (small_disk / "ballast").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096))
    code = [sys.executable, "-m", "gpuseg", *place.arguments()]
    done = subprocess.run(
        code, env=environment(NUMBA_CACHE_DIR=str(small_disk)), capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert len(check_exact(place)) == FILES


def test_a_damaged_cache_of_compiled_code(place: Place) -> None:
    cache = place.root / "cache"
    for damage in (None, 9):
        for index in cache.rglob("*.nbi"):
            if damage is not None:
                index.write_bytes(index.read_bytes()[:damage])
        code = [sys.executable, "-m", "gpuseg", *place.arguments("--no-resume")]
        where = environment(NUMBA_CACHE_DIR=str(cache))
        done = subprocess.run(code, env=where, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert list(cache.rglob("*.nbi"))
    assert len(check_exact(place)) == FILES


LIMITED = """
import resource, sys
from gpuseg.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
main.main(sys.argv[2:], "gpuseg")
"""


@pytest.mark.parametrize("limit", [5500, 500])
def test_files_that_may_not_grow(place: Place, limit: int) -> None:
    """A quota on the size of one file: some label maps and the report exceed it."""
    pytest.importorskip("resource")
    big = Palette.from_colours(PALETTE.colours)
    Image.fromarray(big.colours[indices(8, 9)]).save(place.src / "tiny.png")
    command = [sys.executable, "-c", LIMITED, str(limit), *place.arguments()]
    cache = environment(NUMBA_CACHE_DIR=str(place.root / "cache"))
    done = subprocess.run(command, env=cache, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1, done
    assert "File too large" in done.stderr + done.stdout
    assert "the report is incomplete" in done.stdout
    text = (place.dst / REPORT).read_text()
    assert text == "" or text.endswith("}\n")
    assert temps(place.dst) == []
    finished = check_exact(place)
    assert ("tiny.png" in finished) == (limit > 1000)
    before = marks(place.dst, finished)
    assert place.convert().code == 0
    assert place.report().summary["files"]["unchanged"] == len(finished)
    assert marks(place.dst, finished) == before
    assert len(check_exact(place)) == FILES + 1
