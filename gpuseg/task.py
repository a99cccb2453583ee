"""What is done with each file of a dump, by threads and by worker processes."""

from __future__ import annotations

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
