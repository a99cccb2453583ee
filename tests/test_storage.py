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
from tests.helpers import environment

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
