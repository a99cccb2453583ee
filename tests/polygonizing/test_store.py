"""What is kept until all have come: in order, whole, and in memory that does not grow."""

from __future__ import annotations

import errno
import gc
import io
import json
import sqlite3
import sys
from contextlib import closing
from typing import Any

import pytest

from gpuseg.errors import OutputError
from gpuseg.polygonizing.annotations import Annotations
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions
from gpuseg.polygonizing.store import MARK, Store
from gpuseg.results import FileResult

CLASSES = Classes.of(None, PolygonizeOptions())


def result(name: str, *lines: bytes) -> FileResult:
    made = Annotations(b"\n".join(lines), len(lines), 0, 0, 0, (3,) if lines else ())
    return FileResult(source=name, status="read", width=5, height=4, details=made)


def written(
    *results: FileResult, suffix: str | None = None, file: io.BytesIO | None = None
) -> bytes:
    file = io.BytesIO() if file is None else file
    with closing(Store(suffix)) as store:
        for each in results:
            store.add(each)
        store.check_names()
        store.write(file, CLASSES)
    return file.getvalue()


def test_the_order_of_files_changes_nothing() -> None:
    results = [result("b.png", b'"n":1}', b'"n":2}'), result("a/é.png"), result("a.png", b'"n":3}')]
    text = written(*results)
    assert text == written(*results[::-1])
    assert MARK.encode() in text[:100]
    told = json.loads(text)
    assert [image["file_name"] for image in told["images"]] == ["a.png", "a/é.png", "b.png"]
    assert told["images"][2] == {"id": 3, "file_name": "b.png", "width": 5, "height": 4}
    assert told["annotations"] == [
        {"id": 1, "image_id": 1, "n": 3},
        {"id": 2, "image_id": 3, "n": 1},
        {"id": 3, "image_id": 3, "n": 2},
    ]
    assert told["categories"] == [{"id": 3, "name": "3", "supercategory": ""}]


def test_names_that_are_no_text() -> None:
    told = json.loads(written(result("\udcff.png"), result('"\\.png')))
    assert [image["file_name"] for image in told["images"]] == ['"\\.png', "\udcff.png"]


def test_another_suffix() -> None:
    told = json.loads(written(result("x.y/a"), result("b.c.png"), suffix=".jpg"))
    assert [image["file_name"] for image in told["images"]] == ["b.c.jpg", "x.y/a.jpg"]


def test_two_images_of_one_name() -> None:
    with pytest.raises(OutputError, match=r"would be the image 'a\.jpg'"):
        written(result("a.png"), result("a.bmp"), suffix=".jpg")
    assert json.loads(written(result("a.png"), result("a.bmp")))["images"]


def test_failures_are_not_kept() -> None:
    assert json.loads(written(FileResult(source="a", status="failed")))["images"] == []


def test_what_cannot_be_kept_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(None)) as store:
        store._base.execute("PRAGMA max_page_count = 8")
        store.add(result("a.png", b"x"))
        with pytest.raises(OutputError, match="until all have come: database or disk is full"):
            store.add(result("b.png", b"x" * 1_000_000))

    def refuse(*arguments: Any, **options: Any) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(OutputError, match="SQLITE_TMPDIR"):
        Store(None)


@pytest.mark.parametrize("room", [1, 2, 4, 6, 9])
def test_a_full_disk_says_nothing_of_the_database(
    monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    class Full(io.BytesIO):
        pieces = 0

        def write(self, data: Any) -> int:
            self.pieces += 1
            if self.pieces > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with pytest.raises(OSError, match="No space left"):
        written(result("a.png", b"x", b"y"), result("b.png", b"z"), file=Full())
    gc.collect()
    assert not unraisable
