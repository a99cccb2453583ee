"""From and to S3: gpuseg beside `aws s3 cp` of the same bytes, on one server, in turn.

The server is moto, a process of its own on this machine: it answers slower than a store would, and
on the same cores. So the figures compare two clients, and say nothing of S3.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.common import Contender, Table, interleaved, stopwatch
from gpuseg import storage
from gpuseg.convert import convert_directory
from gpuseg.palette import Palette

STORED, LOCAL = "gpuseg S3 → S3", "gpuseg folder → S3"
COPY_STORED, COPY_UP = "aws s3 cp S3 → S3", "aws s3 cp folder → S3"
COPY_DOWN = "aws s3 cp S3 → folder"

ABOUT = (
    "gpuseg fetches and writes each file through this process; `aws s3 cp --recursive` from S3 to "
    "S3 has the server copy, no byte passes through it; its way down and up again is the same "
    "traffic as gpuseg's. The start of `aws` is in its times, that of Python not in gpuseg's."
)


def tables(folder: Path, palette: Palette, repeats: int, work: Path) -> Iterator[Table]:
    """Times of a set of masks."""
    table = Table(f"S3 (moto): {folder.name}", notes=[ABOUT])
    lacking = [name for name in ("s3fs", "moto") if find_spec(name) is None]
    if lacking:
        table.notes.append(f"skipped: {' and '.join(lacking)} not installed")
        yield table
        return
    from benchmarks.cost_apart import bucket

    if shutil.which("aws") is None:
        table.notes.append("aws s3 cp was left out: aws is not installed")
    with bucket() as url:
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        for path in paths:
            storage.write(f"{url}/in/{path.name}", path.read_bytes())
        times = interleaved(_contenders(url, folder, palette, work), repeats, slow=60)
    size = sum(path.stat().st_size for path in paths)
    for name, taken in times.items():
        table.add(
            way=name,
            files=len(paths),
            MB_in=size / 1e6,
            best__s=taken.best,
            median__s=taken.median,
            files_per_s=len(paths) / taken.median,
            runs=taken.runs,
        )
    yield table


def _contenders(url: str, folder: Path, palette: Palette, work: Path) -> dict[str, Contender]:
    number = itertools.count()

    def convert(src: str) -> None:
        report = convert_directory(src, f"{url}/out-{next(number)}", palette, device="cpu")
        if report.failed or not report.files["converted"]:
            raise SystemExit(f"{report.summary()}: {[r.message for r in report.failures][:1]}")

    def copy(src: str, dst: str) -> None:
        words = ["aws", "s3", "cp", "--recursive", "--only-show-errors", src, dst]
        subprocess.run(words, check=True)

    found = {STORED: partial(convert, f"{url}/in"), LOCAL: partial(convert, str(folder))}
    if shutil.which("aws") is not None:
        found[COPY_STORED] = lambda: copy(f"{url}/in", f"{url}/copy-{next(number)}")
        found[COPY_DOWN] = lambda: copy(f"{url}/in", str(work / f"down-{next(number)}"))
        found[COPY_UP] = lambda: copy(str(folder), f"{url}/copy-{next(number)}")
    return {name: stopwatch(work) for name, work in found.items()}
