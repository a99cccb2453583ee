"""Clusters whose workers cannot write all that they should."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from tests.clusters import (
    ForeignCluster,
    foreign_cluster,
)
from tests.helpers import (
    Place,
    temps,
)
from tests.test_distributed_faults import FILES, Run, check, foreign, place, whole  # noqa: F401

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc"),
]


def test_a_disk_that_fills_up(place: Place, foreign: ForeignCluster) -> None:
    place.dst.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place.dst)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root on Linux")
    try:
        run = Run(place, foreign.address)
        run.end(1)
        report = run.report()
        failed = [row for row in report.files.values() if row["status"] == "failed"]
        assert len(report.files) == FILES
        assert 0 < len(failed) < FILES, "the disk was to hold some of them"
        assert all("No space left on device" in row["message"] for row in failed)
        assert temps(place.dst) == []
        assert len(whole(place)) == FILES - len(failed)
        subprocess.run(["mount", "-o", "remount,size=64m", str(place.dst)], check=True)
        run = Run(place, foreign.address)
        run.end()
        check(place, run.report())
    finally:
        subprocess.run(["umount", "-l", str(place.dst)], check=True)


def test_one_worker_that_may_not_write(place: Place, tmp_path: Path) -> None:
    """A quota on the size of its files: its rows fail and name it, those of others do not."""
    tool = shutil.which("prlimit")
    if tool is None:
        pytest.skip("needs prlimit")
    with foreign_cluster(tmp_path / "cluster", workers=1) as some:
        some.add_worker("--no-nanny", prefix=[tool, "--fsize=300"])
        run = Run(place, some.address)
        run.end(1)
        report = run.report()
        failed = [row for row in report.files.values() if row["status"] == "failed"]
        assert {row["worker"] for row in failed} == {"w1"}
        assert all("File too large" in row["message"] for row in failed)
        assert len(whole(place)) == FILES - len(failed)
        assert temps(place.dst) == []
        some.workers[1].kill()
        run = Run(place, some.address)
        run.end()
        check(place, run.report())
