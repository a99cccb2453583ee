from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg import storage
from gpuseg.errors import UsageError
from tests.faults import FAULTS
from tests.helpers import environment
from tests.s3 import Bucket

DATA = bytes(range(256)) * 20


@pytest.fixture(params=["s3", "memory", "disk"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind: PUT, held in memory, and written beside and renamed."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket').url}/some"
    fsspec = pytest.importorskip("fsspec", reason="needs the extra storage")
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]
        return "memory://some"
    from fsspec.implementations.local import LocalFileSystem

    class Disk(LocalFileSystem):  # type: ignore[misc]
        """A store whose driver only knows how to write and to rename."""

        protocol = ("disk",)

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return path.removeprefix("disk://")

    fsspec.register_implementation("disk", Disk, clobber=True)
    storage._filesystem.cache_clear()
    return f"disk://{tmp_path.as_posix()}/some"


def test_what_is_written_is_read(place: str) -> None:
    storage.write(f"{place}/a/b.png", DATA)
    assert storage.read(f"{place}/a/b.png") == DATA
    assert storage.read_start(f"{place}/a/b.png", 7) == DATA[:7]
    storage.write(f"{place}/a/b.png", b"")
    assert storage.read(f"{place}/a/b.png") == b""
    assert storage.read_start(f"{place}/a/b.png", 7) == b""


def test_what_is_not_there(place: str) -> None:
    storage.write(f"{place}/a/b.png", DATA)
    for absent in ("a/c.png", "c/b.png", "a"):
        assert storage.info(f"{place}/{absent}") is None
    assert storage.read_start(f"{place}/a/c.png", 7) is None
    with pytest.raises(FileNotFoundError):
        storage.read(f"{place}/a/c.png")


def test_entries_and_info_say_the_same(place: str) -> None:
    names = ["a.png", "a/b.png", "a-b.png", "b/c/d.png", "a.png.png", "ä ö%20+.png"]
    for name in names:
        storage.write(f"{place}/{name}", name.encode())
    found = list(storage.entries(place))
    assert sorted(entry.relative for entry in found) == sorted(names)
    for entry in found:
        assert entry.path == f"{place}/{entry.relative}"
        assert entry.size == len(entry.relative.encode())
        assert entry.mtime_ns > 0
        assert storage.read(entry.path) == entry.relative.encode()
        known = storage.info(entry.path)
        assert known is not None
        assert (known.size, known.tag) == (entry.size, entry.tag)


def test_what_cannot_be_renamed_leaves_nothing(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not place.startswith("disk"):
        pytest.skip("written beside its target only there")

    def mv(*_: object, **__: object) -> None:
        raise TimeoutError("the server does not answer")

    storage.write(f"{place}/a", b"before")
    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.mv", mv)
    with pytest.raises(OSError, match="does not answer"):
        storage.write(f"{place}/a", DATA)
    assert [path.name for path in (tmp_path / "some").rglob("*")] == ["a"]
    assert storage.read(f"{place}/a") == b"before"


def test_removed_and_uploaded(place: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_bytes(DATA)
    storage.upload(str(tmp_path / "local"), f"{place}/a/b.png")
    assert storage.read(f"{place}/a/b.png") == DATA
    storage.remove(f"{place}/a/b.png")
    assert storage.info(f"{place}/a/b.png") is None


def test_a_stream_is_read_and_sought(place: str) -> None:
    data = DATA * 700  # more than a buffer
    storage.write(f"{place}/a", data)
    with storage.open_stream(f"{place}/a") as file:
        assert file.read(10) == data[:10]
        assert file.seek(-5, io.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:]
        file.seek(3)
        assert file.read() == data[3:]


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("s3://bucket/a", True),
        ("S3://bucket", True),
        ("memory://", True),
        ("C://a", False),
        ("C:\\a", False),
        ("/a://b", False),
        ("a/b", False),
        ("s3:/bucket", False),
    ],
)
def test_urls(path: str, url: bool) -> None:
    assert storage.is_url(path) is url


@given(st.text())
def test_any_text_may_be_asked(path: str) -> None:
    assert storage.is_url(path) in (True, False)


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_this_machine_is_named_by_paths(tmp_path: Path, scheme: str) -> None:
    """Else an input could be overwritten: nobody would see that both are one place."""
    pytest.importorskip("fsspec", reason="needs the extra storage")
    with pytest.raises(UsageError, match="give the path without it"):
        storage.write(f"{scheme}://{tmp_path.as_posix()}/a", b"")


def test_only_memory_is_seen_by_one_process() -> None:
    assert not storage.is_shared("memory://a")
    assert storage.is_shared("s3://a")


def test_importing_gpuseg_loads_no_driver() -> None:
    code = (
        "import sys, gpuseg, gpuseg.storage, gpuseg.convert; "
        "print([m for m in ('fsspec', 's3fs', 'boto3', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_driver_that_is_missing_is_named() -> None:
    pytest.importorskip("fsspec", reason="needs the extra storage")
    if _installed("gcsfs"):
        pytest.skip("gcsfs is installed")
    with pytest.raises(UsageError, match=r"gs:// needs a driver.*pip install 'gpuseg\[gs\]'"):
        storage.read("gs://bucket/a")
    with pytest.raises(UsageError, match="nonsense"):
        storage.read("nonsense://bucket/a")


def _installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


# S3 over HTTP


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
