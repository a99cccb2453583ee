"""The masks of a Parquet file, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Choice, Member
from gpuseg.archives.parquet.columns import MARK, choose_column
from gpuseg.archives.parquet.naming import RowNames
from gpuseg.archives.parquet.rows import Rows
from gpuseg.errors import MaskError, MaskSizeError, MemberError, UsageError
from gpuseg.taking import leave
from gpuseg.text import one_line, shortened


class ParquetReader:
    """The masks of a Parquet file, a member a row, in the rows' order.

    stream: of the file; it is sought in. choice: a mask is what is in the column that it names;
    its other columns pass through the writer (`Like`), or are counted as left alone.
    mtime_ns: what members bear, ns: rows have no time of their own.
    """

    def __init__(self, stream: IO[bytes], choice: Choice, mtime_ns: int = 0) -> None:
        self._stream, self._choice, self._mtime_ns = stream, choice, mtime_ns

    def __iter__(self) -> Iterator[Member]:
        """Every row. One without a mask, or with one of too many bytes, has an error.

        Raises UsageError where the masks' column cannot be told, ArchiveError once damage is
        reached.
        """
        if self._choice.pattern is not None:
            raise UsageError(
                "rows of a Parquet file have no names that a pattern could choose by, got "
                f"{self._choice.pattern!r}; leave out --pattern; --column names the masks' column"
            )
        file = Rows(self._stream)
        masks = choose_column(file.schema, self._choice.column)
        left = [] if self._choice.keep_others else file.schema.names
        names = RowNames()
        row = 0
        for group in range(file.metadata.num_row_groups):
            for batch in file.read(group, [masks]):
                for name in left:
                    if name != masks:
                        leave(self._choice.left_alone, f"column {name}")
                data, path = _image(batch.column(0))
                yield self._member(names.name(row, path), row, data, path)
                row += 1

    def _member(self, name: str, row: int, data: bytes | None, path: str | None) -> Member:
        limit = self._choice.max_bytes
        if data is not None and len(data) <= limit:
            return Member(name, data, self._mtime_ns)
        error: MaskError
        if data is not None:
            error = MaskSizeError(
                f"has {len(data):,} bytes (row {row}), a mask may have {limit:,} by --max-pixels; "
                "if the file can be trusted, raise that"
            )
        elif path is None:
            error = MemberError(
                f"is null (row {row}), so there is no mask; fill in or drop the row"
            )
        else:
            error = MemberError(
                f"is not in the file (row {row}): its bytes are null and its path is "
                f"{shortened(one_line(path), 200)!r}; embed the images when the file is written"
            )
        return Member(name, b"", self._mtime_ns, error=error)


def read_mark(stream: IO[bytes]) -> Mark | None:
    """The mark of a Parquet file of ours, None for any other and for what is none.

    It lies at the end, so a file that is cut off has none. Raises OSError.
    """
    try:
        metadata = pq.ParquetFile(stream).metadata.metadata
    except pa.ArrowException:
        return None
    except OSError as error:
        if error.errno is not None:
            raise
        return None  # damaged: pyarrow's own
    return Mark.find((metadata or {}).get(MARK, b""))


def _image(array: pa.Array) -> tuple[bytes | None, str | None]:
    """The bytes and the path of a column's only row, None where they are null."""
    if not isinstance(array, pa.StructArray):
        return array[0].as_py(), None
    if not array[0].is_valid:
        return None, None
    parts = {field.name: array.field(field.name)[0] for field in array.type}
    try:
        path = parts["path"].as_py() if "path" in parts else None
    except UnicodeDecodeError:
        path = None  # the row's number names it
    return parts["bytes"].as_py(), path
