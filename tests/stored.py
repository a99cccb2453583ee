"""Masks in a folder and in a bucket, and runs between them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers import Finished, Place, check_exact, gpuseg, read_report, start
from tests.helpers import Lines as Report
from tests.s3 import Bucket


@dataclass
class Stored(Place):
    """Masks in a folder and below `in` of a bucket; DST is `out`. want: what a run between folders
    makes of them."""

    bucket: Bucket
    want: dict[str, bytes] = field(init=False)

    @property
    def inside(self) -> str:
        return f"{self.bucket.url}/in"

    @property
    def out(self) -> str:
        return f"{self.bucket.url}/out"

    def fill(self, files: int) -> None:
        self.good(files)
        self.bucket.fill(self.src, "in")
        assert self.convert().code == 0
        check_exact(self)
        self.want = local(self.dst)
        assert len(self.want) == files

    def options(self) -> list[str]:
        return ["--palette", str(self.palette), "--device", "cpu", "--workers", "2"]

    def to(self, src: str | Path, dst: str | Path, *more: str) -> Finished:
        return gpuseg("convert", str(src), str(dst), *self.options(), *more)

    def start(self) -> subprocess.Popen[bytes]:
        """A run between the places of the bucket, as a process of its own."""
        return start(["convert", self.inside, self.out, *self.options()])

    def stored_report(self, key: str = "out/gpuseg-report.jsonl") -> Report:
        path = self.root / "fetched.jsonl"
        path.write_bytes(self.bucket.get(key))
        return read_report(path)

    def check_same(self, found: dict[str, bytes], *but: str) -> None:
        """Assert that label maps are those of the run between folders, all but some."""
        assert set(found) == set(self.want) - set(but)
        self.check_whole(found)

    def check_whole(self, found: dict[str, bytes]) -> None:
        """Assert that each label map is that of the run between folders."""
        for name, data in found.items():
            assert _pixels(data) == _pixels(self.want[name]), name


def _pixels(data: bytes) -> bytes:
    """A label map without its fingerprint, which tells of the source's time and so differs."""
    at = data.index(b"gpSG")
    return data[: at - 4] + data[at + 4 + 24 + 4 :]


def local(folder: Path) -> dict[str, bytes]:
    """The label maps below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.png")}
