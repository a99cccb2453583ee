"""Storages: what S3 is asked over HTTP, and what comes of its faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg import storage
from tests.faults import FAULTS
from tests.s3 import Bucket

DATA = bytes(range(256)) * 20


def test_each_thing_is_one_request(bucket: Bucket) -> None:
    url = f"{bucket.url}/a"
    storage.write(url, DATA)
    storage.read(url)
    storage.read_start(url, 10)
    storage.info(url)
    list(storage.entries(bucket.url))
    asked = [(request.method, request.path) for request in bucket.proxy.log]
    key, place = f"/{bucket.name}/a", f"/{bucket.name}"
    assert asked == [("PUT", key), ("GET", key), ("GET", key), ("HEAD", key), ("GET", place)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_got_over(bucket: Bucket, fault: str) -> None:
    url = f"{bucket.url}/a"
    bucket.proxy.plan = lambda request: fault if request.number == 0 else None
    storage.write(url, DATA)
    assert bucket.get("a") == DATA
    assert storage.read(url) == DATA
    assert [entry.relative for entry in storage.entries(bucket.url)] == ["a"]
    assert bucket.proxy.faults[fault] >= 3
    with storage.open_stream(url) as file:
        assert file.read() == DATA


def test_what_never_answers_is_an_error_with_its_reason(bucket: Bucket) -> None:
    storage.write(f"{bucket.url}/a", DATA)
    bucket.proxy.plan = lambda request: "denied"
    with pytest.raises(PermissionError, match=r"Access Denied|Forbidden"):
        storage.read(f"{bucket.url}/a")
    with pytest.raises(PermissionError):
        storage.write(f"{bucket.url}/b", DATA)
    with pytest.raises(PermissionError):
        list(storage.entries(bucket.url))
    assert bucket.keys() == ["a"]


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    with pytest.raises(OSError, match="there is no bucket no-such-bucket-here"):
        list(storage.entries("s3://no-such-bucket-here/a"))
    with pytest.raises(FileNotFoundError) as caught:
        storage.write("s3://no-such-bucket-here/a", DATA)
    assert "bucket does not exist" in str(caught.value.strerror)


def test_a_listing_comes_page_by_page(bucket: Bucket) -> None:
    names = [f"{i:04d}.png" for i in range(17)]
    for name in names:
        bucket.put(f"in/{name}", b"")
    bucket.put("in2/other.png", b"")
    listed = storage.entries(f"{bucket.url}/in", at_once=7)
    first = next(listed)
    assert len(bucket.proxy.log) == 1, "one page is asked for as it is needed"
    assert [first.relative, *(entry.relative for entry in listed)] == names
    assert len(bucket.proxy.log) == 3


def test_marks_of_folders_are_no_files(bucket: Bucket) -> None:
    for key in ("in/", "in/sub/", "in/sub/a.png"):
        bucket.put(key, b"")
    assert [e.relative for e in storage.entries(f"{bucket.url}/in")] == ["sub/a.png"]


HOSTILE = ["a?version=1.png", "a#b.png", "a*[b].png", "a%2e%2e.png", "a::b.png", "ä\u2028.png"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_mean_nothing_to_a_driver(bucket: Bucket, name: str) -> None:
    bucket.put(f"in/{name}", DATA)
    [entry] = storage.entries(f"{bucket.url}/in")
    assert entry.relative == name
    assert storage.read(entry.path) == DATA
    assert storage.info(entry.path) is not None
    storage.write(f"{bucket.url}/out/{name}", b"new")
    assert bucket.get(f"out/{name}") == b"new"


def test_a_key_that_names_a_version_is_refused(bucket: Bucket) -> None:
    bucket.put("in/a?versionId=1.png", DATA)
    [entry] = storage.entries(f"{bucket.url}/in")
    with pytest.raises(OSError, match="cannot be named"):
        storage.read(entry.path)
    with pytest.raises(OSError, match="cannot be named"):
        storage.write(entry.path, b"new")
    assert bucket.keys() == ["in/a?versionId=1.png"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stream_goes_on_after_a_fault(bucket: Bucket, fault: str) -> None:
    """Whatever is asked for, the first time it is."""
    data = DATA * 4_000  # blocks of 8 MiB: three requests
    bucket.put("a", data)
    bucket.proxy.plan = lambda request: fault if request.number in (0, 2, 4) else None
    with storage.open_stream(f"{bucket.url}/a") as file:
        assert file.read(5) == data[:5]
        assert file.read() == data[5:]
    assert bucket.proxy.faults[fault] == 4  # of HEAD, too


def test_a_stream_that_stays_broken_is_an_error(bucket: Bucket) -> None:
    bucket.put("a", DATA * 4_000)
    with storage.open_stream(f"{bucket.url}/a") as file:
        assert file.read(5) == DATA[:5]
        bucket.proxy.plan = lambda request: "denied"
        with pytest.raises(OSError, match=r"denied|Denied|Forbidden"):
            file.read()


def test_a_large_file_comes_in_parts_and_is_whole(bucket: Bucket, tmp_path: Path) -> None:
    """Only beyond 100 MB; where a part fails for good nothing is there."""
    (tmp_path / "large").write_bytes(bytes(101 << 20))
    bucket.proxy.plan = lambda r: "denied" if "partNumber=2" in r.query else None
    with pytest.raises(PermissionError):
        storage.upload(str(tmp_path / "large"), f"{bucket.url}/large")
    assert bucket.keys() == []
    bucket.proxy.plan = lambda request: None
    storage.upload(str(tmp_path / "large"), f"{bucket.url}/large")
    assert len(bucket.get("large")) == 101 << 20


def test_an_s3fs_before_2026_is_told_nothing_of_parts() -> None:
    class Before:
        def call_s3(self) -> None: ...

        async def _cat_file(self, path: str, start: int, end: int) -> None: ...

    s3fs = pytest.importorskip("s3fs", reason="needs the extra s3")
    assert not storage._reads_in_parts(Before)
    assert not storage._reads_in_parts(dict)
    assert isinstance(storage._reads_in_parts(s3fs.S3FileSystem), bool)
