"""A cluster of our own: a scheduler in this process, and worker processes on this machine.

They are plain child processes and not Dask's own, which come by multiprocessing and would import
the caller's main module anew: a script without `if __name__ == "__main__"` would start itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from distributed import LocalCluster, SchedulerPlugin, Worker

from gpuseg.child import cause, start
from gpuseg.errors import SchedulerError, WorkerError
from gpuseg.processes import RESTARTS
from gpuseg.shard_worker import make_ready

START_LIMIT = 60.0
"""Seconds that workers may take to be there."""

ALLOWED_DEATHS = 1
"""How often a shard may lose its worker and be tried again (Dask's default is 3)."""

_COMMAND = (
    "import sys; sys.path[:] = sys.argv[3:]; from gpuseg.distributed.own import serve; serve()"
)


class _Seen(SchedulerPlugin):  # type: ignore[misc]  # Dask has no types
    """Notes the names of workers that have come."""

    name = "gpuseg-seen"

    def __init__(self) -> None:
        self.names: set[str] = set()

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """Called by the scheduler, on its own thread."""
        self.names.add(str(scheduler.workers[worker].name))


class Own:
    """Worker processes of this machine, started again when they die."""

    def __init__(self, address: str, seen: _Seen, count: int) -> None:
        self.address, self._seen, self._count = address, seen, count
        self._started = self._stillborn = 0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def wait(self) -> None:
        """Until all are there. Raises SchedulerError."""
        end = monotonic() + START_LIMIT
        while not self._seen.names.issuperset(self._processes) or not self._processes:
            self.tend()
            if monotonic() > end:
                raise SchedulerError(f"worker processes did not start within {START_LIMIT:.0f} s")
            sleep(0.005)

    def tend(self) -> None:
        """Start what is missing. Raises SchedulerError where they die before they are there."""
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[name]
            self._stillborn = 0 if name in self._seen.names else self._stillborn + 1
            if self._stillborn > RESTARTS:
                raise SchedulerError(f"worker processes do not start: they {cause(code)}")
        while len(self._processes) < self._count:
            name = f"local-{self._started}"
            self._started += 1
            self._processes[name] = start(
                _COMMAND, self.address, name, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )

    def end(self) -> None:
        """End all of them, and wait until they have."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()


@contextmanager
def own_cluster(count: int) -> Iterator[Own]:
    """A scheduler in this process, with so many worker processes. Raises SchedulerError."""
    seen = _Seen()
    options = {
        "allowed_failures": ALLOWED_DEATHS,
        "plugins": [seen],
        "dashboard_address": "127.0.0.1:0",  # the usual port may be taken
    }
    with LocalCluster(
        n_workers=0,
        host="127.0.0.1",
        protocol="tcp://",
        dashboard_address=None,
        silence_logs=False,
        scheduler_kwargs=options,
    ) as cluster:
        own = Own(cluster.scheduler_address, seen, count)
        try:
            own.wait()
            yield own
        except WorkerError as error:
            raise SchedulerError(f"a worker process {error}") from error
        finally:
            own.end()


def serve() -> None:
    """Be a worker process of `Own`, until its scheduler is gone."""
    address, name = sys.argv[1:3]
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)  # the parent tells
    make_ready()  # before anybody waits for an answer
    asyncio.run(_serve(address, name))
    os._exit(0)


async def _serve(address: str, name: str) -> None:
    # without a limit on memory: Dask would stop to give work to a worker at 80 % of its share,
    # and has nothing of ours to send to disk; images are bounded by --max-pixels
    async with Worker(
        address, nthreads=1, name=name, memory_limit=0, death_timeout=START_LIMIT
    ) as worker:
        await worker.finished()
