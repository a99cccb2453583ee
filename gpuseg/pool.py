"""Threads that share one stream of work, stop together, and lose no exception."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic, sleep
from typing import Generic, TypeVar

Item = TypeVar("Item")

LOOK = 0.01
"""Seconds that a look ahead keeps others from drawing; to let them go first may cost as much."""


class Feed(Generic[Item]):
    """An iterator that many threads draw from; it can be closed early.

    holds_more: whether so many items seem to be left, once there is one: for items that are too
    large to look ahead for.
    """

    def __init__(
        self, items: Iterable[Item], holds_more: Callable[[int], bool] | None = None
    ) -> None:
        self._holds_more = holds_more
        self._items: Iterator[Item] = iter(items)
        self._ahead: deque[Item] = deque()  # taken from the iterator, not drawn yet
        self._lock = threading.Lock()
        self._stopped = self._drained = False
        self.drawn = 0

    @property
    def stopped(self) -> bool:
        """Whether it was closed before its end."""
        return self._stopped

    @property
    def closed(self) -> bool:
        """Whether nothing more is handed out."""
        return self._stopped or self._drained

    def draw(self) -> Item | None:
        """The next item, or None when there are no more."""
        items = self.draw_many(1)
        return items[0] if items else None

    def draw_many(self, count: int) -> list[Item]:
        """The next items, `count` at most; none when there are no more."""
        with self._lock:
            if self.closed:
                return []
            self._look_ahead(count)
            items = [self._ahead.popleft() for _ in range(min(count, len(self._ahead)))]
            self._drained = not items
            self.drawn += len(items)
            return items

    def holds(self, count: int) -> bool:
        """Whether at least `count` items are left. Others can draw meanwhile, and close."""
        if self._holds_more is not None:
            with self._lock:
                self._look_ahead(1)
                return not self.closed and bool(self._ahead) and self._holds_more(count)
        while True:
            with self._lock:
                end = monotonic() + LOOK
                while monotonic() < end:
                    before = len(self._ahead)
                    if self.closed or before >= count:
                        return not self.closed
                    self._look_ahead(min(count, before + 20))
                    if len(self._ahead) == before:
                        return False
            sleep(0.001)  # else this thread would have the lock again before another wakes up

    def _look_ahead(self, count: int) -> None:
        self._ahead.extend(islice(self._items, max(0, count - len(self._ahead))))

    def give_back(self, items: Sequence[Item]) -> None:
        """Have items that were drawn handed out again, before all others."""
        with self._lock:
            self._ahead.extendleft(reversed(items))
            self.drawn -= len(items)
            self._drained = self._drained and not items

    def close(self) -> None:
        """Hand out nothing more."""
        self._stopped = True


def run_threads(
    work: Callable[[], None], count: int, stop: Callable[[], None], tick: Callable[[], None]
) -> None:
    """Run `work` on `count` threads until all return.

    tick: called about ten times a second meanwhile, on the calling thread. stop: makes the
    workers return soon; called on Ctrl-C, and when a worker or tick raises. The first exception
    is raised again once all have returned; a second Ctrl-C does not wait.
    """
    errors: list[BaseException] = []
    begin, all_started = threading.Event(), False

    def guarded(done: threading.Event) -> None:
        try:
            begin.wait()  # some may wait for others, who must be there
            if all_started:
                work()
        except BaseException as error:  # handed to the calling thread, which raises it
            errors.append(error)
            stop()
        finally:
            done.set()

    # Events, for an interrupted Thread.join may take a thread that runs for one that has
    # ended (Python 3.11 and 3.12), and one without a limit hears no Ctrl-C on Windows.
    events = [threading.Event() for _ in range(count)]
    threads = [threading.Thread(target=guarded, args=(e,), daemon=True) for e in events]
    try:
        for thread in threads:
            thread.start()
        all_started = True
        begin.set()
        for event in events:
            while not event.wait(0.1):
                tick()
    except BaseException:
        begin.set()
        stop()
        for thread, event in zip(threads, events, strict=True):
            while thread.ident is not None and not event.wait(0.1):
                pass
        raise
    if errors:
        raise errors[0]
