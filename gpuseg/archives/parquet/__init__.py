"""Parquet files with encoded images in a column, as Hugging Face's `datasets` lays them out.

The only home of pyarrow, which the extra `parquet` brings; it is imported on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Choice, Member
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.errors import UsageError

COLUMN = "image"
"""The column of label maps in a new file: `datasets` calls that of images so, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Like:
    """The Parquet file whose masks are replaced.

    stream: one of its own, for other columns are read meanwhile. column: that of the masks, None
    where only one can be. keep_others: the other columns are kept.
    """

    stream: IO[bytes]
    column: str | None = None
    keep_others: bool = False


def require() -> None:
    """Raise UsageError where pyarrow is missing: better before the work than after it."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed; pip install 'gpuseg[parquet]'"
        ) from error


def check_column(stream: IO[bytes], column: str | None) -> None:
    """Raise UsageError without pyarrow, or where the masks' column cannot be told.

    Raises ArchiveError for a file that is none, is damaged or cannot be read.
    """
    require()
    from gpuseg.archives.parquet.columns import choose_column
    from gpuseg.archives.parquet.rows import Rows

    choose_column(Rows(stream).schema, column)


def members(stream: IO[bytes], choice: Choice, mtime_ns: int = 0) -> Iterator[Member]:
    """As `reading.ParquetReader`. Raises UsageError without pyarrow, at the first member."""
    require()
    from gpuseg.archives.parquet.reading import ParquetReader

    yield from ParquetReader(stream, choice, mtime_ns)


def writer(target: str, like: Like | None = None, column: str | None = None) -> ArchiveWriter:
    """As `writing.ParquetWriter`. Raises UsageError without pyarrow."""
    require()
    from gpuseg.archives.parquet.writing import ParquetWriter

    return ParquetWriter(target, like, column or COLUMN)


def read_mark(stream: IO[bytes]) -> Mark | None:
    """As `reading.read_mark`. Raises UsageError without pyarrow."""
    require()
    from gpuseg.archives.parquet import reading

    return reading.read_mark(stream)
