"""The batched flow for a device: decode | index a batch in one launch | encode, overlapped.

One thread coordinates: it plans a batch from file headers, lets a pool of workers decode the
files straight into their slices of the batch's flat buffer, hands the buffer to the device,
and lets the same pool encode and write what comes back. While the device works on one batch
the next is decoded and the one before is written; more than `IN_FLIGHT` never exist, so memory
is bounded by `batch_pixels` and the largest file, whatever the size of the dump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelBatch, MaskBatch, Shape, pixel_offsets
from gpuseg.codecs import pillow
from gpuseg.discover import Source
from gpuseg.errors import MaskError
from gpuseg.indexing import index_mask, judge
from gpuseg.kernels import cpu
from gpuseg.kernels.backend import Backend
from gpuseg.pipeline import Work, begin, complete, decode, finish
from gpuseg.plan import Job
from gpuseg.pool import Feed
from gpuseg.report import FileResult

IN_FLIGHT = 3
"""Batches at once: one being decoded, one on the device, one being written."""

MAX_FILES = 4096
"""Files of one batch at most, so that tiny masks do not make a batch of endless bookkeeping."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Files that go to the device together, and the futures that still work on them."""

    works: list[Work]
    shapes: list[Shape]
    masks: MaskBatch
    futures: list[Future[bool]] = field(default_factory=list)

    def wait(self) -> list[bool]:
        """Wait for all workers; what they returned, file by file."""
        results = [future.result() for future in self.futures]
        self.futures = []
        return results


class BatchedFlow:
    """Converts what a feed holds by one backend; `work` is the coordinating thread."""

    threads = 1
    remark = ""

    def __init__(
        self, feed: Feed[Source], job: Job, add: Callable[[FileResult], object], backend: Backend
    ) -> None:
        self._feed, self._job, self._add, self._backend = feed, job, add, backend

    def work(self) -> None:
        """Convert everything; raises what the device raises."""
        filling: deque[_Batch] = deque()
        writing: deque[_Batch] = deque()
        with ThreadPoolExecutor(self._job.options.worker_count, "gpuseg") as pool:
            for batch in self._planned(pool):
                filling.append(batch)
                if len(filling) == IN_FLIGHT - 1:
                    self._index(filling.popleft(), writing, pool)
            while filling:
                self._index(filling.popleft(), writing, pool)
            while writing:
                writing.popleft().wait()

    def _planned(self, pool: ThreadPoolExecutor) -> Iterator[_Batch]:
        """Batches whose files are being decoded; masks that need no device go by themselves."""
        works: list[Work] = []
        shapes: list[Shape] = []
        pixels = 0
        alone: deque[Future[None]] = deque()
        while (source := self._feed.draw()) is not None:
            work = begin(source, self._job)
            if isinstance(work, FileResult):
                self._add(work)
                continue
            shape = self._rgb_shape(source)
            if shape is None:  # no RGB pixels: nothing for the device to do
                alone.append(pool.submit(self._convert_alone, work))
                if len(alone) > 2 * self._job.options.worker_count:
                    alone.popleft().result()
                continue
            size = shape[0] * shape[1]
            if works and (
                pixels + size > self._job.options.batch_pixels or len(works) == MAX_FILES
            ):
                yield self._fill(works, shapes, pool)
                works, shapes, pixels = [], [], 0
            works.append(work)
            shapes.append(shape)
            pixels += size
        if works:
            yield self._fill(works, shapes, pool)
        for future in alone:
            future.result()

    def _rgb_shape(self, source: Source) -> Shape | None:
        """Height and width of a file whose header promises RGB pixels we take, else None."""
        try:
            return pillow.read_rgb_shape(source.path, self._job.options.max_pixels)
        except MaskError:
            return None  # converting it alone tells what is wrong with it

    def _fill(self, works: list[Work], shapes: list[Shape], pool: ThreadPoolExecutor) -> _Batch:
        """A batch whose masks are being decoded into one flat buffer."""
        offsets = pixel_offsets(shapes)
        buffer = self._backend.empty_pixels(3 * int(offsets[-1]))
        batch = _Batch(works, shapes, MaskBatch(buffer, tuple(shapes), offsets))
        for i, work in enumerate(works):
            batch.futures.append(pool.submit(self._decode, work, batch.masks.mask(i)))
        return batch

    def _decode(self, work: Work, pixels: NDArray[np.uint8]) -> bool:
        """Decode a file into its slice; False when that already settled what becomes of it."""
        work.resume()
        try:
            mask = decode(work, self._job)
            if mask.colours is None and mask.pixels.shape == pixels.shape:
                if mask.words is None:
                    np.copyto(pixels, mask.pixels)
                else:
                    cpu.pack_words(mask.words.reshape(-1), pixels.reshape(-1))
                work.mask = replace(mask, pixels=pixels, words=None)
                return True
            indexed = index_mask(mask, self._job.lookup, self._job.palette, self._job.options)
            self._add(finish(work, self._job, indexed))
        except Exception as error:  # a file that fails never stops another
            self._add(work.failed(error))
        return False

    def _index(self, batch: _Batch, writing: deque[_Batch], pool: ThreadPoolExecutor) -> None:
        """Index a decoded batch on the device and have its label maps written."""
        usable = batch.wait()
        start = perf_counter()
        labels = self._backend.index_batch(batch.masks, self._job.lookup)
        share = (perf_counter() - start) / len(batch.works)
        for i, work in enumerate(batch.works):
            if usable[i]:
                work.device = self._backend.name
                work.seconds["index"] = work.seconds.get("index", 0.0) + share
                batch.futures.append(pool.submit(self._write, batch, labels, i))
        writing.append(batch)
        if len(writing) == IN_FLIGHT - 1:
            writing.popleft().wait()

    def _write(self, batch: _Batch, labels: LabelBatch, i: int) -> bool:
        """Judge unknown colours, encode and write one label map of a batch."""
        work = batch.works[i]
        work.resume()
        try:
            unknown = int(labels.unknown[i])
            indexed = judge(
                batch.masks.mask(i),
                labels.label_map(i),
                unknown,
                self._job.lookup,
                self._job.palette,
            )
            self._add(finish(work, self._job, indexed))
        except Exception as error:  # a file that fails never stops another
            self._add(work.failed(error))
        return True

    def _convert_alone(self, work: Work) -> None:
        work.resume()
        self._add(complete(work, self._job))
