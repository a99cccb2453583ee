"""The benchmark of scale runs, on tiny inputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import scale, scale_archives, scale_cluster, scale_s3
from tests.benchmarks.running import results


def test_archives(tmp_path: Path) -> None:
    found = results(scale.SCRIPT, tmp_path, "--part", "archives", "--repeats", "1")
    [rows] = found.values()
    assert [row["way"] for row in rows][:2] == [scale_archives.FOLDERS, scale_archives.TARS]
    assert all(row["files"] == 6 and row["ratio"] > 0 for row in rows)
    assert [row["bar"] for row in rows] == [None, scale_archives.BAR, None, None, None, None]


def test_memory(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    found = results(scale.SCRIPT, tmp_path, "--part", "memory")
    [rows] = found.values()
    assert [row["files listed"] for row in rows[:4]] == [300, 3_000] * 2
    assert [row["rows"] for row in rows[:2]] == [300, 3_000]
    assert 0 < rows[3]["rows"] < 3_000
    assert all(row["peak (MB)"] > 10 for row in rows)
    assert all(row["met"] for row in rows[1::2])


def test_s3(tmp_path: Path) -> None:
    pytest.importorskip("s3fs", reason="needs the extra s3")
    pytest.importorskip("moto", reason="needs the extra test")
    found = results(scale.SCRIPT, tmp_path, "--part", "s3", "--repeats", "1")
    [rows] = found.values()
    ways = [scale_s3.STORED, scale_s3.LOCAL]
    if shutil.which("aws"):
        ways += [scale_s3.COPY_STORED, scale_s3.COPY_DOWN, scale_s3.COPY_UP]
    assert [row["way"] for row in rows] == ways
    assert all(row["files"] == 6 and row["best (s)"] > 0 for row in rows)


def test_cluster(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    found = results(scale.SCRIPT, tmp_path, "--part", "cluster", "--repeats", "1")
    ways, shards = found.values()
    assert [row["way"] for row in ways] == [scale_cluster.OURS, scale_cluster.DASKS]
    assert all(row["files"] == 6 and row["ratio"] > 0 for row in ways)
    assert ways[1]["bar"] == scale_cluster.BAR
    assert [row["files of a shard"] for row in shards] == [64, 256, 512]
    assert all(row["by Dask (ms)"] > 0 for row in shards)
