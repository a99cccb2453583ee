"""A backlog: in order, bounded, and over whatever happens to its threads."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from time import monotonic

import pytest

from gpuseg.errors import UsageError, WorkerError
from gpuseg.predicting.backlog import Backlog

LONG = 60
"""Seconds after which a test that hangs is told."""


class Gate:
    """Work that waits to be let through; `begun` and `done` are the items, in order."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.begun: list[int] = []
        self.done: list[int] = []

    def work(self, item: int) -> None:
        self.begun.append(item)
        self.entered.release()
        assert self.open.wait(LONG)
        self.done.append(item)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that does something, and what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def ended(thread: threading.Thread) -> bool:
    thread.join(LONG)
    return not thread.is_alive()


def test_items_are_done_in_order_by_one_thread() -> None:
    done: list[int] = []
    backlog = Backlog(done.append, 1, 4)
    for batch in ([0, 1, 2], [3], [], [4, 5]):
        backlog.add(batch)
    backlog.finish()
    assert done == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_batch_that_is_too_much_waits(threads: int) -> None:
    gate = Gate()
    backlog = Backlog(gate.work, threads, 4)
    for i in range(4):
        backlog.add([i])
    fifth, raised = in_thread(lambda: backlog.add([4]))
    for _ in range(threads):
        assert gate.entered.acquire(timeout=LONG)
    fifth.join(0.3)  # it cannot go on, however long it is watched
    assert fifth.is_alive()
    assert gate.begun == list(range(threads))
    gate.open.set()
    assert ended(fifth)
    backlog.finish()
    assert not raised
    assert sorted(gate.done) == list(range(5))
    assert backlog.waited > 0


def test_a_batch_counts_until_its_last_item_is_done() -> None:
    gates = [Gate(), Gate()]
    backlog = Backlog(lambda item: gates[item].work(item), 2, 1)
    backlog.add([0, 1])
    second, _ = in_thread(lambda: backlog.add([]))
    gates[0].open.set()
    assert gates[1].entered.acquire(timeout=LONG)
    second.join(0.3)
    assert second.is_alive()
    gates[1].open.set()
    assert ended(second)
    backlog.finish()


def test_whoever_adds_goes_on_while_threads_work() -> None:
    gate = Gate()
    backlog = Backlog(gate.work, 1, 4)
    for i in range(4):
        backlog.add([i])
    assert gate.entered.acquire(timeout=LONG)
    assert gate.done == []  # all four are handed in, none is done
    assert backlog.waited < LONG
    gate.open.set()
    backlog.finish()


def test_nothing_is_added_after_the_end() -> None:
    backlog = Backlog(print, 2, 2)
    backlog.finish()
    backlog.finish()
    with pytest.raises(UsageError, match="closed"):
        backlog.add([1])
    with pytest.raises(UsageError, match="closed"):
        backlog.check()


@pytest.mark.parametrize("error", [SystemExit(3), RuntimeError("odd"), MemoryError()])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_thread_that_dies_hangs_nobody(threads: int, error: BaseException) -> None:
    gate = Gate()

    def work(item: int) -> None:
        gate.work(item)
        if item == 0:
            raise error

    backlog = Backlog(work, threads, 4)
    for i in range(4):
        backlog.add([i])
    assert gate.entered.acquire(timeout=LONG)
    waiting, raised = in_thread(lambda: backlog.add([4]))
    gate.open.set()
    assert ended(waiting)
    with pytest.raises(WorkerError, match=r"died .* save them again") as caught:
        backlog.finish()
    assert caught.value.__cause__ is error
    with pytest.raises(WorkerError):
        backlog.add([5])
    assert all(isinstance(each, WorkerError) for each in raised)
    assert 5 not in gate.begun


def test_where_a_thread_cannot_be_started_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    real, started = threading.Thread.start, []

    def start(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        Backlog(print, 3, 4)
    assert all(ended(thread) for thread in started)


def test_dropped_items_are_not_begun() -> None:
    gate = Gate()
    backlog = Backlog(gate.work, 1, 4)
    backlog.add([0, 1, 2])
    backlog.add([3])
    assert gate.entered.acquire(timeout=LONG)
    backlog.drop()
    gate.open.set()
    backlog.finish()
    assert gate.done == [0]


def test_whoever_waits_for_room_is_told_of_the_end() -> None:
    gate = Gate()
    backlog = Backlog(gate.work, 1, 1)
    backlog.add([0])
    waiting, raised = in_thread(lambda: backlog.add([1]))
    backlog.drop()
    assert ended(waiting)
    assert isinstance(raised[0], UsageError)
    gate.open.set()
    backlog.finish()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_finishing_waits_for_what_is_in_hand() -> None:
    gate = Gate()
    backlog = Backlog(gate.work, 1, 4)
    backlog.add([0, 1, 2])
    assert gate.entered.acquire(timeout=LONG)

    def interrupt() -> None:
        while not backlog._ends:
            pass
        os.kill(os.getpid(), signal.SIGINT)
        while not backlog._dropped:
            pass
        gate.open.set()

    watcher, _ = in_thread(interrupt)
    with pytest.raises(KeyboardInterrupt):
        backlog.finish()
    assert ended(watcher)
    assert gate.done == [0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_adding_leaves_a_whole_backlog() -> None:
    gate = Gate()
    backlog = Backlog(gate.work, 1, 1)
    backlog.add([0])
    assert gate.entered.acquire(timeout=LONG)

    def interrupt() -> None:
        while not backlog._changed._waiters:  # type: ignore[attr-defined]
            pass
        os.kill(os.getpid(), signal.SIGINT)

    watcher, _ = in_thread(interrupt)
    with pytest.raises(KeyboardInterrupt):
        backlog.add([1])
    assert ended(watcher)
    gate.open.set()
    backlog.add([2])
    backlog.finish()
    assert gate.done == [0, 2]


def test_nothing_is_kept_of_what_is_done() -> None:
    class Item:
        pass

    backlog = Backlog(lambda item: None, 1, 1)
    item = Item()
    seen = weakref.ref(item)
    backlog.add([item])
    del item
    end = monotonic() + LONG
    while seen() is not None and monotonic() < end:
        gc.collect()
    assert seen() is None  # while the thread waits for more
    backlog.finish()
