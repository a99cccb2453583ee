"""Label maps as a column of a Parquet file: of a new one, or in place of another file's masks."""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from gpuseg.archives.mark import Mark
from gpuseg.archives.parquet import COLUMN, Like
from gpuseg.archives.parquet.columns import MARK
from gpuseg.archives.parquet.layout import layout_like, new_layout
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.errors import ArchiveError

GROUP_BYTES = 1 << 26
"""Bytes of values that are held: with them a row group is written, whoever's it is."""

_PAGE_ROWS = 16
"""Rows after which the size of a page is looked at; pyarrow's 1,024 images could be 100 MB."""


class ParquetWriter(ArchiveWriter):
    """A Parquet file in the making.

    Like another file it has that one's schema, row groups (up to GROUP_BYTES), compression and
    metadata; each row is added or left out in its turn, and one that is left out is null in the
    masks' column. In a new file it is no row.
    target: path or URL. column: of the label maps in a new file.
    Raises OutputError, and for the other file what its reader raises.
    """

    def __init__(self, target: str, like: Like | None = None, column: str = COLUMN) -> None:
        self._is_new = like is None
        self._layout = new_layout(column) if like is None else layout_like(like)
        self._labels: list[bytes | None] = []
        self._names: list[str] = []
        self._others: list[pa.RecordBatch] = []
        self._bytes = 0  # of all that is held
        self._ahead = 0  # rows of the last of `_others` that have no label map yet
        self._room = next(self._layout.groups, 0)  # rows that the row group still takes
        super().__init__(target)

    def add(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        """Append a row, or fill in the next one's label map. mtime_ns: rows have no time."""
        self._step()
        super().add(name, data, mtime_ns)

    def leave_out(self, name: str) -> None:
        """Go on without the label map of a row."""
        if not self._is_new:
            self._step()
            with self._written():
                self._put(name, None)

    def finish(self, mark: Mark) -> None:
        """Write the end, and give the file its name."""
        if not self._is_new and self._room:
            self.discard()
            raise _changed("fewer")
        super().finish(mark)

    def _begin(self) -> None:
        self._file = open(self.path, "xb")  # noqa: SIM115  # `_end` or `_close` closes it
        self._writer = pq.ParquetWriter(
            self._file,
            self._layout.schema,
            compression=self._layout.compression,
            use_dictionary=self._layout.dictionaries,
            write_batch_size=_PAGE_ROWS,
            write_page_checksum=True,
        )

    def _append(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        self._put(name, data if isinstance(data, bytes) else data.read())

    def _end(self, mark: Mark) -> None:
        self._flush()
        self._writer.add_key_value_metadata({MARK: mark.encode()})
        self._writer.close()
        self._file.close()

    def _close(self) -> None:
        self._writer.is_open = False  # else pyarrow writes the end once it is collected
        self._file.close()

    def _step(self) -> None:
        """Go on to the next row of the other file. Raises ArchiveError."""
        if not self._room:
            self.discard()
            raise _changed("more")
        if self._layout.others is None:
            return
        if not self._ahead:
            try:
                batch = next(self._layout.others)
            except BaseException:
                self.discard()
                raise
            self._others.append(batch)
            self._ahead = batch.num_rows
            self._bytes += batch.nbytes
        self._ahead -= 1

    def _put(self, name: str, data: bytes | None) -> None:
        """Hold a row, and write the row group where it is full."""
        self._labels.append(data)
        self._names.append(name)
        self._bytes += len(data or b"")
        self._room -= 1
        if not self._room or (self._bytes >= GROUP_BYTES and not self._ahead):
            self._flush()
            self._room = self._room or next(self._layout.groups, 0)

    def _flush(self) -> None:
        """Write what is held as a row group."""
        if self._labels:
            try:
                table = self._layout.table(self._labels, self._names, self._others)
                self._writer.write_table(table, row_group_size=table.num_rows)
            except pa.ArrowException as error:  # a type that pyarrow reads but cannot write
                raise ValueError(str(error)) from error
        self._labels, self._names, self._others, self._bytes = [], [], [], 0


def _changed(what: str) -> ArchiveError:
    return ArchiveError(
        f"had {what} rows than its end tells, so it was changed meanwhile; run again"
    )
