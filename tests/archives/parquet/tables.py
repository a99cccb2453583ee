"""Parquet files in memory, as Hugging Face's `datasets` lays them out, and what is read of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gpuseg.archives import parquet
from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Choice, Member
from gpuseg.archives.parquet import Like

pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra `parquet`")

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MARK = Mark(bytes(range(16)), files=3, failed=1, unknown=7)


def features(**kinds: Any) -> dict[bytes, bytes]:
    """Metadata that tells of features."""
    return {b"huggingface": json.dumps({"info": {"features": kinds}}).encode()}


def image(data: bytes | None, path: str | None = None) -> dict[str, Any]:
    """A value of a column of images."""
    return {"bytes": data, "path": path}


def table(columns: dict[str, tuple[Any, Sequence[Any]]], metadata: Any = None) -> Any:
    """A table. columns: types and values by name."""
    schema = pa.schema([(name, kind) for name, (kind, _) in columns.items()], metadata)
    arrays = [pa.array(values, kind) for kind, values in columns.values()]
    return pa.Table.from_arrays(arrays, schema=schema)


def packed(made: Any, **options: Any) -> bytes:
    """A table as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(made, buffer, **options)
    return buffer.getvalue()


def read(data: bytes, **choice: Any) -> list[Member]:
    """The members of a Parquet file."""

    return list(parquet.members(io.BytesIO(data), Choice(**{"max_bytes": 1 << 20} | choice)))


def replace(
    data: bytes, target: Path, labels: dict[int, bytes], *, column: str | None = None, keep: bool
) -> Any:
    """A file like another, with label maps by row; the other rows failed. What is read of it."""

    writer = parquet.writer(str(target), Like(io.BytesIO(data), column, keep))
    for row, member in enumerate(read(data, column=column, keep_others=keep)):
        if row in labels:
            writer.add(member.name, labels[row], 0)
        else:
            writer.leave_out(member.name)
    writer.finish(MARK)
    return pq.read_table(target)


def groups(data: bytes) -> list[int]:
    """Rows of the row groups of a file."""
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    return [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]


def make(target: Path, labels: dict[str, bytes], **options: Any) -> Any:
    """A new file. labels: by names. What is read of it."""
    writer = parquet.writer(str(target), **options)
    for name, data in labels.items():
        writer.add(name, data, 0)
    writer.finish(MARK)
    return pq.read_table(target)


LABELS = {0: b"zero", 1: b"one", 2: b"two"}
ROWS = [image(b"a", "a.jpg"), image(b"b"), image(b"c", "folder/c.png")]
SAMPLES = table(
    {
        "photo": (IMAGE, [image(b"photo 0", "0.jpg"), None, image(b"photo 2")]),
        "mask": (IMAGE, ROWS),
        "split": (pa.dictionary(pa.int32(), pa.string()), ["train", "val", "train"]),
        "boxes": (pa.list_(pa.list_(pa.float32())), [[[0.5]], [], None]),
        "when": (pa.timestamp("ns", "UTC"), [1, None, 3]),
    },
    features(photo={"_type": "Image"}, mask={"_type": "Image", "mode": "RGB"}, n={"_type": "Value"})
    | {b"pandas": b"{}", b"author": b"me"},
)
