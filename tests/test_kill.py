"""Killed and interrupted at random moments: whole files or none, and the next run finishes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import (
    REPORT,
    Marks,
    Place,
    check_exact,
    gpuseg_process,
    marks,
    start,
    temps,
    tree,
)
from tests.making import mask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

FILES, MANY = 200, 1000


def fill(root: Path, count: int = FILES, height: int = 60, width: int = 90) -> Place:
    """Masks in seven folders; twenty different ones, under many names."""
    place = Place(root)
    for i in range(count):
        path = place.src / str(i % 7) / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        if i < 20:
            Image.fromarray(mask(height, width, seed=i)).save(path)
        else:
            os.link(place.src / str(i % 20 % 7) / f"{i % 20}.png", path)
    return place


def seconds_of_a_run(place: Place) -> tuple[float, float]:
    """From the start of a process to its first label map, and to its end."""
    began = time.monotonic()
    run = start(place)
    while run.poll() is None and not list(place.dst.glob("*/*.png")):
        time.sleep(0.005)
    first = time.monotonic() - began
    run.communicate()
    return first, time.monotonic() - began


def wait_for(place: Place, run: subprocess.Popen[bytes], files: int) -> None:
    """Return once so many label maps are there, or the run has ended."""
    while len(list(place.dst.glob("*/*.png"))) < files and run.poll() is None:
        time.sleep(0.002)


def wipe(folder: Path) -> None:
    for name in tree(folder):
        (folder / name).unlink()


def test_killed_twenty_times_and_finished(tmp_path: Path) -> None:
    place = fill(tmp_path, height=200, width=300)
    choice = random.Random(7)
    counts: list[int] = []
    kept: list[str] = []
    known: Marks = {}
    for _ in range(20):
        if len(kept) > FILES - 40:
            wipe(place.dst)  # the machine was faster than the kills: begin anew
            kept = []
        run = start(place)
        wait_for(place, run, len(kept) + choice.randrange(6))
        time.sleep(choice.uniform(0, 0.01))
        run.kill()
        run.communicate()
        kept = check_exact(place, known=known) if place.dst.exists() else []
        counts.append(len(kept))
    assert len(set(counts)) > 3, f"the kills came at one moment only: {counts}"
    (place.dst / kept[0]).parent.joinpath(stale_name()).write_bytes(b"half")
    before = marks(place.dst, kept)
    assert gpuseg_process(*place.arguments()).code == 0
    report = place.report()
    unchanged = [row["target"] for row in report.files.values() if row["status"] == "unchanged"]
    assert sorted(unchanged) == kept
    assert marks(place.dst, kept) == before
    assert len(check_exact(place)) == FILES
    left = [name for name in temps(place.dst) if not all_done(place, name, unchanged)]
    assert left == []


def all_done(place: Place, temp: str, unchanged: list[str]) -> bool:
    """Whether nothing was written to the folder of a temp file, so that it was not swept."""
    folder = Path(temp).parent
    return all(
        f"{(folder / f.stem).as_posix()}.png" in unchanged for f in (place.src / folder).iterdir()
    )


def stale_name() -> str:
    from gpuseg import output

    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return f"{output.PREFIX}{output._HOST}-{child.pid}-deadbeef-0{output.SUFFIX}"


@pytest.mark.parametrize("files", [1, 60])
def test_interrupted_is_130_and_the_report_is_complete(tmp_path: Path, files: int) -> None:
    place = fill(tmp_path, count=MANY, height=500, width=600)
    for _ in range(6):  # the run may be over before a busy machine sends the signal
        run = start(place)
        wait_for(place, run, files)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=300)
        if len(tree(place.dst)) < MANY:
            break
        wipe(place.dst)
    assert run.returncode == 130, (run.returncode, out, err)
    assert err == b""
    done = check_exact(place)
    assert temps(place.dst) == []
    report = place.report()
    assert report.summary["stopped"] == "interrupted"
    assert sorted(row["target"] for row in report.files.values()) == done
    assert files <= len(done) < MANY
    assert b"stopped early (interrupted)" in out
    assert gpuseg_process(*place.arguments()).code == 0
    assert place.report().summary["files"]["unchanged"] == len(done)


def test_interrupted_at_any_moment_of_the_start(tmp_path: Path) -> None:
    place = fill(tmp_path, count=40)
    first, _ = seconds_of_a_run(place)
    wipe(place.dst)
    for step in range(12):
        run = start(place)
        time.sleep(first * step / 12)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=300)
        text = err.decode()
        by_python = run.returncode == -signal.SIGINT or text.startswith("Fatal Python error")
        if by_python and "gpuseg" not in text:
            continue  # Python itself had not come to gpuseg yet, or was past it
        assert "Traceback" not in text, text
        assert run.returncode in (0, 130), text
    check_exact(place)


def test_terminated_leaves_no_half_file(tmp_path: Path) -> None:
    place = fill(tmp_path)
    first, whole = seconds_of_a_run(place)
    wipe(place.dst)
    for share in (0.2, 0.5):
        report = place.dst / REPORT
        report.unlink(missing_ok=True)
        run = start(place)
        while run.poll() is None and not (report.exists() and report.stat().st_size):
            time.sleep(0.005)
        time.sleep((whole - first) * share)
        run.terminate()
        run.communicate(timeout=300)
        check_exact(place)
        rows = report.read_text().splitlines()
        assert [json.loads(row)["type"] for row in rows][:1] == ["run"]
    assert gpuseg_process(*place.arguments()).code == 0
    assert len(check_exact(place)) == FILES
