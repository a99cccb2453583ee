"""The flow of runs between archives: their members, file by file, in order into their targets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from gpuseg.archives.watch import Watch
from gpuseg.bundles.finding import Bundles
from gpuseg.bundles.ordering import InOrder, OrderedFeed, Slot
from gpuseg.bundles.packing import Bundle, Packing
from gpuseg.discover import Source
from gpuseg.errors import ArchiveError
from gpuseg.options import ReadOptions
from gpuseg.pool import Feed
from gpuseg.processes import Add
from gpuseg.results import Aside, FileResult
from gpuseg.targets import Targets
from gpuseg.task import Task

_UNFINISHED = "was not finished, for the run ended early, so nothing was written of it; run again"


class Inner(Protocol):
    """As runs.Flow: threads that empty a feed."""

    @property
    def threads(self) -> int:
        """How many."""

    @property
    def remark(self) -> str:
        """What else there is to know of the run."""

    def work(self) -> None:
        """Go on until there is nothing more."""


class ArchivedFlow:
    """Does the members of bundles that a feed holds by another flow; `work` is one of its threads.

    make: the other flow, of a feed of members and of who takes their results. workers: of it; None
    where it may hold back what it has drawn, as batches do: then what is under way is not limited.
    """

    def __init__(
        self,
        feed: Feed[Source],
        bundles: Bundles,
        targets: Targets,
        add: Add,
        make: Callable[[Feed[Source], Add], Inner],
        workers: int | None,
    ) -> None:
        self._bundles, self._targets, self._add, self._outer = bundles, targets, add, feed
        self._watch = Watch()
        self._order = InOrder(workers)
        self._packings: list[Packing] = []  # the last, and those whose turn has not come
        self._kept = 0
        look = self._holds_more if bundles.from_archives else None
        self._places = self._slots()
        self._feed = OrderedFeed(self._places, self._order, feed, look)
        self._inner = make(self._feed, self._order.put)
        self.threads = self._inner.threads
        self._lock, self._working = threading.Lock(), self.threads

    @property
    def remark(self) -> str:
        """What the other flow had to say, and what passed through."""
        kept = self._kept + sum(packing.kept for packing in self._packings)
        return "; ".join(filter(None, (self._inner.remark, Aside(kept=kept).remark)))

    def work(self) -> None:
        """Go on until there is nothing more; the last thread leaves nothing unfinished behind."""
        try:
            self._inner.work()
        finally:
            with self._lock:
                self._working -= 1
                is_last = not self._working
            if is_last:
                self._close()

    def _close(self) -> None:
        self._places.close()  # and with it the archive that is read, if the run ends early
        unfinished = [packing for packing in self._packings if not packing.is_over]
        for packing in unfinished:
            packing.discard()
            if self._bundles.into_archives:  # the rows of its members say `converted`
                self._add(FileResult.failure(packing.bundle.relative, ArchiveError(_UNFINISHED)))

    def _slots(self) -> Generator[Slot]:
        """The places of all bundles, one after the other."""
        while (bundle := self._outer.draw()) is not None:
            assert isinstance(bundle, Bundle)  # noqa: S101  # for mypy
            self._kept += sum(packing.kept for packing in self._packings if packing.is_over)
            self._packings = [packing for packing in self._packings if not packing.is_over]
            packing, slots = self._bundles.slots(bundle, self._targets, self._add, self._watch)
            self._packings.append(packing)
            yield from slots

    def _holds_more(self, wanted: int) -> bool:
        """Whether so many members seem to be left, as far as what was read tells."""
        left, each = self._watch.left()
        if left >= wanted:
            return True
        return each > 0 and self._outer.holds(int((wanted - left) / each) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """The task of doing bundles one by one, each as a whole: for workers far away.

    task: what is done with their members. Sent by pickle.
    """

    task: Task
    bundles: Bundles
    targets: Targets

    @property
    def options(self) -> ReadOptions:
        """Those of the task."""
        return self.task.options

    def run(self, source: Source) -> FileResult:
        """The last row of a bundle; `run_whole` gives them all."""
        *_, last = self.run_whole(source)
        return last

    def run_whole(self, source: Source, aside: Aside | None = None) -> Iterator[FileResult]:
        """The rows of a bundle: of its members, of itself where there is none or it failed.

        aside: counts the members that have none. With `fail_fast` rows end after the first that
        failed, and an archive has one more.
        """
        aside = Aside() if aside is None else aside
        bundles = self.bundles
        if bundles.from_archives:  # several threads may be at one each; a folder is counted before
            bundles = replace(bundles, left_alone=aside.left_alone)
        assert isinstance(source, Bundle)  # noqa: S101  # for mypy
        rows: list[FileResult] = []
        order = InOrder(None)
        packing, slots = bundles.slots(
            source, self.targets, lambda row, _: rows.append(replace(row, content=None))
        )
        try:
            for slot in slots:
                waits_for = slot.source
                order.expect(slot)
                if waits_for is not None:
                    order.put(self.task.run(waits_for))
                else:
                    order.go_on()
                yield from rows
                is_last = self.options.fail_fast and any(row.is_wrong for row in rows)
                rows.clear()
                if is_last and not packing.is_over:
                    if self.bundles.into_archives:
                        yield FileResult.failure(source.relative, ArchiveError(_UNFINISHED))
                    return
            yield from rows
        finally:  # also where the caller wants no more
            aside.kept += packing.kept
            if not packing.is_over:
                packing.discard()
