"""Killed and interrupted at random moments: an archive is whole or not there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpuseg import output
from tests.archives.dumps import check_labels, expected, masks, pack, unpack
from tests.helpers import environment, gpuseg_process, palette_file, read_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

FILES = 900


def arguments(folder: Path, *more: str) -> list[str]:
    options = ["--palette", str(palette_file(folder)), "--device", "cpu", "--workers", "2"]
    return ["convert", str(folder / "in.tar"), str(folder / "out.tar"), *options, *more]


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gpuseg", *arguments(folder, "--no-resume")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def temps(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(output.PREFIX)]


def wait_for_temp(folder: Path, run: subprocess.Popen[bytes]) -> None:
    """Return once a new archive is begun, or the run has ended."""
    before = set(temps(folder))
    while run.poll() is None and not set(temps(folder)) - before:
        time.sleep(0.002)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack(tmp_path / "in.tar", masks(FILES))
    return tmp_path


def test_killed_again_and_again(folder: Path) -> None:
    choice, half = random.Random(5), 0
    for _ in range(12):
        run = start(folder)
        wait_for_temp(folder, run)
        time.sleep(choice.uniform(0, 0.1))
        run.kill()
        run.communicate()
        half += bool(temps(folder))
        if (folder / "out.tar").exists():
            check_labels(unpack(folder / "out.tar"), expected(masks(FILES)))
            (folder / "out.tar").unlink()
    assert half, "no kill came in the middle"
    assert gpuseg_process(*arguments(folder)).code == 0
    check_labels(unpack(folder / "out.tar"), expected(masks(FILES)))
    assert temps(folder) == []


def test_interrupted(folder: Path) -> None:
    for _ in range(20):  # the run may be over before a busy machine sends the signal
        run = start(folder)
        wait_for_temp(folder, run)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=300)
        if run.returncode == 130:
            break
        (folder / "out.tar").unlink(missing_ok=True)
    assert run.returncode == 130, (out, err)
    lines = read_report(folder / "out.tar.gpuseg-report.jsonl")
    assert lines.summary["stopped"] == "interrupted"
    assert "nothing was written of it" in lines.files["in.tar"]["message"]
    assert not (folder / "out.tar").exists()
    assert temps(folder) == []
    assert gpuseg_process(*arguments(folder)).code == 0
    check_labels(unpack(folder / "out.tar"), expected(masks(FILES)))
