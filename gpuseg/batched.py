"""The flow for a device: the host inflates and deflates, the device does all in between.

    workers: read, inflate | launchers: undo filters, index, filter | workers: deflate, write

Workers inflate files into the room that is being filled (`staging`). A full room goes to the
device, as one batch, by a launcher, of which there are several so that copies and kernels of
several batches overlap. Its label maps are written by the workers, before they read anything
more: so memory is bounded by the rooms, whatever the size of the dump.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.codecs.png import NotDirectError
from gpuseg.discover import Source
from gpuseg.halving import index_in_parts
from gpuseg.indexing import FilteredLabels, Indexed
from gpuseg.kernels.device import Device
from gpuseg.mask import Scanlines
from gpuseg.pipeline import Work, begin, complete, finish, read_scanlines
from gpuseg.plan import Job
from gpuseg.pool import Feed
from gpuseg.results import FileResult, count
from gpuseg.staging import ON_DEVICE, Place, Room, Staging, page_locked

LAUNCHERS = ON_DEVICE
"""Threads that wait for the device, a batch each."""

OTHER_KIND = "of a kind that the device does not take"
UNUSUAL = "with unknown colours or damage"
TOO_LARGE = "too large for the device's memory"

Task = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Label:
    """A label map that lies in the lines of a room: the one numbered `i` of its part."""

    place: Place
    lines: LabelLines
    i: int
    share: float  # of its batch, in pixels


class BatchedFlow:
    """Converts what a feed holds by a device; `work` is one of `threads` threads.

    log: told of what happens to batches, for the report.
    """

    def __init__(
        self,
        feed: Feed[Source],
        job: Job,
        add: Callable[[FileResult], object],
        device: Device,
        log: Callable[[str], object],
    ) -> None:
        self._feed, self._job, self._add, self._log = feed, job, add, log
        self._device = device
        self.threads = LAUNCHERS + job.options.worker_count
        self._staging = Staging(device, job.options.batch_pixels)
        lock = threading.RLock()  # guards all that follows, and the staging
        self._changed = threading.Condition(lock)  # for workers
        self._to_launch = threading.Condition(lock)  # for launchers
        self._begun = 0  # threads
        self._ready: deque[Room] = deque()
        self._finished: deque[_Label] = deque()
        self._reading = 0  # workers that may still fill a place
        self._drained = False
        self._failed = False
        self.by_cpu: Counter[str] = Counter()  # files left to it, by reason

    @property
    def remark(self) -> str:
        """How many files were left to the CPU, and why."""
        return told(self.by_cpu)

    def work(self) -> None:
        """Convert until there is nothing more; raises DeviceError. One such call a thread."""
        with self._changed:
            self._begun += 1
            launches = self._begun <= LAUNCHERS
        next_task = self._next_launch if launches else self._next_task
        try:
            while (task := next_task()) is not None:
                task()
        except BaseException:
            with self._change():
                self._failed = True
            raise

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Change what others wait for."""
        with self._changed:
            yield
            self._changed.notify_all()
            if self._failed or self._is_over():
                self._to_launch.notify_all()

    def _next_task(self) -> Task | None:
        """What a worker does next: writing comes first."""
        with self._changed:
            while not self._failed:
                if self._finished:
                    return partial(self._write, self._finished.popleft())
                if not self._drained:
                    self._reading += 1
                    return self._read_one
                if self._is_over():
                    return None
                self._changed.wait()
        return None

    def _next_launch(self) -> Task | None:
        """What a launcher does next."""
        with self._changed:
            while not self._failed:
                if self._ready:
                    return partial(self._launch, self._ready.popleft())
                if self._is_over():
                    return None
                self._to_launch.wait()
        return None

    def _is_over(self) -> bool:
        return self._drained and not self._reading and not self._staging.busy

    def _read_one(self) -> None:
        """Bring one file into a room, or convert it here."""
        try:
            source = self._feed.draw()
            if source is None:
                self._drained = True
                return
            work = begin(source, self._job.targets)
            if isinstance(work, FileResult):
                self._add(work)
            else:
                self._fill(work)
        finally:
            with self._change():
                self._reading -= 1
                if self._drained and not self._reading:
                    self._dispatch(self._staging.close())

    def _fill(self, work: Work) -> None:
        """Inflate a file into its place."""
        mask = self._read(work)
        if mask is None:
            return
        place = self._reserve(work, mask)
        if place is None:  # the run has failed
            return
        try:
            work.resume()
            with self._device.span("inflate"):
                place.fill()
            work.lap("inflate")
        except NotDirectError:  # some show only now
            self._convert_alone(work, OTHER_KIND)
        except Exception as error:  # a file that fails never stops another
            self._add(work.failed(error))
        finally:
            with self._change():
                place.room.pending -= 1
                self._dispatch(place.room)

    def _read(self, work: Work) -> Scanlines | None:
        """What is to be inflated; None where that settled what becomes of the file."""
        try:
            mask = read_scanlines(work, self._job)
            if mask.bits == 8:
                return mask
            self._convert_alone(work, OTHER_KIND)
        except NotDirectError:
            self._convert_alone(work, OTHER_KIND)
        except Exception as error:  # a file that fails never stops another
            self._add(work.failed(error))
        return None

    def _reserve(self, work: Work, mask: Scanlines) -> Place | None:
        """A place for a file; label maps are written until there is one. None after a failure."""
        while True:
            with self._changed:
                if self._failed:
                    return None
                place, closed = self._staging.reserve(work, mask)
                self._dispatch(closed)
                if place is not None:
                    return place
                if not self._finished:
                    self._changed.wait()
                    continue
                label = self._finished.popleft()
            self._write(label)

    def _dispatch(self, room: Room | None) -> None:
        """Hand a room over if it is ready."""
        if room is not None and room.is_ready:
            self._ready.append(room)
            self._to_launch.notify()

    def _launch(self, room: Room) -> None:
        """Have a batch indexed, and its label maps written."""
        places, batch = room.batch(self._job.lookup)
        room.unwritten = 1 + len(places)  # one is this launch
        if places:
            size = int(batch.label_starts(self._job.lookup.depth)[-1])
            if room.lines.size < size:
                room.lines = page_locked(self._device, size + size // 8)
            self._index(room, places, batch)
        self._written(room)

    def _index(self, room: Room, places: list[Place], batch: ScanlineBatch) -> None:
        sizes = batch.widths * batch.heights
        lookup = self._job.lookup
        parts = index_in_parts(self._device, batch, lookup, room.lines, self._refused)
        for start, end, lines in parts:
            if lines is None:
                warning = f"the CPU indexed it: {TOO_LARGE}"
                self._convert_alone(places[start].work, TOO_LARGE, warning)
                self._written(room)
                continue
            shares = sizes[start:end] / sizes[start:end].sum()
            labels = [
                _Label(place, lines, i, shares[i]) for i, place in enumerate(places[start:end])
            ]
            with self._change():
                self._finished.extend(labels)

    def _refused(self, message: str, pixels: int) -> None:
        """Note that the device had no memory for so many pixels at once."""
        self._log(message)
        with self._changed:
            self._staging.limit_to(pixels // 2)

    def _write(self, label: _Label) -> None:
        """Encode and write a label map; the CPU looks at what is unusual."""
        place, lines, i = label.place, label.lines, label.i
        work, mask = place.work, place.mask
        for stage, seconds in lines.seconds.items():
            work.seconds[stage] = seconds * label.share
        if lines.unknown[i] or lines.flags[i]:
            self._convert_alone(work, UNUSUAL)
        else:
            work.device = self._device.name
            work.resume()
            try:
                shape = mask.height, mask.width
                if self._job.lookup.depth == 8:
                    indexed = Indexed(FilteredLabels(lines.scanlines(i, shape)))
                else:
                    indexed = Indexed(np.ascontiguousarray(lines.labels(i, shape)))
                with self._device.span("deflate and write"):
                    row = finish(work, self._job, indexed)
            except Exception as error:  # a file that fails never stops another
                row = work.failed(error)
            self._add(row)
        self._written(place.room)

    def _written(self, room: Room) -> None:
        with self._change():
            room.unwritten -= 1
            if not room.unwritten:
                self._staging.release(room)

    def _convert_alone(self, work: Work, reason: str, *warnings: str) -> None:
        """Convert a file on this thread, by the CPU's kernels."""
        work.resume()
        row = complete(work, self._job)
        row = replace(row, warnings=(*row.warnings, *warnings))
        with self._changed:
            self.by_cpu[reason] += 1
        self._add(row)


def told(by_cpu: Counter[str]) -> str:
    """A remark on files that were left to the CPU, nothing if there are none."""
    if not by_cpu:
        return ""
    kinds = ", ".join(f"{n:,} {reason}" for reason, n in by_cpu.items())
    return f"{count(by_cpu.total(), 'file')} left to the CPU ({kinds})"
