"""`--device auto` where there is a device: the first files tell who is faster."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic

from gpuseg.batched import BatchedFlow, told
from gpuseg.discover import Source
from gpuseg.errors import DeviceError
from gpuseg.kernels.device import Device
from gpuseg.pipeline import Conversion, begin, convert_source
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import Add, ProcessFlow
from gpuseg.results import FileResult

CPU_SECONDS = 0.3
"""Time that one thread converts by the CPU alone."""

WARM_UP_SECONDS, DEVICE_SECONDS = 0.5, 1.0
"""Time that a device converts before it is measured (memory, first batches), and while it is."""


class _InHand(Feed[Source]):
    """A share of a feed that knows which of its files have no row yet."""

    def __init__(self, feed: Feed[Source], add: Add) -> None:
        super().__init__(())
        self._feed, self._add = feed, add
        self._noting = threading.Lock()
        self._without_row: dict[str, Source] = {}

    @property
    def left(self) -> list[Source]:
        """Files that were drawn and have no row; complete once nobody draws."""
        return list(self._without_row.values())

    def draw_many(self, count: int) -> list[Source]:
        """The next files, none when there are no more."""
        sources = [] if self.closed else self._feed.draw_many(count)
        with self._noting:
            self._without_row.update((source.relative, source) for source in sources)
        return sources

    def add(self, result: FileResult, line: bytes | None = None) -> None:
        """Take the row of a file."""
        with self._noting:
            self._without_row.pop(result.source, None)
        self._add(result, line)


class _Phase(_InHand):
    """Files that are to be converted, for some time from the first of them on.

    What is up to date already gets its row here, and does not count.
    """

    def __init__(self, feed: Feed[Source], add: Add, job: Job, seconds: float) -> None:
        super().__init__(feed, add)
        self._job, self._seconds = job, seconds
        self.began: float | None = None
        self.pixels = 0

    def draw_many(self, count: int) -> list[Source]:
        """The next file, none when the time is over or there are no more."""
        while self.began is None or monotonic() < self.began + self._seconds:
            sources = super().draw_many(1)
            row = begin(sources[0], self._job.targets) if sources else None
            if not isinstance(row, FileResult):
                if self.began is None and sources:
                    self.began = monotonic()
                return sources
            self.add(row)
        return []

    def add(self, result: FileResult, line: bytes | None = None) -> None:
        """Take the row of a file."""
        if result.status in ("converted", "planned"):
            with self._noting:
                self.pixels += result.width * result.height
        super().add(result, line)

    @property
    def rate(self) -> float:
        """Mpx/s that were converted up to now."""
        return 0 if self.began is None else self.pixels / max(monotonic() - self.began, 1e-6) / 1e6


class MeasuredFlow:
    """Converts some files by the CPU and some by a device, and the rest by the faster of them.

    The CPU is measured on one thread and taken to be as many times as fast as there are
    workers, which is the best it can be: a device has to beat that. Nothing is done twice.
    A device that fails leaves the rest to the CPU, for nobody has asked for it by name.

    tell: called with the choice and its reason.
    """

    threads = 1

    def __init__(
        self,
        feed: Feed[Source],
        job: Job,
        add: Add,
        device: Device,
        log: Callable[[str], object],
        tell: Callable[[str], object],
    ) -> None:
        self._feed, self._job, self._device = feed, job, device
        self._add, self._log, self._tell = add, log, tell
        self._by_cpu: Counter[str] = Counter()
        self._of_processes = ""

    @property
    def remark(self) -> str:
        """What the flows had to say."""
        return "; ".join(filter(None, (told(self._by_cpu), self._of_processes)))

    def work(self) -> None:
        """Convert everything, on this thread and those it starts."""
        self._pass_over()
        self._by_one_thread(0.0)  # one file, with which kernels are loaded
        alone = self._by_one_thread(CPU_SECONDS)
        share: _InHand = self._phase(WARM_UP_SECONDS)
        try:
            self._by_device(share)
            share = phase = self._phase(DEVICE_SECONDS)
            self._by_device(share)
            if self._feed.closed:
                self._tell(
                    "auto: the run was over before its first files told if "
                    f"{self._device.name} or the CPU is faster"
                )
                return
            if self._device_is_faster(phase.rate, alone):
                share = _InHand(self._feed, self._add)
                self._by_device(share)
                return
        except DeviceError as error:
            cause = error.__cause__ or error
            self._tell(f"cpu: {self._device.name} failed ({type(cause).__name__}: {cause})")
        self._feed.give_back(share.left)
        flow = ProcessFlow(self._feed, Conversion(self._job), self._add)
        run_threads(flow.work, flow.threads, self._feed.close, lambda: None)
        self._of_processes = flow.remark

    def _pass_over(self) -> None:
        """Give files that are up to date their rows, by all workers, until some are not."""
        found: list[Source] = []

        def work() -> None:
            while not found and (source := self._feed.draw()) is not None:
                row = begin(source, self._job.targets)
                if isinstance(row, FileResult):
                    self._add(row)
                else:
                    found.append(source)

        run_threads(work, self._job.options.worker_count, self._feed.close, lambda: None)
        self._feed.give_back(found)

    def _device_is_faster(self, device: float, alone: float) -> bool:
        """Tell who is; both in Mpx/s, `alone` of one thread of the CPU."""
        workers = self._job.options.worker_count
        cpu = alone * workers
        self._tell(
            f"{'cuda' if device > cpu else 'cpu'}: {self._device.name} converted {device:.3g} "
            f"Mpx/s, the CPU could {cpu:.3g} at best ({alone:.3g} on one thread, times {workers})"
        )
        return device > cpu

    def _phase(self, seconds: float) -> _Phase:
        return _Phase(self._feed, self._add, self._job, seconds)

    def _by_one_thread(self, seconds: float) -> float:
        """Convert by the CPU for some time; Mpx/s."""
        phase = self._phase(seconds)
        while (source := phase.draw()) is not None:
            phase.add(convert_source(source, self._job))
        return phase.rate

    def _by_device(self, share: _InHand) -> None:
        """Convert a share of the files. Raises DeviceError."""
        flow = BatchedFlow(share, self._job, share.add, self._device, self._log)
        try:
            run_threads(flow.work, flow.threads, share.close, lambda: None)
        finally:
            self._by_cpu += flow.by_cpu
