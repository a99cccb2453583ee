"""The progress bar: files, rates and failures, on stderr."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from gpuseg.discover import count_sources
from gpuseg.errors import GpusegError
from gpuseg.finding import find, is_archive, is_file
from gpuseg.folders import real
from gpuseg.options import Shard

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from gpuseg.results import Report


class Bar:
    """A context in which `show` draws a Report; does nothing unless `visible`.

    count: how many files there are; it is called on a thread of its own while the work already
    goes on.
    """

    def __init__(self, count: Callable[[], int | None], *, visible: bool) -> None:
        self._count_all, self._visible = count, visible
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._total: int | None = None

    def __enter__(self) -> Bar:
        if self._visible:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
            from rich.progress import TimeRemainingColumn as Remaining

            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._progress = Progress(*columns, Remaining(), console=Console(stderr=True))
            self._task = self._progress.add_task("starting", total=None)
            self._progress.start()
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, report: Report) -> None:
        """Draw the run so far."""
        if self._progress is None or self._task is None:
            return
        seconds = max(report.elapsed, 1e-3)
        text = f"{report.done / seconds:,.0f} files/s {report.pixels / seconds / 1e6:,.0f} Mpx/s"
        if report.failed:
            text += f" [red]{report.failed:,} failed[/red]"
        if report.waiting:
            text = report.waiting
        self._progress.update(
            self._task, completed=report.done, total=self._total, description=text
        )

    def _count(self) -> None:
        with suppress(GpusegError):  # the run itself tells
            self._total = self._count_all()


def files_of(
    *paths: str, pattern: str | None = None, shard: Shard | None = None, dst: str | None = None
) -> int | None:
    """How many files a run over these paths has; what lies in DST is none of them.

    None where that is not known before: of archives.
    """
    if any(map(is_archive, paths)):
        return None
    skip = real(dst) if dst is not None else None
    found = [find(path, None if is_file(path) else pattern, skip) for path in paths]
    return sum(count_sources(sources, shard or Shard()) for sources in found)
