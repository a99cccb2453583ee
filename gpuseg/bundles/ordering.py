"""Results in the order of their files, and a feed that is not drawn far ahead of them.

Members of an archive are done by many threads and processes and are to stand in another archive in
their order. So what is finished early waits; and lest much waits for one slow file, nothing is
drawn while too much is under way. Who draws must have given back all it drew before: then whoever
holds the file that all wait for is at work on it, and no two wait for each other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from gpuseg.discover import Source
from gpuseg.pool import Feed
from gpuseg.results import FileResult

FILES_A_WORKER, BYTES_A_WORKER = 512, 1 << 25
"""What may be under way for each worker: files, and bytes of them (32 MiB)."""

Then = Callable[[FileResult | None, bytes | None], None]
"""What is done at a place once its turn has come, with the result and its line of the report."""


class Slot:
    """A place in the order.

    then: see `Then`. source: the file whose result is waited for, None where nothing is. size:
    bytes that it holds meanwhile.
    """

    __slots__ = ("is_done", "line", "result", "size", "source", "then")

    def __init__(self, then: Then, source: Source | None = None, size: int = 0) -> None:
        self.then, self.source, self.size = then, source, size
        self.is_done = source is None
        self.result: FileResult | None = None
        self.line: bytes | None = None


class InOrder:
    """Places whose turn comes one after the other.

    workers: how many there are, None for no limit on what is under way.
    """

    def __init__(self, workers: int | None) -> None:
        self._most_files = workers and FILES_A_WORKER * (workers + 1)
        self._most_bytes = workers and BYTES_A_WORKER * (workers + 1)
        self._slots: deque[Slot] = deque()
        self._waiting: dict[str, Slot] = {}
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._bytes = 0
        self._going_on = False  # whether some thread is at a place whose turn it is

    @property
    def has_room(self) -> bool:
        """Whether more may be under way."""
        if self._most_files is None or self._most_bytes is None or not self._slots:
            return True
        return len(self._slots) < self._most_files and self._bytes < self._most_bytes

    def wait_for_room(self, is_over: Callable[[], bool]) -> None:
        """Return once there is room, or `is_over`, which is asked ten times a second."""
        with self._moved:
            while not self.has_room and not is_over():
                self._moved.wait(0.1)

    def expect(self, slot: Slot) -> None:
        """Add a place behind all others; then call `go_on`."""
        with self._lock:
            self._slots.append(slot)
            self._bytes += slot.size
            if slot.source is not None:
                self._waiting[slot.source.relative] = slot

    def put(self, result: FileResult, line: bytes | None = None) -> None:
        """Take the result of a file that is waited for. From any thread."""
        with self._lock:
            slot = self._waiting.pop(result.source)
            slot.result, slot.line, slot.is_done = result, line, True
            slot.source = None  # its bytes are needed no more
        self.go_on()

    def go_on(self) -> None:
        """Come to all places whose turn it is, unless another thread is at it.

        That thread finds what was done meanwhile: so nobody waits while an archive is uploaded,
        until too much is under way.
        """
        while (slot := self._next()) is not None:
            try:
                slot.then(slot.result, slot.line)
            finally:
                with self._moved:
                    self._going_on = False
                    self._bytes -= slot.size
                    self._moved.notify_all()

    def _next(self) -> Slot | None:
        with self._lock:
            if self._going_on or not self._slots or not self._slots[0].is_done:
                return None
            self._going_on = True
            return self._slots.popleft()


class OrderedFeed(Feed[Source]):
    """The files of places in an order.

    outer: a feed that is closed when this one is to be. holds_more: whether at least so many are
    left, once there is one; without it they are looked ahead for.
    """

    def __init__(
        self,
        slots: Iterable[Slot],
        order: InOrder,
        outer: Feed[Source],
        holds_more: Callable[[int], bool] | None = None,
    ) -> None:
        super().__init__((), holds_more)
        self._order, self._outer = order, outer
        self._slots: Iterator[Slot] = iter(slots)
        self._slots_ahead: deque[Slot] = deque()
        self._returned: deque[Source] = deque()

    @property
    def closed(self) -> bool:
        """Whether nothing more is handed out."""
        return self._drained or self.stopped

    @property
    def stopped(self) -> bool:
        """Whether it, or the outer one, was closed before its end."""
        return self._stopped or self._outer.stopped

    def draw_many(self, count: int) -> list[Source]:
        """The next files, `count` at most; none when there are no more."""
        sources: list[Source] = []
        while not sources:
            self._order.wait_for_room(lambda: self.closed)
            with self._lock:
                if self.closed:
                    return []
                while self._returned and len(sources) < count:
                    sources.append(self._returned.popleft())
                self._draw(sources, count)
                self.drawn += len(sources)
            self._order.go_on()
        return sources

    def _draw(self, sources: list[Source], count: int) -> None:
        while len(sources) < count and self._order.has_room:
            slot = self._slots_ahead.popleft() if self._slots_ahead else next(self._slots, None)
            if slot is None:
                self._drained = not sources
                return
            self._order.expect(slot)
            if slot.source is not None:
                sources.append(slot.source)

    def holds(self, count: int) -> bool:
        """Whether at least `count` files are left, or seem to be."""
        with self._lock:
            if self.closed:
                return False
            ahead = count if self._holds_more is None else 1
            self._slots_ahead.extend(islice(self._slots, max(0, ahead - len(self._slots_ahead))))
            if self._holds_more is None:
                return len(self._slots_ahead) >= count
            return bool(self._slots_ahead) and self._holds_more(count)

    def give_back(self, items: Sequence[Source]) -> None:
        """Have files that were drawn handed out again, before all others."""
        with self._lock:
            self._returned.extendleft(reversed(items))
            self.drawn -= len(items)
            self._drained = self._drained and not items
