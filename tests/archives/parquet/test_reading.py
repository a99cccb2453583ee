"""Masks out of Parquet files, row by row."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gpuseg.archives import parquet
from gpuseg.archives.member import Choice
from gpuseg.archives.parquet.naming import row_name
from gpuseg.errors import ArchiveError, MaskSizeError, MemberError, UsageError
from tests.archives.parquet.tables import (
    IMAGE,
    ROWS,
    image,
    pa,
    packed,
    pq,
    read,
    table,
)
from tests.helpers import ROOT


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (IMAGE, ROWS),
        (pa.struct([("path", pa.large_string()), ("bytes", pa.large_binary())]), ROWS),
        (pa.struct([("bytes", pa.binary_view()), ("path", pa.string_view())]), ROWS),
    ],
    ids=["datasets", "large", "view"],
)
def test_images_come_in_order_with_their_paths_as_names(kind: Any, values: list[Any]) -> None:
    view = pa.types.is_binary_view(kind.field("bytes").type)  # pyarrow does not slice these
    found = read(packed(table({"mask": (kind, values)}), row_group_size=3 if view else 2))
    assert [(m.name, m.data, m.part, m.error) for m in found] == [
        ("a.jpg", b"a", "mask", None),
        ("row-000000001.png", b"b", "mask", None),
        ("folder/c.png", b"c", "mask", None),
    ]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_plain_bytes_are_named_by_their_rows(kind: Any) -> None:
    found = read(packed(table({"mask": (kind, [b"one", b"two"]), "id": (pa.int8(), [1, 2])})))
    assert [(m.name, m.data) for m in found] == [(row_name(0), b"one"), (row_name(1), b"two")]


def test_members_bear_the_time_of_the_file() -> None:

    stream = io.BytesIO(packed(table({"mask": (IMAGE, ROWS)})))
    assert {m.mtime_ns for m in parquet.members(stream, Choice(10), mtime_ns=5)} == {5}


def test_a_pattern_is_refused() -> None:
    with pytest.raises(UsageError, match=r"leave out --pattern; --column names"):
        read(packed(table({"mask": (IMAGE, ROWS)})), pattern="*.png")


def test_rows_without_a_mask_have_an_error_each() -> None:
    values = [None, image(None), image(None, "/data/x.png"), image(b"12345", "y.png"), image(b"")]
    found = read(packed(table({"mask": (IMAGE, values)})), max_bytes=4)
    null, empty, outside, large, nothing = found
    for member, kind, why in (
        (null, MemberError, r"is null \(row 0\)"),
        (empty, MemberError, r"is null \(row 1\)"),
        (outside, MemberError, r"is not in the file \(row 2\).*'/data/x.png'; embed"),
        (large, MaskSizeError, r"has 5 bytes \(row 3\), a mask may have 4 by --max-pixels"),
    ):
        assert member.data == b""
        with pytest.raises(kind, match=why):
            raise member.error
    assert [m.name for m in found] == [*map(row_name, range(3)), "y.png", row_name(4)]
    assert (nothing.data, nothing.error) == (b"", None)  # an empty file: decoding will tell


def test_other_columns_are_counted_as_left_alone() -> None:
    made = table({"mask": (IMAGE, ROWS), "n": (pa.int8(), [1, 2, 3]), "text": (pa.string(), "abc")})
    left: Counter[str] = Counter()
    read(packed(made), left_alone=left)
    assert left == {"column n": 3, "column text": 3}
    left.clear()
    read(packed(made), left_alone=left, keep_others=True)
    assert not left


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\x89PNG" * 99, b"PAR1" * 99], ids=repr)
def test_what_is_no_parquet_file_is_told(data: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"is no Parquet file or is damaged .*; restore it"):
        read(data)


def test_damage_is_told_after_the_rows_before_it() -> None:

    values = [image(os.urandom(5000), f"{n}.png") for n in range(40)]
    data = bytearray(packed(table({"mask": (IMAGE, values)}), row_group_size=10))
    at = data.index(values[25]["bytes"])
    data[at : at + 5000] = bytes(5000)  # the bytes of a mask: no checksum of the file's tells
    masks = [m.data for m in read(bytes(data))]
    assert masks[25] == bytes(5000)
    assert masks[24] == values[24]["bytes"]
    data = bytearray(
        packed(table({"mask": (IMAGE, values)}), row_group_size=10, write_page_checksum=True)
    )
    at = data.index(values[25]["bytes"])
    data[at] ^= 1
    members = iter(parquet.members(io.BytesIO(bytes(data)), Choice(1 << 20)))
    assert [next(members).data for _ in range(20)] == [value["bytes"] for value in values[:20]]
    with pytest.raises(ArchiveError, match="CRC"):
        next(members)


def test_damage_of_any_kind_is_one_of_our_errors(tmp_path: Path) -> None:
    """Where pyarrow is asked for the columns of a damaged row group, it ends the process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.archives.parquet.damaging", str(tmp_path), "0", "1000"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    ends = dict(zip(done.stdout.split()[::2], map(int, done.stdout.split()[1::2]), strict=True))
    assert sum(ends.values()) == 1000
    assert ends.keys() <= {"whole", "archive", "usage"}
    assert min(ends["whole"], ends["archive"]) > 200
    assert {path.name for path in tmp_path.iterdir()} == {"out.parquet"}


def test_a_stream_that_fails_is_told_with_its_reason() -> None:
    from gpuseg.archives.parquet.rows import Rows

    class Failing(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(5, "the bucket is gone", "s3://x")

    with pytest.raises(ArchiveError, match="cannot be read: the bucket is gone"):
        Rows(Failing(bytes(1000)))


MEASURED = """
import sys, pyarrow as pa
from gpuseg.archives import parquet
from gpuseg.archives.member import Choice
with open(sys.argv[1], "rb") as stream:
    total = sum(len(member.data) for member in parquet.members(stream, Choice(1 << 30)))
print(total, pa.default_memory_pool().max_memory())
"""


def measured(path: Path) -> tuple[int, int]:
    """The bytes of all masks of a file, and the most that pyarrow held at once."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    total, peak = done.stdout.split()
    return int(total), int(peak)


@pytest.mark.slow
def test_memory_is_bounded_by_pages_and_not_by_the_file(tmp_path: Path) -> None:

    path = tmp_path / "large.parquet"
    with pq.ParquetWriter(path, pa.schema([("mask", IMAGE)])) as writer:
        for _ in range(30):
            values = [image(os.urandom(100_000)) for _ in range(100)]
            writer.write_table(table({"mask": (IMAGE, values)}))
    assert measured(path)[0] == 300_000_000
    assert measured(path)[1] < 50_000_000  # pages of 10 MB


def test_one_value_for_many_rows_takes_its_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "repeated.parquet"
    values = [image(bytes(10_000_000))] * 500  # 5 GB, in a file of some KB
    large = pa.struct([("bytes", pa.large_binary()), ("path", pa.string())])
    one = pa.array(values[:1], large)
    column = pa.DictionaryArray.from_arrays([0] * 500, one.field("bytes"))

    pq.write_table(
        pa.table({"mask": column}), path, dictionary_pagesize_limit=1 << 28, store_schema=False
    )
    assert path.stat().st_size < 1_000_000
    total, peak = measured(path)
    assert total == 5_000_000_000
    assert peak < 100_000_000
