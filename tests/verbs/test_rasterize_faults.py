"""`rasterize` killed, interrupted, and on a full disk: whole label maps or none."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import gpuseg
from tests.annotations.labelme_files import document, save, shape
from tests.helpers import environment, gpuseg_process, palette_file, read_report, start, temps, tree
from tests.making import PALETTE, read_indices

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

FILES, SIDE = 300, 400


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Each image has a square of its own, of its own class."""
    palette_file(tmp_path)
    for i in range(FILES):
        square = shape("abcde"[i % 5], [[i, 10], [i + 50, 10], [i + 50, 60], [i, 60]])
        save(tmp_path / "src" / f"{i}.json", document([square], imageWidth=SIDE, imageHeight=SIDE))
    return tmp_path


def words(place: Path, dst: Path | None = None) -> list[str]:
    target = str(dst or place / "dst")
    return ["rasterize", str(place / "src"), target, "--palette", str(place / "palette.csv")]


def check(dst: Path) -> int:
    """That each label map is whole and right; how many there are."""
    half = set(temps(dst))
    names = [name for name in tree(dst) if name not in half]
    for name in names:
        labels, i = read_indices(dst / name), int(name.removesuffix(".png"))
        assert labels.shape == (SIDE, SIDE)
        rows, columns = np.nonzero(labels)
        assert (rows.min(), rows.max()) == (10, 60)
        assert (columns.min(), columns.max()) == (i, min(SIDE - 1, i + 50))
        assert labels.max() == i % 5 + 1
    return len(names)


def test_killed_again_and_again_and_finished(place: Path) -> None:
    choice, dst = random.Random(3), place / "dst"
    done = 0
    for _ in range(6):
        run = start(words(place))
        goal = min(FILES - 1, done + choice.randrange(1, 30))
        while run.poll() is None and len(list(dst.glob("*.png"))) < goal:
            time.sleep(0.001)
        run.kill()
        run.communicate()
        done = check(dst) if dst.exists() else 0
    assert gpuseg_process(*words(place)).code == 0
    report = read_report(dst / "gpuseg-report.jsonl")
    assert report.summary["files"]["unchanged"] == done
    assert report.summary["files"]["converted"] == FILES - done
    assert (check(dst), temps(dst)) == (FILES, [])


def test_interrupted(place: Path) -> None:
    dst = place / "dst"
    for _ in range(6):  # the run may be over before a busy machine sends the signal
        run = start(words(place))
        while run.poll() is None and not list(dst.glob("*.png")):
            time.sleep(0.001)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=120)
        done = check(dst)
        if done < FILES:
            break
        for name in tree(dst):
            (dst / name).unlink()
    assert (run.returncode, err) == (130, b"")
    assert b"stopped early (interrupted)" in out
    assert temps(dst) == []
    report = read_report(dst / "gpuseg-report.jsonl")
    assert report.summary["files"]["converted"] == done


def test_a_full_disk(place: Path, small_disk: Path) -> None:
    report = place / "report.jsonl"
    done = gpuseg_process(*words(place, small_disk / "dst"), "--report", str(report))
    assert done.code == 1
    rows = read_report(report)
    assert 0 < len(rows.failed()) < FILES
    assert {rows.files[name]["error"] for name in rows.failed()} == {"output"}
    assert temps(small_disk / "dst") == []
    assert check(small_disk / "dst") == FILES - len(rows.failed())


def test_processes_of_a_long_run(place: Path) -> None:
    """As `impatient` starts them: at once."""
    line = ["-m", "tests.impatient", *words(place), "--workers", "2"]
    done = subprocess.run(
        [sys.executable, *line],
        env=environment(),
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert check(place / "dst") == FILES
    assert gpuseg.rasterize(place / "src", place / "dst", PALETTE).files["converted"] == 0
