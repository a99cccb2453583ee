"""What is done with each file of a dump, by threads and by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from gpuseg.discover import Source
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult


class Task(Protocol):
    """Something to do with each file, one by one. Sent to worker processes by pickle."""

    @property
    def options(self) -> ReadOptions:
        """How the files are gone through."""

    def run(self, source: Source) -> FileResult:
        """Do it with one file. Called from several threads; raises nothing: a fault is a row."""


def run_all(task: Task, sources: Iterable[Source]) -> Iterator[FileResult]:
    """Do a task with files, in order, as they are asked for."""
    return map(task.run, sources)


def row_of(source: Source, make: Callable[[Source], FileResult]) -> FileResult:
    """The row that `make` gives a file; whatever happens becomes its row."""
    if source.error is not None:
        return FileResult.failure(source.relative, source.error)
    try:
        return make(source)
    except Exception as error:  # a file that fails never stops another
        return FileResult.failure(source.relative, error)
