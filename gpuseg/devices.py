"""The flow for several devices: a process for each, as CUDA and Python's lock like it best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gpuseg.child import Worker
from gpuseg.discover import Source
from gpuseg.errors import DeviceError, WorkerError
from gpuseg.pipeline import Conversion
from gpuseg.plan import Job
from gpuseg.pool import Feed
from gpuseg.processes import Add
from gpuseg.worker import Note

FILES_AT_ONCE = 16
"""Files of one message to a process: few, so that no device is left with more than others."""

OPENS = ("gpuseg.kernels.backend", "open_probed")
"""What a process calls with a number to have its device; raises where it cannot be used."""


class DevicesFlow:
    """Converts what a feed holds by several devices; `work` is the thread of one of them.

    A process asks for files when it has memory for them, so the faster device gets more.
    """

    def __init__(
        self,
        feed: Feed[Source],
        job: Job,
        add: Add,
        numbers: tuple[int, ...],
        log: Callable[[str], object],
    ) -> None:
        self._feed, self._add, self._log = feed, add, log
        self._waiting = list(numbers)
        self.threads = len(numbers)
        workers = max(1, job.options.worker_count // len(numbers))
        self._job = replace(job, options=replace(job.options, workers=workers))
        self._remarks: dict[int, str] = {}

    @property
    def remark(self) -> str:
        """What the devices had to say of their parts."""
        return "; ".join(f"cuda:{n}: {text}" for n, text in sorted(self._remarks.items()))

    def work(self) -> None:
        """Have files converted by one device; raises DeviceError. One such call a thread."""
        number = self._waiting.pop()
        try:
            worker = Worker(Conversion(self._job), (*OPENS, number))
        except WorkerError as error:
            raise DeviceError(f"the process of device cuda:{number} {error}") from error
        try:
            self._receive(worker, number)
        except DeviceError:  # the last it says
            raise
        except WorkerError as error:
            raise DeviceError(
                f"the process of device cuda:{number} {error}; label maps that are finished are "
                "kept, so run again for the rest"
            ) from error
        except BaseException:
            worker.kill()  # it would wait for somebody to take its answers
            raise
        finally:
            worker.close()

    def _receive(self, worker: Worker, number: int) -> None:
        """Take what a process has done, and give it more when it asks, until all is done."""
        while (answer := worker.receive()) is not None:
            if not isinstance(answer, Note):
                self._add(*answer)
            elif answer.kind == "more":
                worker.send(self._feed.draw_many(FILES_AT_ONCE) or None)
            elif answer.kind == "failed":
                raise DeviceError(answer.text)
            elif answer.kind == "log":
                self._log(answer.text)
            elif answer.text:
                self._remarks[number] = answer.text
