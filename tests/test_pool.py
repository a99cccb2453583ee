"""Threads that stop together: no row is lost, whatever ends the run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from gpuseg import pool
from gpuseg.pool import Feed, run_threads


def test_items_are_handed_out_in_order_and_once() -> None:
    feed = Feed(range(7))
    assert feed.draw() == 0
    assert feed.holds(6)
    assert not feed.holds(7)
    assert feed.draw_many(4) == [1, 2, 3, 4]
    assert feed.drawn == 5
    assert feed.draw_many(4) == [5, 6]
    assert not feed.closed
    assert feed.draw_many(4) == []
    assert feed.closed
    assert not feed.holds(0)


def test_items_that_are_given_back_come_first() -> None:
    feed = Feed(range(4))
    assert feed.draw_many(3) == [0, 1, 2]
    feed.give_back([1, 2])
    assert feed.drawn == 1
    assert feed.draw_many(9) == [1, 2, 3]
    assert feed.draw() is None
    assert feed.closed
    feed.give_back([])
    assert feed.closed
    feed.give_back([3])  # it was only empty
    assert not feed.closed
    assert feed.draw() == 3
    feed.close()
    feed.give_back([3])
    assert feed.closed
    assert feed.draw() is None


def nothing() -> None:
    pass


def wait_until_closed(feed: Feed[int]) -> None:
    deadline = time.monotonic() + 20
    while not feed.closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
@pytest.mark.parametrize("started", [0, 2])
def test_where_a_thread_cannot_be_started_none_works(
    monkeypatch: pytest.MonkeyPatch, started: int, error: BaseException
) -> None:
    """The others may wait for it."""
    real, calls = threading.Thread.start, iter(range(100))

    def start(thread: threading.Thread) -> None:
        if next(calls) == started:
            raise error
        real(thread)

    def work() -> None:
        raise AssertionError

    monkeypatch.setattr(threading.Thread, "start", start)
    stopped: list[int] = []
    with pytest.raises(type(error)):
        run_threads(work, 4, lambda: stopped.append(1), nothing)
    assert stopped == [1]


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl-C is heard even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupted_waits_for_the_files_in_hand(interrupts: None) -> None:
    main, feed, finished = threading.get_ident(), Feed(range(100)), []
    all_drew = threading.Barrier(3, timeout=20)

    def work() -> None:
        while (item := feed.draw()) is not None:
            if all_drew.wait() == 0:
                signal.pthread_kill(main, signal.SIGINT)
            wait_until_closed(feed)
            finished.append(item)

    with pytest.raises(KeyboardInterrupt):
        run_threads(work, 3, feed.close, nothing)
    assert sorted(finished) == [0, 1, 2]


def test_the_first_error_is_raised_once_all_have_returned() -> None:
    feed, finished = Feed(range(100)), []

    def work() -> None:
        while (item := feed.draw()) is not None:
            if item == 1:
                raise ValueError("one")
            wait_until_closed(feed)
            finished.append(item)

    with pytest.raises(ValueError, match="one"):
        run_threads(work, 2, feed.close, nothing)
    assert finished == [0]


def test_an_error_of_the_tick_stops_the_workers() -> None:
    feed, finished = Feed(range(100)), []

    def work() -> None:
        while (item := feed.draw()) is not None:
            wait_until_closed(feed)
            finished.append(item)

    def tick() -> None:
        while feed.drawn < 2:
            time.sleep(0.01)
        raise RuntimeError("the bar broke")

    with pytest.raises(RuntimeError, match="the bar broke"):
        run_threads(work, 2, feed.close, tick)
    assert len(finished) == 2


def test_closing_holds_while_another_thread_draws() -> None:
    """Ctrl-C and --fail-fast close the feed while a worker waits for a slow folder."""
    drawing, closed = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        drawing.set()
        assert closed.wait(10)
        yield from range(1, 1000)

    feed = Feed(items())
    drawn: list[int] = []

    def work() -> None:
        while (item := feed.draw()) is not None:
            drawn.append(item)

    thread = threading.Thread(target=work)
    thread.start()
    assert drawing.wait(10)
    feed.close()
    closed.set()
    thread.join(10)
    assert drawn == [1]
    assert feed.closed


def test_looking_ahead_does_not_pause_for_every_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Python's lock each pause may take milliseconds, and a run waits for the answer."""
    pauses: list[float] = []
    monkeypatch.setattr(pool, "sleep", pauses.append)
    assert Feed(range(100_000)).holds(50_000)
    assert len(pauses) < 250


def test_looking_ahead_keeps_nobody_waiting() -> None:
    """Where folders are slow, others draw meanwhile, and closing ends the look."""

    def items() -> Iterator[int]:
        for i in range(100_000):
            time.sleep(0.0005)
            yield i

    feed, found = Feed(items()), []
    thread = threading.Thread(target=lambda: found.append(feed.holds(50_000)))
    thread.start()
    assert feed.draw_many(3) == [0, 1, 2]
    feed.close()
    thread.join(20)  # a look at all of them takes longer
    assert found == [False]
    assert next(feed._items) < 20_000
