"""Predictions and the world: kills, Ctrl-C, full disks. Whole files or none, and all of it told."""

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
from PIL import Image

from gpuseg import PredictionWriter, load_label
from gpuseg.errors import OutputError
from tests.helpers import environment, read_report, temps, tree
from tests.making import PALETTE, indices

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

IMAGES, HEIGHT, WIDTH = 6, 180, 240
REPORT = "gpuseg-report.jsonl"

ENDLESS = """
import itertools, sys
from pathlib import Path
from gpuseg import PredictionWriter
from tests.making import PALETTE
from tests.test_predictions_faults import batch, called

first, last = map(int, sys.argv[2:])
with PredictionWriter(sys.argv[1], PALETTE, queue=2) as writer:
    for number in range(first, last):
        writer.save(batch(number), called(number))
"""


def batch(number: int) -> np.ndarray:
    """uint8 (IMAGES, HEIGHT, WIDTH), a batch of its own by the number."""
    return np.stack([indices(HEIGHT, WIDTH, seed=number * IMAGES + i) for i in range(IMAGES)])


def called(number: int) -> list[str]:
    return [f"{number % 3}/{number}-{i}.jpg" for i in range(IMAGES)]


def start(dst: Path, first: int = 0, last: int = 100_000) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(dst), str(first), str(last)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def check_whole(dst: Path) -> list[str]:
    """That each label map is whole and right; returns them."""
    half = set(temps(dst))
    found = [name for name in tree(dst) if name not in half]
    for name in found:
        number, i = map(int, Path(name).stem.split("-"))
        with Image.open(dst / name) as image:
            image.load()  # to the end, checksums included
        assert np.array_equal(load_label(dst / name), indices(HEIGHT, WIDTH, number * IMAGES + i))
    return found


def wait_for(dst: Path, run: subprocess.Popen[bytes], files: int) -> None:
    """Return once so many label maps are there; the run must still go on."""
    while len(list(dst.glob("*/*.png"))) < files:
        assert run.poll() is None, run.communicate()
        time.sleep(0.002)


def test_killed_at_any_moment(tmp_path: Path) -> None:
    choice = random.Random(3)
    counts: list[int] = []
    for turn in range(6):
        run = start(tmp_path)
        wait_for(tmp_path, run, len(counts) and choice.randrange(1, 60))
        time.sleep(choice.uniform(0, 0.01))
        run.kill()
        run.communicate()
        counts.append(len(check_whole(tmp_path)) if turn else 0)
        left = temps(tmp_path)
        for name in tree(tmp_path):
            if name not in left:
                (tmp_path / name).unlink()
    assert max(counts) > 0
    run = start(tmp_path, 0, 9)  # writes to all folders, and so sweeps them
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    assert len(check_whole(tmp_path)) == 9 * IMAGES
    assert temps(tmp_path) == []
    assert len(read_report(tmp_path / REPORT).files) == 9 * IMAGES


@pytest.mark.parametrize("files", [1, 40])
def test_ctrl_c_ends_soon_and_what_was_handed_in_is_there(tmp_path: Path, files: int) -> None:
    run = start(tmp_path)
    wait_for(tmp_path, run, files)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=300)
    assert run.returncode in (-signal.SIGINT, 130), err
    assert err.count(b"Traceback") >= 1  # Python's own, for the program has no handler
    assert b"KeyboardInterrupt" in err
    done = check_whole(tmp_path)
    assert temps(tmp_path) == []
    lines = read_report(tmp_path / REPORT)
    assert lines.summary["stopped"] == "interrupted"
    assert sorted(row["target"] for row in lines.files.values()) == done
    numbers = sorted({int(Path(name).stem.split("-")[0]) for name in done})
    assert len(done) == IMAGES * len(numbers)  # whole batches: what `save` took is written
    assert numbers == list(range(len(numbers)))


def test_a_disk_that_fills_up(tmp_path: Path, small_disk: Path) -> None:
    dst = small_disk / "dst"
    writer = PredictionWriter(dst, PALETTE, report=tmp_path / REPORT)
    for number in range(20):
        writer.save(batch(number), called(number))
    with pytest.raises(OutputError, match=r"of 120 predictions could not be saved, first ") as told:
        writer.close()
    assert "No space left on device" in str(told.value)
    lines = read_report(tmp_path / REPORT)
    assert len(lines.files) == 120
    assert {lines.files[name]["error"] for name in lines.failed()} == {"output"}
    done = check_whole(dst)
    assert 0 < len(done) < 120
    assert len(done) == 120 - len(lines.failed())
    assert temps(dst) == []

    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    with PredictionWriter(dst, PALETTE, report=tmp_path / REPORT) as writer:
        for number in range(20):
            writer.save(batch(number), called(number))
    assert len(check_whole(dst)) == 120


def test_a_disk_too_full_for_the_report(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 4096))
    writer = PredictionWriter(small_disk, PALETTE)
    for number in range(9):
        writer.save(batch(number), called(number))
    with pytest.raises(OutputError, match="No space left on device"):
        writer.close()
    assert temps(small_disk) == []
