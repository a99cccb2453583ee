"""`--device auto` where there is a device: the first files tell who is faster."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from gpuseg.batched import BatchedFlow
from gpuseg.discover import Source
from gpuseg.kernels.device import Device
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import Add, ProcessFlow
from gpuseg.report import FileResult

CPU_SECONDS = 0.3
"""Time that one thread converts by the CPU alone."""

WARM_UP_SECONDS, DEVICE_SECONDS = 0.5, 1.0
"""Time that a device converts before it is measured (memory, first batches), and while it is."""


class _Until(Feed[Source]):
    """A feed that ends at a point in time, while the one behind it goes on for others."""

    def __init__(self, feed: Feed[Source], end: float) -> None:
        super().__init__(())
        self._feed, self._end = feed, end

    def draw(self) -> Source | None:
        """The next item, None when the time has come or there are no more."""
        return None if monotonic() >= self._end else self._feed.draw()


class MeasuredFlow:
    """Converts some files by the CPU and some by a device, and the rest by the faster of them.

    The CPU is measured on one thread and taken to be as many times as fast as there are
    workers, which is the best it can be: a device has to beat that. Nothing is done twice.

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
        self._add_row, self._log, self._tell = add, log, tell
        self._pixels = 0
        self._remarks: list[str] = []

    @property
    def remark(self) -> str:
        """What the flows had to say."""
        return "; ".join(filter(None, self._remarks))

    def work(self) -> None:
        """Convert everything, on this thread and those it starts. Raises DeviceError."""
        self._rate(self._by_one_thread, 0.0)  # one file, with which kernels are loaded
        alone = self._rate(self._by_one_thread, CPU_SECONDS)
        self._rate(self._by_device, WARM_UP_SECONDS)
        device = self._rate(self._by_device, DEVICE_SECONDS)
        if self._feed.closed:
            self._tell(f"auto: too few files to tell if {self._device.name} or the CPU is faster")
            return
        workers = self._job.options.worker_count
        cpu = alone * workers
        reason = (
            f"{self._device.name} converted {device:.3g} Mpx/s, the CPU could {cpu:.3g} at best "
            f"({alone:.3g} on one thread, times {workers})"
        )
        flow: BatchedFlow | ProcessFlow
        if device > cpu:
            self._tell(f"cuda: {reason}")
            flow = BatchedFlow(self._feed, self._job, self._add, self._device, self._log)
        else:
            self._tell(f"cpu: {reason}")
            flow = ProcessFlow(self._feed, self._job, self._add)
        self._run(flow)

    def _rate(self, convert: Callable[[float], None], seconds: float) -> float:
        """Mpx/s that `convert` reaches when it draws no file after `seconds`."""
        start, before = monotonic(), self._pixels
        convert(start + seconds)
        return (self._pixels - before) / max(monotonic() - start, 1e-6) / 1e6

    def _by_one_thread(self, end: float) -> None:
        while (source := self._feed.draw()) is not None:
            self._add(convert_source(source, self._job))
            if monotonic() >= end:
                return

    def _by_device(self, end: float) -> None:
        feed = _Until(self._feed, end)
        self._run(BatchedFlow(feed, self._job, self._add, self._device, self._log))

    def _run(self, flow: BatchedFlow | ProcessFlow) -> None:
        run_threads(flow.work, flow.threads, self._feed.close, lambda: None)
        self._remarks.append(flow.remark)

    def _add(self, result: FileResult, line: bytes | None = None) -> None:
        if result.status in ("converted", "planned"):
            self._pixels += result.width * result.height  # from many threads: near enough
        self._add_row(result, line)
