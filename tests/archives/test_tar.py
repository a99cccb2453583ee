"""Tar archives: of every maker, hostile ones, damaged ones, and our own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Member
from gpuseg.archives.tar import TarReader, TarWriter
from gpuseg.errors import ArchiveError
from tests.archives.packing import (
    END,
    MTIME,
    Slow,
    choice,
    content,
    found,
    save_tar,
    tar_header,
    walk,
)

FILES = {"a.png": b"one", "b/c.png": b"", "b/d.png": bytes(5000), "e.png": b"x" * 512}
LONG = "/".join(["folder" * 20] * 3) + "/long.png"
PNG = b"data"


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_formats_of_python(tmp_path: Path, suffix: str, form: int) -> None:
    files = dict(FILES)
    if form != tarfile.USTAR_FORMAT:
        files |= {LONG: b"long", "ünïcode/日本.png": b"name"}
    path = save_tar(tmp_path / f"a{suffix}", files, form)
    assert found(path) == files
    assert {member.mtime_ns for member in walk(path, choice())} == {MTIME * 10**9}


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "posix"])
@pytest.mark.parametrize("where", [".", "./sub", "sub"])
def test_formats_of_gnu_tar(tmp_path: Path, form: str, where: str) -> None:
    tar = shutil.which("tar")
    if tar is None or b"GNU tar" not in subprocess.check_output([tar, "--version"]):
        pytest.skip("there is no GNU tar")
    long = "n" * 90 if form in ("v7", "ustar") else "n" * 180
    files = {"sub/a.png": b"one", f"sub/{long}.png": b"two", "sub/e.png": b""}
    for name, data in files.items():
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_bytes(data)
        os.utime(tmp_path / "src" / name, ns=(0, MTIME * 10**9 + 500_000_000))
    command = [tar, f"--format={form}", "-C", str(tmp_path / "src"), "-cf"]
    subprocess.run([*command, str(tmp_path / "a.tar"), where], check=True)
    assert found(tmp_path / "a.tar") == files
    times = {member.mtime_ns for member in walk(tmp_path / "a.tar", choice())}
    assert times == {MTIME * 10**9 + (500_000_000 if form == "posix" else 0)}


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_sparse_members(tmp_path: Path, form: str) -> None:
    tar = shutil.which("tar")
    if tar is None or b"GNU tar" not in subprocess.check_output([tar, "--version"]):
        pytest.skip("there is no GNU tar")
    with open(tmp_path / "a.png", "wb") as file:
        for at in range(0, 600_000, 100_000):
            file.seek(at)
            file.write(b"data")
        file.truncate(900_000)
    command = [tar, f"--format={form}", "-S", "-C", str(tmp_path), "-czf"]
    subprocess.run([*command, str(tmp_path / "a.tgz"), "a.png"], check=True)
    assert found(tmp_path / "a.tgz") == {"a.png": (tmp_path / "a.png").read_bytes()}


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    raw = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    path = tmp_path / "a.tar"
    path.write_bytes(tar_header(raw, PNG) + END)
    assert found(path) == {raw: PNG}
    writer = TarWriter(str(tmp_path / "b.tar"))
    writer.add(raw, PNG, 0)
    writer.finish(Mark(bytes(16)))
    assert found(tmp_path / "b.tar") == {raw: PNG}


def test_which_members_are_wanted(tmp_path: Path) -> None:
    files = {"a.png": b"1", "a.jpg": b"2", "a.json": b"3", ".h.png": b"4", ".d/b.png": b"5"}
    path = save_tar(tmp_path / "a.tar", files)
    wanted = choice()
    assert set(found(path, wanted)) == {"a.png", "a.jpg"}
    assert wanted.left_alone == {".json": 1, "hidden": 2}
    wanted = choice("*.png")
    assert set(found(path, wanted)) == {"a.png", ".h.png", ".d/b.png"}
    wanted = choice("*.png", keep=True)
    assert list(found(path, wanted)) == list(files)
    parts = [member.part for member in walk(path, wanted)]
    assert parts == ["mask", "other", "other", "mask", "mask"]
    assert not wanted.left_alone


HOSTILE = {
    "../up.png": (tar_header("../up.png", PNG), "leads out of the folder"),
    "a/../../up.png": (tar_header("a/../../up.png", PNG), "leads out of the folder"),
    "/root.png": (tar_header("/root.png", PNG), "absolute path"),
    "C:/drive.png": (tar_header("C:/drive.png", PNG), "absolute path"),
    "a\\b.png": (tar_header("a\\b.png", PNG), "backslash"),
    "a//b.png": (tar_header("a//b.png", PNG), "empty part"),
    "line\nbreak.png": (tar_header("line\nbreak.png", PNG), "control characters"),
    "hard.png": (tar_header("hard.png", type=tarfile.LNKTYPE, linkname="good.png"), "hard link"),
    "soft.png": (tar_header("soft.png", type=tarfile.SYMTYPE, linkname="/etc/x"), "symbolic link"),
    "pipe": (tar_header("pipe", type=tarfile.FIFOTYPE), "a pipe"),
    "null": (tar_header("null", type=tarfile.CHRTYPE), "a device"),
    "disk.png": (tar_header("disk.png", type=tarfile.BLKTYPE), "a device"),
    "odd.png": (tar_header("odd.png", PNG, type=b"Q"), "unknown type"),
    "../no-image": (tar_header("../no-image", PNG), "leads out of the folder"),
    "good.png#2": (tar_header("good.png", PNG), "not the first member named good.png"),
    "good.png#3": (tar_header("./good.png", PNG), "not the first member named good.png"),
    "large.png": (tar_header("large.png", bytes(2 << 20)), "2,097,152 bytes"),
}


def test_hostile_members_have_a_row_each(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    folder = tar_header("/folder", type=tarfile.DIRTYPE)
    bad = b"".join(header for header, _ in HOSTILE.values())
    path.write_bytes(tar_header("good.png", b"1") + folder + bad + tar_header("z.png", b"2") + END)
    rows = found(path)
    assert (rows.pop("good.png"), rows.pop("z.png")) == (b"1", b"2")
    assert list(rows) == list(HOSTILE)
    for name, (_, told) in HOSTILE.items():
        assert told in str(rows[name]), name


def test_links_that_nobody_asked_for_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    header = tar_header("README", type=tarfile.SYMTYPE, linkname="docs/README")
    path.write_bytes(header + tar_header("notes", b"1") + tar_header("notes", b"2") + END)
    wanted = choice()
    assert found(path, wanted) == {}
    assert wanted.left_alone == {"": 3}
    assert list(found(path, choice(keep=True))) == ["README", "notes", "notes#2"]


def test_large_members_wait_in_a_temp_file(tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    path = save_tar(tmp_path / "a.tar", {"a.bin": data, "b.png": b"1"})
    member, mask = walk(path, choice(keep=True, limit=4 << 20))
    assert not isinstance(member.data, (bytes, io.BytesIO))
    assert (content(member), mask.data) == (data, b"1")
    assert "3,145,728 bytes" in str(found(path, choice(keep=True, limit=1 << 20))["a.bin"])


def damaged(path: Path, data: bytes) -> tuple[list[str], str]:
    """The members that come before the damage, and what is told of it."""
    path.write_bytes(data)
    rows: list[Member] = []
    with pytest.raises(ArchiveError) as told:
        rows.extend(walk(path, choice()))
    assert all(member.error is None for member in rows)
    return [member.name for member in rows], str(told.value)


def test_cut_off_anywhere(tmp_path: Path) -> None:
    whole = save_tar(tmp_path / "whole.tar", {f"{i}.png": bytes([i]) * 600 for i in range(4)})
    data = whole.read_bytes()
    end = 4 * (512 + 1024)
    for size in [0, 1, 511, 512, 600, 512 + 1024, *range(2000, end, 777), end, end + 100]:
        path = tmp_path / "cut.tar"
        names, told = damaged(path, data[:size])
        assert names == [f"{i}.png" for i in range(min(4, (size + 424) // 1536))], size
        assert "cannot be read to its end" in told


def test_a_gzipped_archive_that_is_cut_off_or_damaged(tmp_path: Path) -> None:
    files = {f"{i}.png": os.urandom(3000) for i in range(9)}
    data = save_tar(tmp_path / "whole.tar.gz", files).read_bytes()
    for size in range(0, len(data), 1111):
        names, _ = damaged(tmp_path / "cut.tar.gz", data[:size])
        assert names == [f"{i}.png" for i in range(len(names))]
    changed = bytearray(data)
    changed[-6] ^= 1  # the checksum
    names, told = damaged(tmp_path / "bad.tar.gz", bytes(changed))
    assert names == [f"{i}.png" for i in range(len(names))]
    assert "CRC" in told


DAMAGE = {
    "a checksum": (tar_header("a.png", PNG)[:150] + b"9" + tar_header("a.png", PNG)[151:] + END, 0),
    "noise": (tar_header("a.png", PNG) + b"?" * 512 + END, 1),
    "no end": (tar_header("a.png", PNG), 1),
    "joined": (2 * (tar_header("a.png", PNG) + END), 1),
    "a size below zero": (tar_header("a.png", size=-512) + END, 0),
    "a long name of gigabytes": (
        tar_header("a.png", PNG) + tar_header("x", type=tarfile.GNUTYPE_LONGNAME, size=1 << 33),
        1,
    ),
    "a pax header of gigabytes": (tar_header("x", type=tarfile.XHDTYPE, size=1 << 33) + END, 0),
    "a pax header without a member": (tar_header("x", b"11 path=ab\n", type=tarfile.XHDTYPE), 0),
    "no archive": (b"hello, world", 0),
    "nothing": (b"", 0),
}


@pytest.mark.parametrize("name", list(DAMAGE))
def test_damage(tmp_path: Path, name: str) -> None:
    data, whole = DAMAGE[name]
    names, told = damaged(tmp_path / "a.tar", data)
    assert names == ["a.png"] * whole
    assert "restore it from its source" in told


@pytest.mark.parametrize("value", ["nan", "inf", "-5", "1e400", "99999999999999999999", "x"])
def test_times_that_are_none(tmp_path: Path, value: str) -> None:
    record = f" mtime={value}\n".encode()
    record = str(len(record) + 2).encode() + record
    header = tar_header("x", record, type=tarfile.XHDTYPE)
    (tmp_path / "a.tar").write_bytes(header + tar_header("a.png", PNG) + END)
    assert [member.mtime_ns for member in walk(tmp_path / "a.tar", choice())] == [0]


def test_pax_sizes_that_lead_back(tmp_path: Path) -> None:
    header = tar_header("x", b"14 size=-1536\n", type=tarfile.XHDTYPE)
    names, told = damaged(tmp_path / "a.tar", header + tar_header("a.png", PNG) + END)
    assert names == []
    assert told


@settings(max_examples=150)
@given(st.data())
def test_any_damage_is_told_or_harmless(data: st.DataObject) -> None:
    """A few bytes changed: members, an error each or one of the archive, and no other exception."""
    whole = bytearray(
        tar_header("a.png", PNG)
        + tar_header("x", b"14 path=b.png\n", type=tarfile.XHDTYPE)
        + tar_header("c.png", PNG)
        + tar_header("l" * 150 + ".png", PNG)
        + END
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    rows: list[Member] = []
    with contextlib.suppress(ArchiveError):
        rows.extend(TarReader(io.BytesIO(whole), choice()))
    assert len({member.name for member in rows}) == len(rows)


def test_a_stream_that_comes_in_pieces(tmp_path: Path) -> None:
    data = save_tar(tmp_path / "a.tar.gz", FILES).read_bytes()
    stream = io.BufferedReader(Slow(data))
    rows = {m.name: m.data for m in TarReader(stream, choice(), zipped=True)}
    assert rows == FILES
