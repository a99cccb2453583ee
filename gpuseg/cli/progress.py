"""The progress bar: files, rates and failures, on stderr."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from gpuseg.options import Shard

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from gpuseg.report import Report


class Bar:
    """A context in which `show` draws a Report; does nothing unless `visible`.

    The total is counted on a thread of its own while the conversion already runs.
    """

    def __init__(
        self, src: str, dst: str, pattern: str | None, shard: Shard, *, visible: bool
    ) -> None:
        self._src, self._dst, self._pattern, self._shard = src, dst, pattern, shard
        self._visible = visible
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
        self._progress.update(
            self._task, completed=report.done, total=self._total, description=text
        )

    def _count(self) -> None:
        from gpuseg.discover import Walk, count_sources

        if os.path.isfile(self._src):
            self._total = 1
            return
        walk = Walk(self._src, self._pattern, skip=os.path.realpath(self._dst))
        self._total = count_sources(walk, self._shard)
