"""`evaluate` killed and interrupted: what the report holds is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import wait_until
from tests.dumps import save_label_map
from tests.helpers import environment, permissions_hold, read_report
from tests.making import PALETTE, indices

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PAIRS = 3000

CODE = """
import sys
from gpuseg import evaluate, load_palette, processes
from gpuseg.errors import Interrupted
processes.PATIENCE, processes.ENOUGH, processes.TIMES_DONE = 0.0, 1, 0
try:
    found = evaluate(
        "pred", "truth", report="report.jsonl", palette=load_palette("truth/0.png"), workers=2
    )
    print(found.report.summary())
    sys.exit(found.report.exit_code)
except Interrupted as end:
    sys.exit(end.report.exit_code)
"""


def fill(root: Path) -> None:
    """Pairs of one image under many names."""
    for side in ("truth", "pred"):
        save_label_map(root / side / "0.png", indices(120, 160, seed=side == "pred"), PALETTE)
        for i in range(1, PAIRS):
            os.link(root / side / "0.png", root / side / f"{i}.png")


def start(root: Path, *before: str) -> subprocess.Popen[bytes]:
    """An evaluation that hears Ctrl-C even where the tests run in the background."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", CODE],
        env=environment(),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def size(report: Path) -> int:
    return report.stat().st_size if report.exists() else 0


@posix
@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 20_000, 200_000])
def test_killed_leaves_whole_lines(tmp_path: Path, after: int) -> None:
    """after: bytes of the report, at which the kill comes."""
    fill(tmp_path)
    report = tmp_path / "report.jsonl"
    run = start(tmp_path)
    wait_until(lambda: size(report) >= after or run.poll() is not None, "rows")
    run.kill()
    run.communicate()
    text = report.read_bytes()
    assert text.endswith(b"\n")
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows[0]["type"] == "run"
    files = [row for row in rows if row["type"] == "file"]
    assert len({row["source"] for row in files}) == len(files)
    assert len({row["miou"] for row in files}) <= 1
    again = start(tmp_path)
    out, err = again.communicate(timeout=300)
    assert (again.returncode, err) == (0, b""), out
    assert len(read_report(report).files) == PAIRS


@posix
@pytest.mark.slow
def test_interrupted_is_130_and_the_report_is_complete(tmp_path: Path) -> None:
    fill(tmp_path)
    report = tmp_path / "report.jsonl"
    for _ in range(6):  # the run may be over before a busy machine sends the signal
        run = start(tmp_path)
        wait_until(lambda run=run: size(report) > 9_000 or run.poll() is not None, "rows")
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=300)
        if run.returncode != 0:
            break
    assert (run.returncode, err) == (130, b"")
    lines = read_report(report)
    assert lines.summary["stopped"] == "interrupted"
    assert 1 <= len(lines.files) < PAIRS


@posix
@pytest.mark.parametrize("side", ["truth", "pred"])
def test_files_and_folders_that_may_not_be_read(tmp_path: Path, side: str) -> None:
    """By a user whom permissions bind."""
    command = permissions_hold()
    for name in ("0.png", "1.png", "sub/0.png"):
        for each in ("truth", "pred"):
            save_label_map(tmp_path / each / name, indices(9, 9), PALETTE)
    (tmp_path / side / "1.png").chmod(0)
    (tmp_path / side / "sub").chmod(0)
    try:
        run = start(tmp_path, *command)
        _, err = run.communicate(timeout=300)
    finally:
        (tmp_path / side / "sub").chmod(0o700)
    assert (run.returncode, err) == (1, b"")
    failed = {
        name: row["message"]
        for name, row in read_report(tmp_path / "report.jsonl").files.items()
        if row["status"] == "failed"
    }
    if side == "truth":
        assert failed == {
            "1.png": "cannot be opened: Permission denied",
            "sub": "the folder cannot be read: Permission denied",
        }
    else:
        assert failed.keys() == {"1.png", "sub/0.png", "sub"}
        assert failed["1.png"] == "its prediction 1.png cannot be opened: Permission denied"
        assert "pred/sub cannot be read: Permission denied" in failed["sub/0.png"]
