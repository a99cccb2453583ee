"""Results in the order of their files, whoever is faster, and no more under way than may be."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from gpuseg.bundles import ordering
from gpuseg.bundles.ordering import InOrder, OrderedFeed, Slot
from gpuseg.discover import Source
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult


class Line:
    """Places of which some wait for a file and some for nothing; `done` is their order."""

    def __init__(self, count: int, waits: list[bool], workers: int | None = 2) -> None:
        self.done: list[int] = []
        self.order = InOrder(workers)
        self.most = 0
        self.outer: Feed[Source] = Feed(())
        self.waits = [waits[i % len(waits)] for i in range(count)]
        self.feed = OrderedFeed(self.slots(), self.order, self.outer)

    def slots(self) -> Iterator[Slot]:
        for i, waits in enumerate(self.waits):
            self.most = max(self.most, i - len(self.done))

            def then(result: FileResult | None, line: bytes | None, i: int = i) -> None:
                if result is not None:
                    assert (result.source, line) == (str(i), b"%d" % i)
                self.done.append(i)

            yield Slot(then, Source("", str(i), content=b"x" * 10) if waits else None, 10)

    def put(self, source: Source) -> None:
        result = FileResult(source=source.relative, status="converted")
        self.order.put(result, source.relative.encode())


@pytest.mark.parametrize("waits", [[True], [False], [True, False], [False] * 9 + [True]])
@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_results(waits: list[bool], seed: int) -> None:
    line, choice = Line(200, waits), random.Random(seed)
    held: list[Source] = []
    while (drawn := line.feed.draw_many(choice.randrange(1, 9))) or held:
        held += drawn
        choice.shuffle(held)
        while held and (choice.random() < 0.7 or not drawn):
            line.put(held.pop())
    assert line.done == list(range(200))
    assert line.feed.drawn == sum(line.waits)
    assert line.feed.closed


def test_many_threads_and_one_slow_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file is not done before no other can be drawn: nobody waits for ever."""
    monkeypatch.setattr(ordering, "FILES_A_WORKER", 5)
    line = Line(1000, [True, False, True], workers=3)
    full = threading.Event()

    def wait_for_room(is_over: object) -> None:
        if not line.order.has_room:
            full.set()
        waits(is_over)  # type: ignore[arg-type]

    waits, line.order.wait_for_room = line.order.wait_for_room, wait_for_room  # type: ignore[method-assign]

    def work() -> None:
        while sources := line.feed.draw_many(3):
            for source in sources:
                if source.relative == "0":
                    assert full.wait(60)
                line.put(source)

    run_threads(work, 3, line.feed.close, lambda: None)
    assert line.done == list(range(1000))
    assert line.most <= 5 * (3 + 1)


def test_bytes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "BYTES_A_WORKER", 20)
    line = Line(50, [True], workers=1)
    drawn = line.feed.draw_many(50)
    assert len(drawn) == 4
    for source in drawn:
        line.put(source)
    assert len(line.feed.draw_many(50)) == 4


def test_without_limit() -> None:
    line = Line(5000, [True], workers=None)
    assert len(line.feed.draw_many(5000)) == 5000


@pytest.mark.parametrize("which", ["outer", "feed"])
def test_closing_ends_those_who_wait(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    monkeypatch.setattr(ordering, "FILES_A_WORKER", 1)
    line = Line(100, [True], workers=1)
    assert len(line.feed.draw_many(9)) == 2
    found: list[list[Source]] = []
    waiting = threading.Thread(target=lambda: found.append(line.feed.draw_many(1)))
    waiting.start()
    getattr(line, which).close()
    waiting.join(60)
    assert found == [[]]
    assert line.feed.stopped


def test_files_that_are_given_back_come_first() -> None:
    line = Line(10, [True])
    drawn = line.feed.draw_many(4)
    line.feed.give_back(drawn[1:])
    assert line.feed.drawn == 1
    line.put(drawn[0])
    again = line.feed.draw_many(9)
    assert [source.relative for source in again] == ["1", "2", "3", *map(str, range(4, 10))]
    assert line.feed.draw_many(1) == []
    line.feed.give_back(again)
    for source in line.feed.draw_many(9):
        line.put(source)
    assert line.done == list(range(10))


def test_how_many_are_left() -> None:
    line = Line(10, [True, False])
    assert line.feed.holds(10)
    assert not line.feed.holds(11)
    assert len(line.feed.draw_many(99)) == 5
    asked: list[int] = []
    slots = Line(3, [True]).slots()
    feed = OrderedFeed(slots, InOrder(1), Feed(()), lambda n: not asked.append(n))
    assert feed.holds(7)
    assert asked == [7]
    assert len(list(slots)) == 2, "members are not looked ahead for: each has its bytes with it"
    assert not OrderedFeed((), InOrder(1), Feed(()), lambda n: True).holds(1)


def test_nobody_waits_for_a_place_that_takes_long() -> None:
    """While an archive is uploaded, its place's turn, others go on."""
    order, uploaded, done = InOrder(4), threading.Event(), []
    began = threading.Event()

    def upload(result: FileResult | None, line: bytes | None) -> None:
        began.set()
        assert uploaded.wait(60)
        done.append("upload")

    slots = [Slot(upload)]
    slots += [Slot(lambda r, _: done.append(r.source), Source("", str(i))) for i in range(3)]
    feed = OrderedFeed(iter(slots), order, Feed(()))
    thread = threading.Thread(target=lambda: drawn.extend(feed.draw_many(1)))
    drawn: list[Source] = []
    thread.start()
    assert began.wait(60)
    drawn += feed.draw_many(9)
    for source in drawn:
        order.put(FileResult(source=source.relative, status="read"))
    assert done == []
    uploaded.set()
    thread.join(60)
    for source in drawn[2:]:
        order.put(FileResult(source=source.relative, status="read"))
    assert done == ["upload", "0", "1", "2"]


def test_a_result_that_waits_holds_no_mask() -> None:
    order = InOrder(1)
    slots = [Slot(lambda *_: None, Source("", str(i), content=b"x")) for i in range(2)]
    for slot in slots:
        order.expect(slot)
    order.put(FileResult(source="1", status="read"))
    assert slots[0].source is not None
    assert slots[1].source is None
