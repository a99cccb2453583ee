"""Zip archives: of several makers, hostile ones, damaged ones, and our own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Member
from gpuseg.archives.opening import read_mark
from gpuseg.archives.zip import ZipReader, ZipWriter
from gpuseg.errors import ArchiveError
from tests.archives.packing import choice, content, found, walk

FILES = {"a.png": b"one", "b/c.png": b"", "b/d.png": bytes(5000), "日本.png": b"name"}
PNG = b"data"
UNIX = 3


def save(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes], method: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return path


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = name  # as it stands: the constructor mends names
    info.create_system, info.external_attr = UNIX, mode << 16
    return info


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_of_python(tmp_path: Path, method: int) -> None:
    path = save(tmp_path / "a.zip", ("b/", b""), *FILES.items(), method=method)
    assert found(path) == FILES


@pytest.mark.parametrize("more", [(), ("-0",), ("-fz",)])
def test_of_info_zip(tmp_path: Path, more: tuple[str, ...]) -> None:
    tool = shutil.which("zip")
    if tool is None:
        pytest.skip("there is no zip")
    for name, data in FILES.items():
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_bytes(data)
        os.utime(tmp_path / "src" / name, (1_700_000_000, 1_700_000_000))
    (tmp_path / "src" / "link.png").symlink_to("a.png")
    command = [tool, "-q", "-r", "-y", *more, str(tmp_path / "a.zip"), "."]
    subprocess.run(command, cwd=tmp_path / "src", check=True, env={**os.environ, "TZ": "UTC"})
    rows = found(tmp_path / "a.zip")
    assert "symbolic link" in str(rows.pop("link.png"))
    assert rows == FILES
    times = {m.mtime_ns for m in walk(tmp_path / "a.zip", choice()) if m.error is None}
    assert times == {1_700_000_000 * 10**9}


HOSTILE = {
    "../up.png": (entry("../up.png"), "leads out of the folder"),
    "/root.png": (entry("/root.png"), "absolute path"),
    "C:/drive.png": (entry("C:/drive.png"), "absolute path"),
    "a\\b.png": (entry("a\\b.png"), "backslash"),
    "null.png\0.txt": (entry("null.png\0.txt"), "control characters"),
    "link.png": (entry("link.png", stat.S_IFLNK | 0o777), "symbolic link"),
    "pipe": (entry("pipe", stat.S_IFIFO), "device or a pipe"),
    "device.png": (entry("device.png", stat.S_IFBLK), "device or a pipe"),
    "good.png#2": (entry("good.png"), "not the first member named good.png"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_hostile_members_have_a_row_each(tmp_path: Path) -> None:
    bad = [(info, PNG) for info, _ in HOSTILE.values()]
    path = save(tmp_path / "a.zip", ("good.png", b"1"), *bad, ("z.png", b"2"))
    rows = found(path)
    assert (rows.pop("good.png"), rows.pop("z.png")) == (b"1", b"2")
    assert list(rows) == list(HOSTILE)
    for name, (_, told) in HOSTILE.items():
        assert told in str(rows[name]), name


def central(data: bytes, name: bytes) -> int:
    """Where the directory's entry of a member begins."""
    return data.rindex(name) - 46


def test_encrypted_members(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zip", ("a.png", PNG), ("b.png", PNG))
    data = bytearray(path.read_bytes())
    data[central(data, b"a.png") + 8] |= 1
    path.write_bytes(data)
    rows = found(path)
    assert "encrypted" in str(rows["a.png"])
    assert rows["b.png"] == PNG


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_other_methods(tmp_path: Path, method: int) -> None:
    path = save(tmp_path / "a.zip", ("a.png", PNG), ("b.png", PNG))
    data = bytearray(path.read_bytes())
    data[central(data, b"a.png") + 10] = method
    path.write_bytes(data)
    rows = found(path)
    assert "is compressed by" in str(rows["a.png"])
    assert rows["b.png"] == PNG


def test_a_bomb(tmp_path: Path) -> None:
    """Claimed sizes count before anything is read, and more than that is not inflated."""
    big = bytes(50 << 20)
    path = save(tmp_path / "a.zip", ("a.png", big), ("b.png", PNG))
    assert "52,428,800 bytes" in str(found(path)["a.png"])
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, central(data, b"a.png") + 24, 1000)
    path.write_bytes(data)
    rows = found(path)
    assert "is damaged" in str(rows["a.png"])
    assert rows["b.png"] == PNG


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zip", ("a.png", PNG), ("b.png", PNG), ("c.png", PNG))
    data = bytearray(path.read_bytes())
    at = central(data, b"b.png") + 42
    struct.pack_into("<I", data, at, 0)  # where a.png begins
    path.write_bytes(data)
    rows = found(path)
    assert "shares its bytes" in str(rows["a.png"])
    assert "shares its bytes" in str(rows["b.png"])
    assert rows["c.png"] == PNG


def test_damaged_members_are_alone(tmp_path: Path) -> None:
    noise = os.urandom(500)
    path = save(tmp_path / "a.zip", ("a.png", PNG), ("b.png", noise), ("c.png", PNG), method=0)
    data = bytearray(path.read_bytes())
    data[data.index(noise) + 9] ^= 1
    path.write_bytes(data)
    rows = found(path)
    assert "is damaged" in str(rows.pop("b.png"))
    assert rows == {"a.png": PNG, "c.png": PNG}


def test_what_is_no_archive(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.zip", *FILES.items()).read_bytes()
    path = tmp_path / "a.zip"
    for data in (b"", b"hello", whole[:-30], whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(ArchiveError, match="restore it from its source"):
            found(path)


@settings(max_examples=150)
@given(st.data())
def test_any_damage_is_told_or_harmless(data: st.DataObject) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", 8) as archive:
        for name in ("a.png", "b.png", "c.png"):
            archive.writestr(name, PNG * 20)
    whole = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    rows: list[Member] = []
    with contextlib.suppress(ArchiveError):
        rows.extend(ZipReader(io.BytesIO(whole), choice("*")))
    assert len({member.name for member in rows}) == len(rows)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    paths = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in paths:
        writer = ZipWriter(str(path))
        for i, (name, data) in enumerate(FILES.items()):
            writer.add(name, io.BytesIO(data) if i % 2 else data, i * 10**18)
        writer.add("big.json", io.BytesIO(bytes(3 << 20)), -1)
        assert not path.exists()
        writer.finish(Mark(b"0123456789abcdef", 5, 6, 7))
        assert read_mark(str(path)) == Mark(b"0123456789abcdef", 5, 6, 7)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert found(paths[0]) == FILES
    members = {m.name: content(m) for m in walk(paths[0], choice(keep=True, limit=4 << 20))}
    assert members == {**FILES, "big.json": bytes(3 << 20)}
    with zipfile.ZipFile(paths[0]) as archive:
        assert archive.testzip() is None
        methods = {info.filename: info.compress_type for info in archive.infolist()}
    assert methods == {**dict.fromkeys(FILES, 0), "big.json": zipfile.ZIP_DEFLATED}
    assert sorted(os.listdir(tmp_path)) == ["a.zip", "b.zip"]


def test_marks_of_others(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zip", ("a.png", PNG))
    assert read_mark(str(path)) is None
    (tmp_path / "b.zip").write_bytes(b"PK")
    assert read_mark(str(tmp_path / "b.zip")) is None


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    writer = ZipWriter(str(tmp_path / "a.zip"))
    writer.add("a.png", PNG, 0)
    writer.discard()
    writer.discard()
    assert os.listdir(tmp_path) == []
