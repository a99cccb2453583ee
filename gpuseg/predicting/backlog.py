"""Work that threads do while whoever hands it in goes on: bounded, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Generic, TypeVar

from gpuseg.errors import UsageError, WorkerError

Item = TypeVar("Item")

TICK = 0.1
"""Seconds after which a wait looks again: one without a limit hears no Ctrl-C on Windows."""


class _Batch(Generic[Item]):
    """Items that came together. left: how many are not done yet."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items: Iterator[Item] = iter(items)
        self.left = len(items)


class Backlog(Generic[Item]):
    """Batches of items, each done by one of some threads; the oldest batch comes first.

    work: does one item; what it raises ends all, so it should raise nothing. threads: how many.
    most: batches that may be unfinished before `add` waits. waited: seconds that it has.
    """

    def __init__(self, work: Callable[[Item], None], threads: int, most: int) -> None:
        self._work, self._most = work, most
        self._batches: list[_Batch[Item]] = []  # those that are not finished
        self._changed = threading.Condition()
        self._ends = self._dropped = False
        self._error: BaseException | None = None
        self.waited = 0.0
        self._running = threads
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.drop()  # those that run end
            raise

    def check(self) -> None:
        """Raise UsageError where nothing can be added any more, WorkerError if a thread died."""
        self._check_threads()
        if self._ends:
            raise UsageError("predictions were saved to a writer that is closed; make a new one")

    def _check_threads(self) -> None:
        if self._error is not None:
            raise WorkerError(
                f"a thread that writes predictions died ({self._error!r}), so those that were not "
                "written are lost; save them again"
            ) from self._error

    def add(self, items: Sequence[Item]) -> None:
        """Hand in a batch, once there is room for it. From any thread. Raises as `check`."""
        with self._changed:
            begun = monotonic()
            while len(self._batches) >= self._most and not (self._error or self._dropped):
                self._changed.wait(TICK)
            self.waited += monotonic() - begun
            self.check()
            if items:
                self._batches.append(_Batch(items))
                self._changed.notify_all()

    def finish(self) -> None:
        """Return once all is done; nothing is added any more. Raises WorkerError.

        Whatever ends the wait (Ctrl-C), what no thread has begun is dropped, and what they have
        is waited for.
        """
        try:
            with self._changed:
                self._ends = True
                self._changed.notify_all()
            self._join()
        except BaseException:
            self.drop()
            self._join()
            raise
        self._check_threads()

    def is_on_own_thread(self) -> bool:
        """Whether one of the threads calls this; `finish` would wait for it for ever."""
        return threading.current_thread() in self._threads

    def drop(self) -> None:
        """Have no item begun any more."""
        with self._changed:
            self._ends = self._dropped = True
            self._changed.notify_all()

    def _join(self) -> None:
        with self._changed:
            while self._running and any(thread.is_alive() for thread in self._threads):
                self._changed.wait(TICK)

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except BaseException as error:  # handed to whoever adds or finishes
            self._error = self._error or error
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _step(self) -> bool:
        """Do one item, as soon as there is one; False at the end. Nothing is kept of it."""
        drawn = self._draw()
        if drawn is None:
            return False
        batch, item = drawn
        self._work(item)
        self._done(batch)
        return True

    def _draw(self) -> tuple[_Batch[Item], Item] | None:
        """The next item and its batch, None at the end."""
        with self._changed:
            while self._error is None and not self._dropped:
                for batch in self._batches:
                    for item in batch.items:
                        return batch, item
                if self._ends:
                    break
                self._changed.wait()
            return None

    def _done(self, batch: _Batch[Item]) -> None:
        with self._changed:
            batch.left -= 1
            if not batch.left:
                self._batches.remove(batch)
                self._changed.notify_all()
