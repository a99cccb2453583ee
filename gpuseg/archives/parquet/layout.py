"""What a Parquet file of label maps is made of: its columns, row groups and compression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import pyarrow as pa
import pyarrow.parquet as pq

from gpuseg.archives.parquet import Like
from gpuseg.archives.parquet.columns import (
    FEATURES,
    IMAGE,
    choose_column,
    features_as_metadata,
    metadata_without,
)
from gpuseg.archives.parquet.rows import Rows

GROUP_ROWS = 1_000
"""Rows of a row group of a new file at most."""

_BATCH_ROWS = 64
_BATCH_BYTES = 1 << 26

Chunks = Mapping[str, pq.ColumnChunkMetaData]

_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd", "LZ4": "lz4"}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """schema: of the file. masks: its column of label maps. groups: rows of each row group.

    others: the other columns, in batches of rows, none of which is in two row groups; None where
    there are none. compression: by column, or
    of all. dictionaries: columns whose values are written once each.
    """

    schema: pa.Schema
    masks: str
    groups: Iterator[int]
    others: Iterator[pa.RecordBatch] | None = None
    compression: str | dict[str, str] = "snappy"
    dictionaries: Sequence[str] = ()

    def table(
        self, labels: Sequence[bytes | None], names: Sequence[str], others: list[pa.RecordBatch]
    ) -> pa.Table:
        """Rows. labels: PNG files, None for null. names: theirs. others: their batches."""
        kind = self.schema.field(self.masks).type
        if pa.types.is_struct(kind):
            parts = {"bytes": labels, "path": [_utf8(name) for name in names]}
            arrays = [pa.array(parts[field.name], field.type) for field in kind]
            absent = pa.array([data is None for data in labels])
            column = pa.StructArray.from_arrays(arrays, fields=list(kind), mask=absent)
        else:
            column = pa.array(labels, kind)
        found = {self.masks: pa.chunked_array([column])}
        if others:
            kept = pa.Table.from_batches(others).unify_dictionaries()
            found |= {name: kept[name] for name in kept.schema.names}
        return pa.Table.from_arrays([found[name] for name in self.schema.names], schema=self.schema)


def new_layout(column: str) -> Layout:
    """Of a file with one column of label maps, which `datasets` loads as images."""
    metadata = {FEATURES: features_as_metadata({column: {"_type": "Image"}})}
    return Layout(pa.schema([(column, IMAGE)], metadata), column, repeat(GROUP_ROWS))


def layout_like(like: Like) -> Layout:
    """Of a file with label maps in place of another's masks.

    Raises ArchiveError for a file that is damaged, UsageError where the column cannot be told.
    """
    file = Rows(like.stream)
    schema = file.schema
    masks = choose_column(schema, like.column)
    kept = [name for name in schema.names if like.keep_others or name == masks]
    fields = [
        schema.field(name) if name != masks else _of_labels(schema.field(masks)) for name in kept
    ]
    others = [name for name in kept if name != masks]
    first = file.first_chunks(kept)
    return Layout(
        pa.schema(fields, metadata_without(schema, kept, masks)),
        masks,
        (rows for rows, _ in file.group_sizes() if rows),
        _batches(file, others) if others else None,
        _compression(first),
        _dictionaries(first, masks),
    )


def _batches(file: Rows, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns in batches that fit into memory even if each value were all its row group has."""
    for number, (_, size) in enumerate(file.group_sizes()):
        at_once = min(_BATCH_BYTES // max(1, size), _BATCH_ROWS)
        yield from file.read(number, columns, max(1, at_once))


def _of_labels(field: pa.Field) -> pa.Field:
    """The masks' column, for label maps: each may be null, for a mask may fail."""
    kind = field.type
    if not pa.types.is_struct(kind):
        return pa.field(field.name, _not_view(kind), metadata=field.metadata)
    parts = [pa.field(part.name, _not_view(part.type), metadata=part.metadata) for part in kind]
    return pa.field(field.name, pa.struct(parts), metadata=field.metadata)


def _not_view(kind: pa.DataType) -> pa.DataType:
    """Pyarrow does not write views that lie in a struct; in the file they are the same."""
    if pa.types.is_binary_view(kind):
        return pa.binary()
    return pa.string() if pa.types.is_string_view(kind) else kind


def _compression(chunks: Chunks) -> str | dict[str, str]:
    found = {path: _CODECS.get(chunk.compression, "none") for path, chunk in chunks.items()}
    same = set(found.values())
    return same.pop() if len(same) == 1 else found or "snappy"


def _dictionaries(chunks: Chunks, masks: str) -> list[str]:
    """The columns that had a dictionary; label maps have none, though equal ones may come."""
    return [
        path
        for path, chunk in chunks.items()
        if any("DICTIONARY" in encoding for encoding in chunk.encodings)
        and path not in (masks, f"{masks}.bytes")
    ]


def _utf8(name: str) -> str:
    """A name without the bytes that are no UTF-8, which tar archives may have."""
    return name.encode("utf-8", "backslashreplace").decode()
