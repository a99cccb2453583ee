"""Rows of a Parquet file, in memory that its pages bound, and few requests where it is far away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from gpuseg.errors import ArchiveError
from gpuseg.text import one_line, shortened

FETCHED = 1 << 27
"""Bytes of a row group up to which the columns that are asked for are fetched at once."""

_BUFFER = 1 << 22
"""Bytes of a column that are read at a time in larger row groups, where columns take turns."""


class Rows:
    """A Parquet file that is read in pieces.

    stream: of the file; it is sought in. Raises ArchiveError for what is none, is damaged or
    cannot be read.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        with _faults():
            self._buffered = pq.ParquetFile(
                stream, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True
            )
            self.metadata: pq.FileMetaData = self._buffered.metadata
            self._fetched = pq.ParquetFile(
                stream, metadata=self.metadata, pre_buffer=True, page_checksum_verification=True
            )
            self.schema: pa.Schema = self._buffered.schema_arrow
            str(self.schema)  # names that are no UTF-8 are found here

    def group_sizes(self) -> Iterator[tuple[int, int]]:
        """Rows and bytes of each row group."""
        for number in range(self.metadata.num_row_groups):
            group = self.metadata.row_group(number)
            yield group.num_rows, group.total_byte_size

    def read(self, group: int, columns: list[str], at_once: int = 1) -> Iterator[pa.RecordBatch]:
        """The rows of a row group, in batches of up to `at_once`, with these columns.

        A value may stand once in the file for many rows, so of one row only is it certain that
        it takes no more memory than the file. A batch costs 10 µs. Raises ArchiveError.
        """
        described = self.metadata.row_group(group)
        file = self._fetched if described.total_byte_size <= FETCHED else self._buffered
        rows = 0
        with _faults():
            for batch in file.iter_batches(
                at_once, row_groups=[group], columns=columns, use_threads=False
            ):
                rows += batch.num_rows
                yield batch.select(columns)  # for a column `a.b` there comes a field of `a`, too
        if rows != described.num_rows:
            raise ArchiveError(
                f"is damaged: row group {group} should have {described.num_rows} rows, {rows} "
                "came; restore it from its source"
            )

    def first_chunks(self, columns: list[str]) -> dict[str, pq.ColumnChunkMetaData]:
        """How columns are stored in the first row group that has rows, by path of their parts.

        Raises ArchiveError.
        """
        first = next((n for n, (rows, _) in enumerate(self.group_sizes()) if rows), None)
        if first is None:
            return {}
        next(self.read(first, columns))  # where this is damaged `column` would end the process
        starts = tuple(f"{name}." for name in columns)
        schema = self._buffered.schema
        with _faults():
            paths = [schema.column(n).path for n in range(len(schema))]
        found = {n: path for n, path in enumerate(paths) if f"{path}.".startswith(starts)}
        group = self.metadata.row_group(first)
        return {path: group.column(n) for n, path in found.items()}


@contextmanager
def _faults() -> Iterator[None]:
    """Faults of a file, or of what reads it, as errors of ours."""
    try:
        yield
    except (
        pa.ArrowException,
        UnicodeError,
        OSError,
    ) as error:  # which of them damage raises is by chance
        if isinstance(error, OSError) and error.errno is not None:
            raise ArchiveError(f"cannot be read: {error.strerror or error}") from error
        raise ArchiveError(
            f"is no Parquet file or is damaged ({shortened(one_line(str(error)), 200)}); "
            "restore it from its source"
        ) from error
