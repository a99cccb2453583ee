"""Feeds and threads: what is closed stays closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from gpuseg.pool import Feed


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
