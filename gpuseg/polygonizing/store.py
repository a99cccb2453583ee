"""Annotations of all label maps, kept on disk until the last one has come, then put in order."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from gpuseg import __version__
from gpuseg.errors import OutputError
from gpuseg.polygonizing.annotations import Annotations
from gpuseg.polygonizing.classes import Classes
from gpuseg.results import FileResult

MARK = "annotations of label maps, by gpuseg polygonize"
"""What a file of ours is known by; it stands in its first line."""

_CACHE_KIB = 8192


class Store:
    """What label maps have given, in a database of its own that nobody else sees.

    Files come in any order, and go out by name: so the result is the same for any number of
    workers, in memory that does not depend on their number. SQLite takes its temp file away by
    itself, whatever ends the process, and writes it where SQLITE_TMPDIR says.
    """

    def __init__(self, image_suffix: str | None) -> None:
        self._suffix = image_suffix
        self._seen: set[int] = set()
        self.images = self.annotations = self.small = self.small_pixels = self.void_pixels = 0
        with _told():
            # rows are given by any thread, one at a time
            self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._base.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._base.execute("PRAGMA journal_mode = OFF")
            self._base.execute("CREATE TABLE maps (name BLOB, width INT, height INT, lines BLOB)")
            self._base.execute("BEGIN")

    def add(self, result: FileResult) -> None:
        """Take what a label map has given, if it could be read. Raises OutputError."""
        made = result.details
        if not isinstance(made, Annotations):
            return
        name = _name(result.source, self._suffix)
        with _told():
            self._base.execute(
                "INSERT INTO maps VALUES (?, ?, ?, ?)",
                (name, result.width, result.height, made.lines),
            )
        self.images += 1
        self.annotations += made.count
        self.small += made.small
        self.small_pixels += made.small_pixels
        self.void_pixels += made.void_pixels
        self._seen.update(made.indices)

    def check_names(self) -> None:
        """Raise OutputError for two images of one name."""
        with _told():
            self._base.execute("CREATE INDEX by_name ON maps (name)")
            found = self._base.execute(
                "SELECT name FROM maps GROUP BY name HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
        if found is not None:
            raise OutputError(
                f"several label maps would be the image {_text(found[0])!r}; take some of them "
                "only (--pattern), or let them keep their suffixes (--image-suffix)"
            )

    def write(self, file: BinaryIO, classes: Classes) -> int:
        """Write all of it as one JSON file, a line an image or an annotation; how many categories.

        Raises OutputError where the database cannot be read, and OSError.
        """
        info = {"description": MARK, "version": f"gpuseg {__version__}"}
        categories = classes.categories(self._seen)
        file.write(f'{{"info":{json.dumps(info)},\n"categories":'.encode("ascii"))
        file.write(json.dumps(categories).encode("ascii"))
        for title, pieces in (("images", self._images()), ("annotations", self._numbered())):
            file.write(f',\n"{title}":['.encode("ascii"))
            between = b"\n"
            with closing(pieces):  # while the database is open, also where the disk is full
                for piece in pieces:
                    file.write(between)
                    file.write(piece)
                    between = b",\n"
            file.write(b"]")
        file.write(b"}\n")
        return len(categories)

    def close(self) -> None:
        """Remove all of it."""
        self._base.close()

    def _images(self) -> Generator[bytes, None, None]:
        rows = self._rows("SELECT name, width, height FROM maps ORDER BY name")
        for number, (name, width, height) in enumerate(rows, 1):
            image = {"id": number, "file_name": _text(name), "width": width, "height": height}
            yield json.dumps(image).encode("ascii")

    def _numbered(self) -> Generator[bytes, None, None]:
        """The annotations of all images, with numbers from 1."""
        number = 0
        for image, (lines,) in enumerate(self._rows("SELECT lines FROM maps ORDER BY name"), 1):
            for line in lines.splitlines():
                number += 1
                yield b'{"id":%d,"image_id":%d,%b' % (number, image, line)

    def _rows(self, query: str) -> Generator[tuple[Any, ...], None, None]:
        with _told():
            yield from self._base.execute(query)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what SQLite says into an OutputError."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"the annotations cannot be kept until all have come: {error}; make room where "
            "temporary files go, or name another folder by SQLITE_TMPDIR"
        ) from error


def _name(source: str, suffix: str | None) -> bytes:
    """The image of a label map; names that are no text sort, too."""
    name = source if suffix is None else f"{os.path.splitext(source)[0]}{suffix}"
    return name.encode("utf-8", "surrogatepass")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass")
