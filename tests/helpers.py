"""Running the command line on folders of masks, and judging all that it left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import output
from gpuseg.cli import main
from gpuseg.kernels.reference import rgb_to_index
from gpuseg.labels import load_label
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette
from tests.making import PALETTE, save_mask

ROOT = Path(__file__).resolve().parent.parent
REPORT = "gpuseg-report.jsonl"


@dataclass
class Finished:
    """A run of the command line that ended, and what it printed."""

    code: int
    out: str
    err: str


@dataclass
class Lines:
    """A report, row by row; `files` by source, `log` the messages of log rows."""

    header: dict[str, Any]
    files: dict[str, dict[str, Any]]
    summary: dict[str, Any]
    log: list[str]

    def failed(self) -> list[str]:
        return sorted(name for name, row in self.files.items() if row["status"] == "failed")


def palette_file(folder: Path, palette: Palette = PALETTE) -> Path:
    """A palette as a CSV file."""
    path = folder / "palette.csv"
    rows = [f"{c.index},{c.name},{c.rgb[0]},{c.rgb[1]},{c.rgb[2]}" for c in palette.classes]
    path.write_text("\n".join(["index,name,r,g,b", *rows]) + "\n", encoding="utf-8")
    return path


@dataclass
class Place:
    """A folder of masks `src`, a target `dst` that does not exist yet, and a palette file."""

    root: Path
    dst: Path = field(init=False)
    palette: Path = field(init=False)

    def __post_init__(self) -> None:
        self.dst = self.root / "dst"
        self.src.mkdir(parents=True)
        self.palette = palette_file(self.root)

    @property
    def src(self) -> Path:
        return self.root / "src"

    def good(self, count: int = 3) -> None:
        """Whole masks: good0.png … in SRC and in a folder of it."""
        for i in range(count):
            save_mask(self.src / ("sub" if i % 2 else "") / f"good{i}.png", 9 + i, 14, seed=i)

    def arguments(self, *more: str | Path) -> list[str]:
        options = ["--palette", str(self.palette), "--device", "cpu", "--workers", "2"]
        return ["convert", str(self.src), str(self.dst), *options, *map(str, more)]

    def convert(self, *more: str | Path) -> Finished:
        return gpuseg(*self.arguments(*more))

    def report(self) -> Lines:
        return read_report(self.dst / REPORT)


def gpuseg(*arguments: str) -> Finished:
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main(list(arguments), "gpuseg")
        except SystemExit as end:
            code = end.code
    return Finished(code or 0, out.getvalue(), err.getvalue())


def environment(**more: str) -> dict[str, str]:
    """The environment of a child that finds this gpuseg, installed or not."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1", **more}


def gpuseg_process(*arguments: str | bytes, before: tuple[str, ...] = ()) -> Finished:
    """The command line in a process of its own; `before` is a command that starts it."""
    command = [*before, sys.executable, "-m", "gpuseg", *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, timeout=120)
    text = [stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr)]
    assert "Traceback" not in text[1], text[1]
    return Finished(done.returncode, *text)


def ahead(days: int = 7) -> dict[str, str]:
    """Variables under which a child's clock is days ahead; skips where libfaketime is missing."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("needs libfaketime (apt install faketime)")
    # the time of files is that of their file system, and no timer runs faster
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"+{days}d",
        "NO_FAKE_STAT": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def start(place: Place | list[str], module: str = "gpuseg") -> subprocess.Popen[bytes]:
    """A run that hears Ctrl-C even where the tests themselves run in the background.

    place: whose files are converted, or the arguments of the run.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *(place if isinstance(place, list) else place.arguments())],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def read_report(path: Path) -> Lines:
    """A whole report: header first, summary last, each input once, the counts right."""
    rows = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    rows, logged = [r for r in rows if r["type"] != "log"], [r for r in rows if r["type"] == "log"]
    assert [row["type"] for row in rows] == ["run", *["file"] * (len(rows) - 2), "summary"]
    files = {row["source"]: row for row in rows[1:-1]}
    assert len(files) == len(rows) - 2, "an input has several rows"
    counts = rows[-1]["files"]
    for status in ("converted", "unchanged", "planned", "failed"):
        assert counts[status] == sum(row["status"] == status for row in files.values())
    for row in files.values():
        if row["status"] == "failed":
            assert row["error"], row
            assert row["error"] != "internal", row
            assert len(row["message"]) > 20, row
    return Lines(rows[0], files, rows[-1], [row["message"] for row in logged])


def reference(path: Path, palette: Palette = PALETTE, **options: Any) -> np.ndarray:
    """What the specification makes of a mask that Pillow opens as colours."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB"))
    return rgb_to_index(pixels, palette, ConvertOptions(**options))[0]


def tree(folder: Path) -> list[str]:
    """Every file below a folder that is no report, as `a/b.png`."""
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            relative = Path(where, name).relative_to(folder).as_posix()
            if not (name.startswith("gpuseg-report") and name.endswith(".jsonl")):
                found.append(relative)
    return sorted(found)


def temps(folder: Path) -> list[str]:
    """Temp files of gpuseg below a folder."""
    return [name for name in tree(folder) if Path(name).name.startswith(output.PREFIX)]


Marks = dict[str, tuple[int, int]]


def marks(folder: Path, names: list[str] | None = None) -> Marks:
    """Inode and time of change of files: equal only where nothing was written."""
    found = {name: (folder / name).stat() for name in (tree(folder) if names is None else names)}
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}


def check_exact(
    place: Place, palette: Palette = PALETTE, known: Marks | None = None, **options: Any
) -> list[str]:
    """Assert that each label map in DST is whole and equals the reference; returns them.

    known: marks of files that were checked before, brought up to date.
    """
    half = set(temps(place.dst))
    names = [name for name in tree(place.dst) if name not in half]
    known = {} if known is None else known
    found = marks(place.dst, names)
    for name in names:
        if known.get(name) == found[name]:
            continue
        sources = sorted(place.src.joinpath(name).parent.glob(f"{Path(name).stem}.*"))
        assert sources, f"{name} comes from nowhere"
        with Image.open(place.dst / name) as image:
            image.load()  # to the end, checksums included
        want = reference(sources[0], palette, **options)
        assert np.array_equal(load_label(place.dst / name), want), name
    known.update(found)
    return names


def check_run(place: Place, run: Finished, *bad: str, converted: int = 3) -> Lines:
    """Assert the promise of hostile input: `bad` failed with a row each, all else is exact."""
    assert run.code == (1 if bad else 0), run
    assert "Traceback" not in run.err
    lines = place.report()
    assert lines.failed() == sorted(bad), lines.files
    assert lines.summary["exit_code"] == run.code
    assert lines.summary["files"]["converted"] == converted, run
    assert temps(place.dst) == []
    assert len(check_exact(place)) == converted
    for row in lines.files.values():
        assert ("target" in row) == (row["status"] != "failed")
    assert run.err.count("\n") == min(len(bad), 5) + (len(bad) > 5), run.err
    return lines


@cache
def without_root() -> tuple[str, ...] | None:
    """A command under which permissions hold, () where they hold anyway, None if there is none."""
    if not hasattr(os, "getuid"):
        return None
    if os.getuid() != 0:
        return ()
    tool = shutil.which("setpriv")
    command = (tool or "", "--bounding-set=-dac_override,-dac_read_search")
    if not tool or subprocess.run([*command, "true"], capture_output=True).returncode:
        return None
    return command


def permissions_hold() -> tuple[str, ...]:
    """`without_root`, or skip the test."""
    command = without_root()
    if command is None:
        pytest.skip("permissions do not bind this user, and there is no setpriv to change that")
    return command


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, path.read_text().split())
    return found
