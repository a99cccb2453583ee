"""Tasks that are nearly all Python: one thread does them until processes are worth while."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gpuseg import processes
from gpuseg.discover import Source
from gpuseg.errors import WorkerError
from gpuseg.options import ReadOptions
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import ProcessFlow
from gpuseg.results import FileResult


class Noting:
    """A task that notes which threads do it."""

    options = ReadOptions(workers=4)

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def run(self, source: Source) -> FileResult:
        self.threads.add(threading.get_ident())
        return FileResult(source=source.relative, status="read")


def done_alone(task: Noting, count: int) -> list[str]:
    """Names of the files that a flow of one leading thread has done."""
    done: list[str] = []
    feed = Feed(Source(f"{i}.png", f"{i}.png") for i in range(count))
    flow = ProcessFlow(feed, task, lambda row, line=None: done.append(row.source), alone=True)
    run_threads(flow.work, flow.threads, feed.close, lambda: None)
    return done


def test_what_is_nearly_all_python_is_done_by_one_thread() -> None:
    task = Noting()
    assert done_alone(task, 50) == [f"{i}.png" for i in range(50)]
    assert len(task.threads) == 1


def test_each_thread_has_a_process_of_its_own_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[int] = set()

    def none(*arguments: Any, **options: Any) -> None:
        asked.add(threading.get_ident())
        raise WorkerError("cannot be started")

    for name, value in (("PATIENCE", 0.0), ("ENOUGH", 1), ("TIMES_DONE", 0), ("Worker", none)):
        monkeypatch.setattr(processes, name, value)
    assert len(done_alone(Noting(), 50)) == 50
    assert len(asked) == 4
