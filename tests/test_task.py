from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest

from gpuseg import storage
from gpuseg.discover import Source
from gpuseg.errors import MaskSizeError, UnreadableMaskError
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult
from gpuseg.task import REQUESTS, Reach, fetched, most_bytes, row_of, run_all

LIMIT = 60.0
"""Seconds after which a test fails that would wait for ever."""


@dataclass
class Task:
    """Waits at one file until another has been done."""

    slow: str = ""
    until: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)
    reached: threading.Event = field(default_factory=threading.Event)

    def run(self, source: Source) -> FileResult:
        if source.relative == self.slow:
            assert self.reached.wait(LIMIT)
        if source.relative == self.until:
            self.reached.set()
        return FileResult(source=source.relative, status="read")


def named(count: int) -> list[Source]:
    return [Source(str(i), str(i)) for i in range(count)]


@pytest.mark.parametrize("at_once", [1, 2, 16])
@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_results_come_in_order(count: int, at_once: int) -> None:
    found = [result.source for result in run_all(Task(), named(count), at_once)]
    assert found == [str(i) for i in range(count)]


def test_others_go_on_while_one_is_slow() -> None:
    task = Task(slow="0", until="7")  # the last that may be begun before the first is done
    assert [r.source for r in run_all(task, named(20), 4)] == [str(i) for i in range(20)]


def test_files_are_drawn_as_they_are_begun() -> None:
    drawn: list[str] = []

    def sources() -> Iterator[Source]:
        for source in named(100):
            drawn.append(source.relative)
            yield source

    results = run_all(Task(), sources(), 4)
    next(results)
    assert len(drawn) == 8
    results.close()
    assert len(drawn) == 8


@dataclass
class Failing(Task):
    """The file 3 fails; notes what was done."""

    done: list[str] = field(default_factory=list)

    def run(self, source: Source) -> FileResult:
        self.done.append(source.relative)
        status: Literal["failed", "read"] = "failed" if source.relative == "3" else "read"
        return FileResult(source=source.relative, status=status)


@pytest.mark.parametrize("at_once", [1, 4])
def test_after_a_failure_none_is_drawn_and_what_was_has_a_result(at_once: int) -> None:
    task = Failing(options=ReadOptions(fail_fast=True))
    found = [result.source for result in run_all(task, named(100), at_once)]
    assert sorted(found) == sorted(task.done)
    assert 4 <= len(found) <= 3 + 2 * at_once


def test_the_reach_of_a_run() -> None:
    assert Reach.of("/a", "b", None) == Reach(at_once=1, shared=True)
    assert Reach.of("/a", "s3://b") == Reach(REQUESTS, shared=True)
    assert Reach.of("memory://a", "s3://b") == Reach(REQUESTS, shared=False)


def test_what_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "read", lambda url: url.encode())
    local, stored = Source("/a.png", "a.png", 5), Source("s3://b/a.png", "a.png", 5)
    assert fetched(local, 100) is local
    assert fetched(stored, 100).content == b"s3://b/a.png"
    assert fetched(stored, 100).path == "s3://b/a.png"
    again = Source("s3://b/a.png", "a.png", content=b"here")
    assert fetched(again, 100) is again


def test_what_could_be_no_such_image_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "read", lambda url: b"")
    most = most_bytes(100)
    assert fetched(Source("s3://b/a.png", "a.png", most), 100).content == b""
    with pytest.raises(MaskSizeError, match="raise the limit"):
        fetched(Source("s3://b/a.png", "a.png", most + 1), 100)


def test_a_file_that_cannot_be_fetched_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(url: str) -> bytes:
        raise FileNotFoundError(url)

    monkeypatch.setattr(storage, "read", gone)
    row = row_of(Source("s3://b/a.png", "a.png"), lambda source: pytest.fail("not made"), 100)
    assert row.status == "failed"
    assert row.message == "cannot be read: it is not there any more"
    known = Source("s3://b/b.png", "b.png", error=UnreadableMaskError("has a bad name"))
    assert row_of(known, lambda source: pytest.fail("not made"), 100).message == "has a bad name"
