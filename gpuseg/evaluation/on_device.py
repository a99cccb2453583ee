"""The flow of an evaluation by a device: threads read pairs, and the device counts their cells.

Each thread fills a batch of its own, has it counted, and waits; the batches of several threads
overlap. A matrix of a batch has the indices that are listed, and one row and column more: a pair
that hits those is counted by the CPU, too, which tells which index it was. So does it with labels
of 16 bits, and with what the device has no memory for; rows are the same in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gpuseg.discover import Source
from gpuseg.errors import DeviceError
from gpuseg.evaluation.cells import Cells
from gpuseg.evaluation.evaluating import Sides, alone_row, pair_row
from gpuseg.evaluation.options import EvaluateOptions
from gpuseg.evaluation.reading import Image
from gpuseg.kernels.device import Device
from gpuseg.pool import Feed
from gpuseg.results import FileResult, count
from gpuseg.staging import FIRST_PIXELS, MOST_FILES, page_locked

MOST_BYTES = 1 << 26
"""Bytes of the matrices of a batch: pairs may be tiny, their matrices are not."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair whose labels lie in a batch. read: seconds that took."""

    source: Source
    truth: Image
    prediction: Image
    read: float

    @property
    def pixels(self) -> int:
        return self.truth.labels.size


class _Batch:
    """Pairs of one thread, the labels of each side one after the other in page-locked memory."""

    def __init__(self) -> None:
        self.truth = self.prediction = np.empty(0, np.uint8)
        self.pairs: list[_Pair] = []
        self.used = 0

    def put(self, source: Source, truth: Image, prediction: Image, read: float) -> None:
        """Copy a pair, for which there is room."""
        end, shape = self.used + truth.labels.size, truth.labels.shape
        kept = []
        for memory, image in ((self.truth, truth), (self.prediction, prediction)):
            labels = memory[self.used : end].reshape(shape)
            labels[:] = image.labels
            kept.append(replace(image, labels=labels))
        self.pairs.append(_Pair(source, kept[0], kept[1], read))
        self.used = end


class DeviceFlow:
    """Evaluates what a feed holds by a device; `work` is one of `threads` threads.

    log: told of what happens to batches, for the report.
    """

    def __init__(
        self,
        feed: Feed[Source],
        sides: Sides,
        options: EvaluateOptions,
        add: Callable[[FileResult], object],
        device: Device,
        log: Callable[[str], object],
    ) -> None:
        self._feed, self._sides, self._add = feed, sides, add
        self._device, self._log = device, log
        self.threads = options.worker_count
        self.remark = ""
        self._limit = max(1, options.batch_pixels // self.threads)
        known = range(256) if sides.classes is None else {*sides.classes, sides.ignore_index}
        self._indices = np.array(sorted(index for index in known if index < 256), np.int64)
        self._bins = len(self._indices) + 1
        self._slots = np.full(256, self._bins - 1, np.uint16)
        self._slots[self._indices] = np.arange(len(self._indices))
        self._most = min(MOST_FILES, MOST_BYTES // (8 * self._bins * self._bins))

    def work(self) -> None:
        """Evaluate until there is nothing more; raises DeviceError. One such call a thread."""
        batch = _Batch()
        while (source := self._feed.draw()) is not None:
            row = alone_row(source)
            if row is None and source.error is not None:
                row = FileResult.failure(source.relative, source.error)
            if row is None:
                self._take(source, batch)
            else:
                self._add(row)
        self._flush(batch)

    def _take(self, source: Source, batch: _Batch) -> None:
        """Read a pair into a batch; a fault is its row."""
        start = perf_counter()
        try:
            truth, prediction = self._sides.read(source)
        except Exception as error:  # a file that fails never stops another
            self._add(FileResult.failure(source.relative, error))
            return
        read = perf_counter() - start
        if truth.labels.dtype.itemsize > 1 or prediction.labels.dtype.itemsize > 1:
            self._count_alone(_Pair(source, truth, prediction, read))
            return
        self._make_room(batch, truth.labels.size)
        batch.put(source, truth, prediction, read)

    def _make_room(self, batch: _Batch, pixels: int) -> None:
        """Room for so many pixels more. Each batch may be twice as large as the one before."""
        room = min(batch.truth.size, self._limit)
        if batch.used + pixels <= room and len(batch.pairs) < self._most:
            return
        self._flush(batch)
        twice = max(2 * batch.truth.size, FIRST_PIXELS)
        size = max(pixels, min(twice, self._limit))
        if batch.truth.size < size:
            batch.truth = batch.prediction = np.empty(0, np.uint8)  # before there is more of it
            batch.truth = page_locked(self._device, size)
            batch.prediction = page_locked(self._device, size)

    def _flush(self, batch: _Batch) -> None:
        """Have a batch counted, and empty it."""
        for pairs, matrices, seconds in self._in_parts(batch):
            pixels = sum(pair.pixels for pair in pairs)
            for pair, matrix in zip(pairs, matrices, strict=True):
                if matrix[-1].any() or matrix[:, -1].any():
                    self._count_alone(pair)
                else:
                    share = seconds * pair.pixels / max(pixels, 1)
                    self._tell(pair, partial(self._cells, pair, matrix), share)
        batch.pairs, batch.used = [], 0

    def _in_parts(self, batch: _Batch) -> Iterator[tuple[list[_Pair], Counts, float]]:
        """Pairs, their matrices and how long that took; in halves of halves where it must be."""
        offsets = np.cumsum([0] + [pair.pixels for pair in batch.pairs])
        ends, first = [len(batch.pairs)], 0  # the next part's last
        while first < len(batch.pairs):
            last, start = ends[-1], perf_counter()
            pairs, begin, end = batch.pairs[first:last], offsets[first], offsets[last]
            starts = offsets[first : last + 1] - begin
            images = batch.truth[begin:end], batch.prediction[begin:end]
            try:
                counts = self._device.confuse(*images, starts, self._slots, self._bins)
            except MemoryError:
                self._refused(pairs, int(end - begin))
                if len(pairs) > 1:
                    ends.append(first + len(pairs) // 2)
                    continue
                self._count_alone(pairs[0])
            except Exception as error:
                name, kind = self._device.name, type(error).__name__
                raise DeviceError(
                    f"device {name} failed ({kind}: {error}); run again, or with --device cpu"
                ) from error
            else:
                yield pairs, counts, perf_counter() - start
            first = ends.pop()

    def _refused(self, pairs: list[_Pair], pixels: int) -> None:
        """Note that the device had no memory for so many pixels at once."""
        became = " at once: halved" if len(pairs) > 1 else ": left to the CPU"
        told = f"no memory for {count(len(pairs), 'pair')} of {pixels:,} pixels"
        self._log(f"{self._device.name}: {told}{became}")
        self._limit = max(1, min(self._limit, pixels // 2))

    def _cells(self, pair: _Pair, matrix: Counts) -> Cells:
        rows, columns = np.nonzero(matrix)
        cells = self._indices[rows] << 16 | self._indices[columns]
        keys: NDArray[np.uint32] = cells.astype(np.uint32)
        return self._sides.scored(keys, matrix[rows, columns], pair.truth, pair.prediction)

    def _count_alone(self, pair: _Pair) -> None:
        """Count a pair by the CPU."""
        self._tell(pair, partial(self._sides.count, pair.truth, pair.prediction), 0.0)

    def _tell(self, pair: _Pair, cells: Callable[[], Cells], seconds: float) -> None:
        """The row of a pair. seconds: that counting has taken, besides what `cells` takes."""
        start = perf_counter()
        try:
            found = cells()
        except Exception as error:  # a file that fails never stops another
            self._add(FileResult.failure(pair.source.relative, error))
            return
        spent = {"read": pair.read, "count": seconds + perf_counter() - start}
        self._add(pair_row(pair.source, pair.truth, pair.prediction, found, spent))
