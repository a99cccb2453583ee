"""A worker process: does its task with the files that its parent names.

Started by `child.Worker`, for `processes` and `devices`, never by hand. It reads pickles from
standard input: first the task, the token of the run, how it opens its device, whether lines of a
report are wanted and how many files it has in hand at once, then lists of files. It ends with
None, and when its input does, as when the parent is killed.

Without a device it takes one file after the other and answers each list with one pickle, the
list of results. With a device it converts all that comes in batches, asks for each list by a
note, and answers with results one by one, as they come; the last answer is None.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import BinaryIO, Literal

from gpuseg import output
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Source
from gpuseg.garbage import rarely_collected
from gpuseg.lines import encode_row
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from gpuseg.task import Task, run_all

READY = b"gpuseg worker is ready\n"
"""The line that comes before all answers; others may print before it, as Python starts."""

Done = tuple[FileResult, bytes | None]
"""What became of a file, and its line of the report, if there is one."""

Opens = tuple[str, str, int]
"""How a device is opened: a module, its function, and the number that this takes."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a process with a device says besides results: `failed` is the last it says."""

    kind: Literal["more", "log", "remark", "failed"]
    text: str = ""


def main() -> None:
    """Serve the parent until it says goodbye or hangs up."""
    requests = sys.stdin.buffer
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "wb")
    # what anything prints from now on is no answer
    os.dup2(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else 2, 1)
    # the parent may be gone
    with contextlib.suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        _serve(requests, answers)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    # at once: without another try to flush answers, or to end a thread that reads requests
    os._exit(0)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    task, token, opens, lines, at_once = pickle.load(requests)  # noqa: S301  # from the parent, over our pipe
    output.join_run(token)
    answers.write(b"\n" + READY)
    answers.flush()
    with size_limit_is_ours(), rarely_collected():
        if opens is not None:
            _serve_device(requests, answers, task.job, opens)
            return
        while (sources := pickle.load(requests)) is not None:  # noqa: S301
            _answer(answers, _run(sources, task, at_once, lines))


def _serve_device(requests: BinaryIO, answers: BinaryIO, job: Job, opens: Opens) -> None:
    from gpuseg.batched import BatchedFlow

    lock = threading.Lock()

    def answer(message: object) -> None:
        with lock:
            _answer(answers, message)

    def add(result: FileResult) -> None:
        answer((result, encode_row(result.row())))

    try:
        module, name, number = opens
        device = getattr(importlib.import_module(module), name)(number)
        feed = Feed(_incoming(requests, lambda: answer(Note("more"))))
        flow = BatchedFlow(feed, job, add, device, lambda text: answer(Note("log", text)))
        run_threads(flow.work, flow.threads, feed.close, lambda: None)
    except BrokenPipeError:
        raise
    except Exception as error:  # the parent raises it
        answer(Note("failed", str(error)))
        return
    answer(Note("remark", flow.remark))
    answer(None)


def _incoming(requests: BinaryIO, ask: Callable[[], None]) -> Iterator[Source]:
    """The files that the parent names, until it says that there are no more, or is gone."""
    lists: SimpleQueue[list[Source] | None] = SimpleQueue()

    def read() -> None:
        """Take what comes at once, for the parent takes no answers while it sends."""
        sources: list[Source] | None = []
        while sources is not None:
            try:
                sources = pickle.load(requests)  # noqa: S301
            except Exception:  # it ends, or is damaged, which raises nearly anything
                sources = None
            lists.put(sources)

    threading.Thread(target=read, daemon=True).start()
    ask()  # one list ahead
    while True:
        ask()
        if (sources := lists.get()) is None:
            return
        yield from sources


def _answer(answers: BinaryIO, message: object) -> None:
    pickle.dump(message, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()


def _run(sources: list[Source], task: Task, at_once: int, lines: bool) -> list[Done]:
    results = run_all(task, sources, at_once)
    return [(result, encode_row(result.row()) if lines else None) for result in results]
