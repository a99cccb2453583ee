"""What is done with each file of a dump, by threads and by worker processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from gpuseg import storage
from gpuseg.discover import Source
from gpuseg.errors import MaskSizeError, UnreadableMaskError
from gpuseg.options import ReadOptions, most_bytes
from gpuseg.results import Aside, FileResult

REQUESTS = 16
"""Files that a worker has in hand at once where each waits for a storage: a request takes tens of
milliseconds of nobody's processor."""


class Task(Protocol):
    """Something to do with each file, one by one. Sent to worker processes by pickle."""

    @property
    def options(self) -> ReadOptions:
        """How the files are gone through."""

    def run(self, source: Source) -> FileResult:
        """Do it with one file. Called from several threads; raises nothing: a fault is a row."""


class WholeTask(Task, Protocol):
    """A task whose sources are archives, each done as a whole by one worker: many rows each."""

    def run_whole(self, source: Source, aside: Aside | None = None) -> Iterator[FileResult]:
        """Do it with one archive; the rows of its members as they come. Raises nothing.

        aside: counts the members that have none.
        """


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the files of a run lie and go to.

    at_once: files that a worker has in hand at once. shared: whether other processes see them.
    """

    at_once: int = 1
    shared: bool = True

    @classmethod
    def of(cls, *places: str | None) -> Reach:
        """The reach of a run between these places, paths and URLs."""
        urls = [place for place in places if place is not None and storage.is_url(place)]
        return cls(REQUESTS if urls else 1, all(map(storage.is_shared, urls)))


LOCAL = Reach()


_RunWhole = Callable[[Source, Aside | None], Iterator[FileResult]]


def run_all(
    task: Task, sources: Iterable[Source], at_once: int = 1, aside: Aside | None = None
) -> Generator[FileResult, None, None]:
    """The results of a task for each of these files, in order.

    Files are drawn as they are begun: no more than twice `at_once` have no result yet, so that
    the others go on while the next in order is slow. Under --fail-fast none is drawn after a
    failure, and those that were have their results: their targets may be there.
    aside: see WholeTask.
    """
    fails_fast = task.options.fail_fast
    # asked so, for isinstance of a Protocol is slow, and this may be called for each file
    run_whole: _RunWhole | None = getattr(task, "run_whole", None)
    if run_whole is not None:
        for source in sources:
            yield from run_whole(source, aside)  # which heeds --fail-fast itself
        return
    if at_once == 1:
        for source in sources:
            row = task.run(source)
            yield row
            if fails_fast and row.is_wrong:
                return
        return
    waiting: deque[Future[FileResult]] = deque()
    with ThreadPoolExecutor(at_once, "gpuseg-requests") as pool:
        try:
            for source in sources:
                waiting.append(pool.submit(task.run, source))
                if len(waiting) == 2 * at_once:
                    row = waiting.popleft().result()
                    yield row
                    if fails_fast and row.is_wrong:
                        break
            while waiting:
                yield waiting.popleft().result()
        finally:  # where the caller wants no more
            pool.shutdown(cancel_futures=True)


def row_of(source: Source, make: Callable[[Source], FileResult], max_pixels: int) -> FileResult:
    """The row that `make` gives a file, once fetched; whatever happens becomes its row."""
    if source.error is not None:
        return FileResult.failure(source.relative, source.error)
    try:
        return make(fetched(source, max_pixels))
    except Exception as error:  # a file that fails never stops another
        return FileResult.failure(source.relative, error)


def fetched(source: Source, max_pixels: int) -> Source:
    """A file with its bytes, if it lies in a storage. Raises MaskError.

    max_pixels: files that could not be an image of so many pixels are not fetched.
    """
    if source.content is not None or not storage.is_url(source.path):
        return source
    most = most_bytes(max_pixels)
    if source.size > most:
        raise MaskSizeError(
            f"has {source.size:,} bytes, an image within --max-pixels {max_pixels} has "
            f"{most:,} at most; if the file can be trusted, raise the limit"
        )
    try:
        return replace(source, content=storage.read(source.path))
    except FileNotFoundError as error:
        raise UnreadableMaskError("cannot be read: it is not there any more") from error
    except OSError as error:
        raise UnreadableMaskError(f"cannot be read: {error.strerror or error}") from error
