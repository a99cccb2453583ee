"""Parquet files like another, with label maps in place of its masks."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.archives.parquet.naming import row_name
from tests.archives.parquet.tables import (
    IMAGE,
    LABELS,
    ROWS,
    SAMPLES,
    groups,
    image,
    pa,
    packed,
    pq,
    replace,
    table,
)


def test_masks_are_replaced_and_nothing_else(tmp_path: Path) -> None:
    made = replace(packed(SAMPLES), tmp_path / "out.parquet", LABELS, column="mask", keep=True)
    assert made.schema.equals(SAMPLES.schema, check_metadata=False)
    assert made["mask"].to_pylist() == [
        image(b"zero", "a.jpg"),  # the flow gives targets' names; here it gave those of rows
        image(b"one", row_name(1)),
        image(b"two", "folder/c.png"),
    ]
    assert made.drop_columns(["mask"]).equals(SAMPLES.drop_columns(["mask"]))


def test_other_columns_are_left_out_if_they_are_not_wanted(tmp_path: Path) -> None:
    made = replace(packed(SAMPLES), tmp_path / "out.parquet", LABELS, column="mask", keep=False)
    assert made.schema.names == ["mask"]
    assert [label["bytes"] for label in made["mask"].to_pylist()] == list(LABELS.values())


def test_metadata_are_kept_as_far_as_they_are_true(tmp_path: Path) -> None:
    data = packed(SAMPLES)
    kept = replace(data, tmp_path / "a.parquet", LABELS, column="mask", keep=True).schema.metadata
    told = json.loads(kept[b"huggingface"])["info"]["features"]
    # of mode RGB the colours of label maps would be shown, and not their indices
    assert told == {"photo": {"_type": "Image"}, "mask": {"_type": "Image"}}
    assert kept[b"author"] == b"me"
    assert kept[b"pandas"] == b"{}"
    left = replace(data, tmp_path / "b.parquet", LABELS, column="mask", keep=False).schema.metadata
    told = json.loads(left[b"huggingface"])["info"]["features"]
    assert told == {"mask": {"_type": "Image"}}
    assert b"pandas" not in left


def test_a_failed_row_is_null_and_the_others_stay_in_place(tmp_path: Path) -> None:
    labels = {0: b"zero", 2: b"two"}
    made = replace(packed(SAMPLES), tmp_path / "out.parquet", labels, column="mask", keep=True)
    assert [x and x["bytes"] for x in made["mask"].to_pylist()] == [b"zero", None, b"two"]
    assert made["photo"].equals(SAMPLES["photo"])


@pytest.mark.parametrize(
    "kind",
    [
        pa.binary(),
        pa.large_binary(),
        pa.struct([pa.field("bytes", pa.large_binary(), nullable=False)]),
        pa.struct([("path", pa.large_string()), ("bytes", pa.large_binary())]),
    ],
    ids=str,
)
def test_the_column_keeps_its_type_but_may_be_null(tmp_path: Path, kind: Any) -> None:
    value = {"bytes": b"x", "path": None} if pa.types.is_struct(kind) else b"x"
    schema = pa.schema([pa.field("mask", kind, nullable=False, metadata={"k": "v"})])
    data = packed(pa.Table.from_arrays([pa.array([value] * 2, kind)], schema=schema))
    made = replace(data, tmp_path / "out.parquet", {1: b"label"}, keep=False)
    found = made.schema.field("mask")
    if pa.types.is_struct(kind):
        assert [(f.name, f.type) for f in found.type] == [(f.name, f.type) for f in kind]
    else:
        assert found.type == kind
    assert found.nullable
    assert found.metadata[b"k"] == b"v"
    first, second = made["mask"].to_pylist()
    assert first is None
    assert (second["bytes"] if pa.types.is_struct(kind) else second) == b"label"


def test_views_become_what_pyarrow_writes(tmp_path: Path) -> None:
    view = pa.struct([("bytes", pa.binary_view()), ("path", pa.string_view())])
    data = packed(table({"mask": (view, [image(b"x" * 40, f"{n:020}.png") for n in range(40)])}))
    made = replace(data, tmp_path / "out.parquet", {n: b"%d" % n for n in range(40)}, keep=False)
    assert made.schema.field("mask").type == IMAGE
    assert made["mask"][39].as_py() == image(b"39", f"{39:020}.png")


@pytest.mark.parametrize("codec", ["snappy", "gzip", "brotli", "zstd", "lz4", "none"])
def test_compression_row_groups_and_dictionaries_are_kept(tmp_path: Path, codec: str) -> None:
    values = {"mask": (IMAGE, [image(b"x" * 99)] * 10), "n": (pa.int32(), range(10))}
    data = packed(table(values), row_group_size=4, compression=codec, use_dictionary=["n"])
    target = tmp_path / "out.parquet"
    replace(data, target, dict.fromkeys(range(10), b"y"), keep=True)
    assert groups(target.read_bytes()) == [4, 4, 2]
    before, after = (pq.ParquetFile(file).metadata for file in (io.BytesIO(data), target))
    for n in range(3):
        old, new = before.row_group(0).column(n), after.row_group(0).column(n)
        assert (new.path_in_schema, new.compression) == (old.path_in_schema, old.compression)
        assert ("RLE_DICTIONARY" in new.encodings) == (new.path_in_schema == "n")


def test_columns_may_be_compressed_each_in_its_way(tmp_path: Path) -> None:
    values = {"mask": (IMAGE, [image(b"x")]), "text": (pa.string(), ["x" * 99])}
    data = packed(table(values), compression={"text": "zstd", "mask.path": "gzip"})
    replace(data, tmp_path / "out.parquet", {0: b"y"}, keep=True)
    group = pq.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0)
    found = {group.column(n).path_in_schema: group.column(n).compression for n in range(3)}
    assert found == {"mask.bytes": "UNCOMPRESSED", "mask.path": "GZIP", "text": "ZSTD"}


def test_a_row_group_too_large_to_hold_is_several(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("gpuseg.archives.parquet.writing.GROUP_BYTES", 1000)
    monkeypatch.setattr("gpuseg.archives.parquet.layout._BATCH_BYTES", 1000)
    values = {
        "mask": (IMAGE, [image(b"x")] * 9),
        "photo": (pa.binary(), [os.urandom(300) for _ in range(9)]),
    }
    data, target = packed(table(values)), tmp_path / "out.parquet"
    made = replace(data, target, dict.fromkeys(range(9), b"y"), column="mask", keep=True)
    assert groups(target.read_bytes()) == [4, 4, 1]
    assert made["photo"].to_pylist() == values["photo"][1]


def test_files_without_rows_and_row_groups_without_rows(tmp_path: Path) -> None:
    empty = table({"mask": (IMAGE, [])})
    assert replace(packed(empty), tmp_path / "a.parquet", {}, keep=True).num_rows == 0
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, empty.schema) as writer:
        for rows in ([], ROWS, [], ROWS[:1], []):
            writer.write_table(table({"mask": (IMAGE, rows)}))
    assert 0 in groups(buffer.getvalue())
    labels = {n: b"%d" % n for n in range(4)}
    made = replace(buffer.getvalue(), tmp_path / "b.parquet", labels, keep=True)
    assert [x["bytes"] for x in made["mask"].to_pylist()] == [b"0", b"1", b"2", b"3"]


def test_a_column_named_like_a_field_is_kept(tmp_path: Path) -> None:
    values = {"mask": (IMAGE, ROWS), "mask.bytes": (pa.int8(), [1, 2, 3])}
    made = replace(packed(table(values)), tmp_path / "out.parquet", LABELS, keep=True)
    assert made["mask.bytes"].to_pylist() == [1, 2, 3]
    assert [x["bytes"] for x in made["mask"].to_pylist()] == list(LABELS.values())


VALUES = {
    pa.int64(): st.none() | st.integers(-(2**63), 2**63 - 1),
    pa.string(): st.none() | st.text(st.characters(codec="utf-8"), max_size=5),
    pa.list_(pa.float64()): st.none() | st.lists(st.floats(allow_nan=False), max_size=3),
    pa.struct([("x", pa.bool_())]): st.none() | st.fixed_dictionaries({"x": st.booleans()}),
    pa.dictionary(pa.int8(), pa.string()): st.none() | st.sampled_from("ab"),
    pa.binary(): st.none() | st.binary(max_size=9),
}


@st.composite
def files(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A table with masks and other columns, and its file."""
    rows = draw(st.integers(0, 12))
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), max_size=4))
    images = st.none() | st.builds(
        image, st.none() | st.binary(max_size=9), st.none() | st.text("a./", max_size=4)
    )
    columns = {
        f"c{n}": (kind, draw(st.lists(VALUES[kind], min_size=rows, max_size=rows)))
        for n, kind in enumerate(kinds)
    }
    at = draw(st.integers(0, len(columns)))
    masks = ("mask", (IMAGE, draw(st.lists(images, min_size=rows, max_size=rows))))
    items = list(columns.items())
    made = table(dict([*items[:at], masks, *items[at:]]))
    compression = draw(st.sampled_from(["snappy", "none", "zstd"]))
    return made, packed(made, row_group_size=draw(st.integers(1, 13)), compression=compression)


@given(files(), st.sets(st.integers(0, 12)))
def test_any_table_keeps_rows_groups_and_other_columns(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[Any, bytes], failed: set[int]
) -> None:
    before, data = file
    target = tmp_path_factory.getbasetemp() / "any.parquet"
    labels = {n: b"label %d" % n for n in range(before.num_rows) if n not in failed}
    after = replace(data, target, labels, column="mask", keep=True)
    assert after.schema.equals(before.schema)
    assert after.drop_columns(["mask"]).equals(before.drop_columns(["mask"]))
    found = [x and x["bytes"] for x in after["mask"].to_pylist()]
    assert found == [labels.get(n) for n in range(before.num_rows)]
    assert groups(target.read_bytes()) == [rows for rows in groups(data) if rows]
