"""Label maps into Parquet files."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.archives import opening, parquet
from gpuseg.archives.member import Choice
from gpuseg.archives.parquet import Like
from gpuseg.codecs.label_png import write_label
from gpuseg.errors import ArchiveError, OutputError, UsageError
from tests.archives.parquet.tables import (
    IMAGE,
    LABELS,
    MARK,
    SAMPLES,
    groups,
    image,
    make,
    pa,
    packed,
    pq,
    read,
    replace,
    table,
)
from tests.making import PALETTE, indices


def test_a_new_file_is_one_that_datasets_loads(tmp_path: Path) -> None:
    made = make(tmp_path / "out.parquet", {"a.png": b"one", "b/c.png": b"two"})
    assert made.schema.types == [IMAGE]
    assert made.to_pydict() == {"image": [image(b"one", "a.png"), image(b"two", "b/c.png")]}
    told = json.loads(made.schema.metadata[b"huggingface"])
    assert told == {"info": {"features": {"image": {"_type": "Image"}}}}
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_what_is_left_out_of_a_new_file_is_no_row(tmp_path: Path) -> None:
    writer = parquet.writer(str(tmp_path / "out.parquet"), column="mask")
    writer.leave_out("a.png")
    writer.add("b.png", io.BytesIO(b"two"), 0)
    writer.finish(MARK)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"mask": [image(b"two", "b.png")]}


def test_a_new_file_may_be_empty(tmp_path: Path) -> None:
    assert make(tmp_path / "out.parquet", {}).num_rows == 0


def test_row_groups_of_a_new_file_are_bounded(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("gpuseg.archives.parquet.layout.GROUP_ROWS", 4)
    monkeypatch.setattr("gpuseg.archives.parquet.writing.GROUP_BYTES", 100)
    target = tmp_path / "out.parquet"
    make(target, {f"{n}.png": bytes(60 if n < 4 else 1) for n in range(11)})
    assert groups(target.read_bytes()) == [2, 2, 4, 3]


def test_names_that_are_no_utf8_are_escaped(tmp_path: Path) -> None:
    made = make(tmp_path / "out.parquet", {"\udcff.png": b"x"})
    assert made["image"][0]["path"].as_py() == "\\udcff.png"


def test_label_maps_come_back_as_they_were(tmp_path: Path) -> None:
    made = [indices(9, 7, seed) for seed in range(5)]
    labels = {f"{n}.png": write_label(x, PALETTE.plte()) for n, x in enumerate(made)}
    make(tmp_path / "out.parquet", labels)
    for member, expected in zip(read((tmp_path / "out.parquet").read_bytes()), made, strict=True):
        assert isinstance(member.data, bytes)
        with Image.open(io.BytesIO(member.data)) as found:
            assert found.mode == "P"
            assert np.array_equal(np.asarray(found), expected)


def test_the_mark_is_read_and_not_handed_on(tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    make(first, {"a.png": b"x"})
    with first.open("rb") as stream:
        assert parquet.read_mark(stream) == MARK
    replace(first.read_bytes(), second, {0: b"y"}, keep=True)
    assert second.read_bytes().count(b"gpuseg archive") == 1


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 99, packed(SAMPLES)], ids=range(4))
def test_others_files_have_no_mark(data: bytes) -> None:
    assert parquet.read_mark(io.BytesIO(data)) is None


def test_a_file_that_is_cut_off_has_no_mark(tmp_path: Path) -> None:
    make(tmp_path / "a.parquet", {"a.png": os.urandom(999)})
    data = (tmp_path / "a.parquet").read_bytes()
    draw = random.Random(1)
    for _ in range(50):
        assert parquet.read_mark(io.BytesIO(data[: draw.randrange(len(data))])) is None


def test_a_mark_that_cannot_be_read_is_no_missing_one() -> None:
    class Failing(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(errno.EIO, "the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        parquet.read_mark(Failing(bytes(1000)))


def test_the_same_members_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        replace(packed(SAMPLES), tmp_path / name, LABELS, column="mask", keep=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    writer = parquet.writer(str(tmp_path / "out.parquet"))
    writer.add("a.png", b"x", 0)
    writer.discard()
    writer.discard()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs limits of a process")
    (tmp_path / "out.parquet").write_bytes(b"before")
    writer = parquet.writer(str(tmp_path / "out.parquet"))
    writer.add("a.png", os.urandom(100_000), 0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"out.parquet cannot be written: File too large"):
            writer.finish(MARK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
    assert (tmp_path / "out.parquet").read_bytes() == b"before"


@pytest.mark.parametrize(("rows", "why"), [(2, "had fewer rows"), (4, "had more rows")])
def test_a_row_for_every_row_or_nothing(tmp_path: Path, rows: int, why: str) -> None:
    like = Like(io.BytesIO(packed(SAMPLES)), "mask")

    def fill() -> None:
        writer = parquet.writer(str(tmp_path / "out.parquet"), like)
        for _ in range(rows):
            writer.add("a.png", b"x", 0)
        writer.finish(MARK)

    with pytest.raises(ArchiveError, match=why):
        fill()
    assert not list(tmp_path.iterdir())


def test_other_columns_that_are_damaged_are_told(tmp_path: Path) -> None:
    photos = [os.urandom(500) for _ in range(20)]
    values = {"mask": (IMAGE, [image(b"x")] * 20), "photo": (pa.binary(), photos)}
    data = bytearray(packed(table(values), row_group_size=5, write_page_checksum=True))
    data[data.index(photos[12])] ^= 1
    labels = dict.fromkeys(range(20), b"y")
    with pytest.raises(ArchiveError, match="CRC"):
        replace(bytes(data), tmp_path / "a.parquet", labels, column="mask", keep=True)
    assert not list(tmp_path.iterdir())
    replace(bytes(data), tmp_path / "a.parquet", labels, column="mask", keep=False)


def test_a_column_that_cannot_be_told_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 2 columns of images, photo, mask"):
        parquet.writer(str(tmp_path / "out.parquet"), Like(io.BytesIO(packed(SAMPLES))))
    assert not list(tmp_path.iterdir())


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    needs = r"Parquet needs pyarrow, which is not installed; pip install 'gpuseg\[parquet\]'"
    with pytest.raises(UsageError, match=needs):
        next(parquet.members(io.BytesIO(), Choice(1)))
    with pytest.raises(UsageError, match=needs):
        parquet.writer(str(tmp_path / "out.parquet"))
    with pytest.raises(UsageError, match=needs):
        parquet.read_mark(io.BytesIO())


def test_a_name_that_ends_in_parquet_is_one(tmp_path: Path) -> None:
    target = str(tmp_path / "OUT.Parquet")
    writer = opening.writer(target, choice=Choice(9, column="mask"))
    writer.add("a.png", b"one", 0)
    writer.finish(MARK)
    assert opening.read_mark(target) == MARK
    with opening.open_bytes(target) as stream:
        found = list(opening.members(target, stream, Choice(9, column="mask"), mtime_ns=7))
    assert [(m.name, m.data, m.mtime_ns) for m in found] == [("a.png", b"one", 7)]


@pytest.mark.slow
def test_memory_is_bounded_by_row_groups_and_not_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    kinds = pa.schema([("photo", pa.binary()), ("mask", IMAGE)])
    with pq.ParquetWriter(path, kinds) as writer:
        for _ in range(30):
            photos = [os.urandom(100_000) for _ in range(100)]
            made = {"photo": (pa.binary(), photos), "mask": (IMAGE, [image(bytes(99))] * 100)}
            writer.write_table(table(made))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path), str(tmp_path / "out.parquet")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 100_000_000  # row groups of 10 MB, held, joined, and written
    assert groups((tmp_path / "out.parquet").read_bytes()) == [100] * 30


MEASURED = """
import sys, pyarrow as pa
from gpuseg.archives import opening, parquet
from gpuseg.archives.member import Choice
from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Choice
with open(sys.argv[1], "rb") as one, open(sys.argv[1], "rb") as other:
    writer = parquet.writer(sys.argv[2], parquet.Like(other, "mask", True))
    for member in parquet.members(one, Choice(999, column="mask", keep_others=True)):
        writer.add(member.name, member.data, 0)
    writer.finish(Mark(bytes(16)))
print(pa.default_memory_pool().max_memory())
"""
