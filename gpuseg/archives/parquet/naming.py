"""Names of rows: a Parquet file has none, but an image's `path` may say one."""

from __future__ import annotations

import re

from gpuseg.archives.naming import Seen, normal
from gpuseg.names import why_unsafe
from gpuseg.taking import takes, target_key

_OURS = re.compile(r"row-\d{9,}")


def row_name(row: int) -> str:
    """The name of a row, counted from 0 in its file, whose image says no usable one."""
    return f"row-{row:09}.png"


class RowNames:
    """Names of the rows of one file, each with a target of its own on any file system.

    `datasets` keeps of `path` the last part only, so it may be the same in every row, or a place
    on somebody's disk, or missing: then the row's number names it.
    """

    def __init__(self) -> None:
        self._seen = Seen()

    def name(self, row: int, path: str | None) -> str:
        """A safe relative name with the suffix of an image, that no row before had."""
        name = normal(path or "")
        if not takes(_base(name), None):
            name = f"{name}.png"
        hidden = "/." in f"/{name}"
        if not path or hidden or why_unsafe(name) or _OURS.search(name.casefold()):
            return row_name(row)
        return name if self._seen.add(target_key(name, folds_case=True)) else row_name(row)


def _base(name: str) -> str:
    return name.rpartition("/")[2]
