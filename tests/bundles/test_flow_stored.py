"""Archives in a bucket, over HTTP that fails now and then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archives.dumps import check_labels, convert, expected, masks, pack, unpack
from tests.faults import seeded
from tests.s3 import Bucket, bucket, s3_server

__all__ = ["bucket", "s3_server"]  # fixtures


def fetch(bucket: Bucket, key: str, folder: Path) -> dict[str, bytes]:
    path = folder / "fetched" / Path(key).name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bucket.get(key))
    return unpack(path)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_there_and_back(tmp_path: Path, bucket: Bucket, kind: str) -> None:
    bucket.put(f"in.{kind}", Path(pack(tmp_path / f"in.{kind}", masks())).read_bytes())
    src, dst = f"{bucket.url}/in.{kind}", f"{bucket.url}/labels/out.{kind}"
    assert convert(src, dst).files == {"converted": 9}
    check_labels(fetch(bucket, f"labels/out.{kind}", tmp_path), expected(masks()))
    keys = [f"labels/out.{kind}", f"labels/out.{kind}.gpuseg-report.jsonl"]
    assert bucket.keys("labels") == keys, "one object and its report"
    assert bucket.proxy.count("PUT", f"out.{kind}") == 1
    bucket.proxy.log.clear()
    assert convert(src, dst).files == {"unchanged": 1}
    assert bucket.proxy.count("PUT", f"out.{kind}") == 0
    assert convert(src, f"{bucket.url}/folder").files == {"converted": 9}
    check_labels(bucket.contents("folder"), expected(masks()))
    bucket.put(f"in.{kind}", Path(pack(tmp_path / f"in.{kind}", masks(5))).read_bytes())
    assert convert(src, dst).files == {"converted": 5}


def test_a_folder_of_a_bucket_as_archives(tmp_path: Path, bucket: Bucket) -> None:
    for name, data in masks(10).items():
        bucket.put(f"in/{name}", data)
    dst = f"{bucket.url}/out-{{0..2}}.tar"
    assert convert(f"{bucket.url}/in", dst).files == {"converted": 10}
    found = [fetch(bucket, f"out-{i}.tar", tmp_path) for i in range(3)]
    check_labels({n: d for part in found for n, d in part.items()}, expected(masks(10)))
    assert convert(f"{bucket.url}/in", dst).files == {"unchanged": 3}


def test_requests_that_fail(tmp_path: Path, bucket: Bucket) -> None:
    for i in range(4):
        path = Path(pack(tmp_path / f"in-{i}.tar", masks(20)))
        bucket.put(path.name, path.read_bytes())
    bucket.proxy.plan = seeded(3, 0.4, most=1)
    report = convert(f"{bucket.url}/in-{{0..3}}.tar", f"{bucket.url}/out-{{0..3}}.tar")
    assert sum(bucket.proxy.faults.values()) > 2
    assert report.files == {"converted": 80}
    for i in range(4):
        check_labels(fetch(bucket, f"out-{i}.tar", tmp_path), expected(masks(20)))


def test_a_bucket_that_takes_no_archive(tmp_path: Path, bucket: Bucket) -> None:
    src = pack(tmp_path / "in.tar", masks())
    bucket.proxy.plan = lambda request: "denied" if request.method == "PUT" else None
    report = convert(src, f"{bucket.url}/out.tar", report=tmp_path / "r.jsonl")
    assert report.exit_code == 1
    assert report.failures[-1].source == "in.tar"
    assert "cannot be written" in report.failures[-1].message
    bucket.proxy.plan = lambda request: None
    assert bucket.keys() == []
    assert convert(src, f"{bucket.url}/out.tar", report=tmp_path / "r.jsonl").exit_code == 0
    check_labels(fetch(bucket, "out.tar", tmp_path), expected(masks()))


def test_a_bucket_that_gives_no_archive(tmp_path: Path, bucket: Bucket) -> None:
    bucket.put("in.tar", Path(pack(tmp_path / "in.tar", masks())).read_bytes())
    bucket.proxy.plan = lambda request: "denied" if request.method == "GET" else None
    report = convert(f"{bucket.url}/in.tar", tmp_path / "out.tar")
    assert report.files == {"failed": 1}
    assert not (tmp_path / "out.tar").exists()
