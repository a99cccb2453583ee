"""A cluster as the flow sees it: shards go to its workers, and come back as they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from distributed import Client, KilledWorker, Security, WorkerPlugin, as_completed
from distributed import get_worker as current_worker
from distributed.comm import connect
from distributed.utils import LoopRunner, silence_logging_cmgr, sync

from gpuseg import shard_worker
from gpuseg.distributed.own import own_cluster
from gpuseg.errors import SchedulerError
from gpuseg.parcels import Outcome, Parcel, mismatch, versions
from gpuseg.shard_worker import make_ready

CONNECT_LIMIT = 30.0
"""Seconds that a scheduler, or its file, may take to be there."""

ANSWER_LIMIT = 60.0
"""Seconds that a scheduler may take to answer, or it counts as lost."""

RETRIES = 3
"""How often Dask tries a shard again that raised: nothing of a file's doing does."""

POLL = 0.005
"""Seconds between looks for what is finished."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard that has ended: its number, and what became of it.

    killed: whether its worker died, too often to try again. error: what it raised, if it did.
    """

    number: int
    outcome: Outcome | None = None
    killed: bool = False
    error: BaseException | None = None


class Cluster:
    """Workers behind a scheduler; not safe to be called from several threads.

    name: for people. Its methods raise SchedulerError once the scheduler is lost.
    """

    def __init__(self, client: Client, name: str, tend: Callable[[], object]) -> None:
        self._client, self.name, self._tend = client, name, tend
        self._futures: dict[Any, int] = {}
        self._ended = as_completed(with_results=True, raise_errors=False, loop=client.loop)
        self._parcel: Parcel | None = None

    def hand_out(self, parcel: Parcel) -> None:
        """Give all workers, also those that come later, what is the same for all shards."""
        self._parcel = parcel
        self._ask(self._client.register_plugin, _Delivery(parcel), name=_plugin(parcel))

    def take_back(self) -> None:
        """Have shards in hand end early, and all workers forget the run."""
        if self._parcel is not None:
            parcel, self._parcel = self._parcel, None
            with contextlib.suppress(ValueError):  # it has gone already, when asked again
                self._ask(self._client.unregister_worker_plugin, _plugin(parcel))

    def submit(self, number: int, shard: bytes, resources: dict[str, float] | None) -> None:
        """Have a shard done by some worker."""
        assert self._parcel is not None  # noqa: S101  # for mypy
        token = self._parcel.token
        self._check()
        future = self._client.submit(
            _run_shard,
            token,
            shard,
            key=f"gpuseg-{token}-{number}",
            pure=False,
            retries=RETRIES,
            resources=resources,
        )
        self._futures[future] = number
        self._ended.add(future)

    def finished(self, timeout: float) -> list[Finished]:
        """Shards that have ended since the last time; waits for one, but not for ever."""
        end = monotonic() + timeout
        while not self._ended.has_ready():
            self._check()
            self._tend()
            if monotonic() > end:
                return []
            sleep(POLL)
        return [self._told(*pair) for pair in self._ended.next_batch(block=False)]

    def _told(self, future: Any, result: Any) -> Finished:
        number = self._futures.pop(future)
        future.release()
        # the result tells, not the future's status: that is another once the worker that had the
        # result has left, though it is here
        if isinstance(result, bytes):
            return Finished(number, Outcome.unpacked(result))
        self._check()
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, KilledWorker):
            return Finished(number, killed=True)
        return Finished(number, error=error)

    def threads(self, resources: dict[str, float] | None) -> int:
        """Shards that can be done at once, at the moment, where workers need resources for them.

        0 without workers.
        """
        if resources is None:
            return sum(self._ask(self._client.scheduler.ncores).values())
        workers = self._ask(self._client.scheduler.identity, n_workers=-1)["workers"].values()
        return int(sum(min(w["resources"].get(r, 0) for r in resources) for w in workers))

    def cancel(self) -> None:
        """Drop all shards that have not ended."""
        futures, self._futures = list(self._futures), {}
        self._ended.clear()
        if futures and self._client.status == "running":
            self._ask(self._client.cancel, futures, force=True)

    def make_ready(self) -> None:
        """Have workers load kernels; refuse those that would not understand a task.

        Raises SchedulerError.
        """
        try:
            found = self._ask(self._client.run, make_ready)
        except SchedulerError:
            raise
        except Exception as error:
            raise SchedulerError(
                f"a worker of {self.name} cannot run gpuseg ({error!r}); install gpuseg "
                f"{versions()[0]} on all machines"
            ) from error
        for worker, (theirs, problem) in found.items():
            if wrong := mismatch(theirs, versions()) or problem:
                raise SchedulerError(f"worker {worker} {wrong}")

    def _check(self) -> None:
        if self._client.status != "running":
            raise SchedulerError(
                f"the scheduler {self.name} is lost; files that are finished are kept, so run "
                "again for the rest"
            )

    def _ask(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Ask the scheduler something. Raises SchedulerError where it does not answer.

        What goes to all workers fails when one of them dies meanwhile, and is asked again.
        """
        end = monotonic() + ANSWER_LIMIT
        while True:
            self._check()
            try:
                return self._client.sync(
                    _awaited, function, *arguments, callback_timeout=ANSWER_LIMIT, **options
                )
            except (OSError, TimeoutError) as error:
                self._check()
                self._tend()
                if monotonic() > end:
                    raise SchedulerError(
                        f"the scheduler {self.name} has not answered ({error!r}); files that are "
                        "finished are kept, so run again for the rest"
                    ) from error
            sleep(0.1)


class _Delivery(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Brings a parcel to each worker, also to those that come later."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self.name = _plugin(parcel)

    def setup(self, worker: Any) -> None:
        """Called by a worker when it hears of the run."""
        shard_worker.take(self._parcel)

    def teardown(self, worker: Any) -> None:
        """Called by a worker when the run ends, or the worker does."""
        shard_worker.leave(self._parcel.token)


def _plugin(parcel: Parcel) -> str:
    return f"gpuseg-{parcel.token}"


def _run_shard(token: str, shard: bytes) -> bytes:
    """Run by the workers: `shard_worker.run_shard`, with the name of the worker."""
    worker = current_worker()
    return shard_worker.run_shard(token, shard, str(worker.name))


async def _awaited(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    return await function(*arguments, **options)


@contextmanager
def opened(scheduler: str) -> Iterator[Cluster]:
    """The cluster that `--scheduler` names, ready for shards. Raises SchedulerError.

    Somebody else's may have no workers yet; our own has all of them.
    """
    kind, _, count = scheduler.partition(":")
    with silence_logging_cmgr(logging.CRITICAL + 1), contextlib.ExitStack() as stack:
        tend: Callable[[], object] = lambda: None  # noqa: E731
        address = scheduler
        if kind == "local":
            own = stack.enter_context(own_cluster(int(count)))
            address, tend = own.address, own.tend
        elif scheduler.endswith(".json"):
            address = _address_in(scheduler)
        cluster = Cluster(stack.enter_context(_client(address, scheduler)), scheduler, tend)
        cluster.make_ready()
        yield cluster


@contextmanager
def _client(address: str, name: str) -> Iterator[Client]:
    try:
        _greet(address)
        client = Client(address, timeout=CONNECT_LIMIT, set_as_default=False, name="gpuseg")
    except (OSError, ValueError, TimeoutError) as error:  # ValueError: no such address
        raise SchedulerError(
            f"no scheduler answers at {name} ({error}); start one with `dask scheduler`, or mend "
            "the address"
        ) from error
    try:
        yield client
    finally:
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError, OSError):  # it may be lost
            client.close(timeout=5)


def _greet(address: str) -> None:
    """See that a scheduler answers: Client waits for ever for what takes a connection only.

    Raises OSError, ValueError and TimeoutError.
    """
    runner = LoopRunner(asynchronous=False)
    runner.start()
    try:
        sync(runner.loop, _greeted, address, callback_timeout=1.2 * CONNECT_LIMIT)
    finally:
        runner.stop()


async def _greeted(address: str) -> None:
    how = Security().get_connection_args("client")
    comm = await connect(address, timeout=CONNECT_LIMIT, **how)
    comm.abort()


def _address_in(path: str) -> str:
    """The address in a scheduler file, which a scheduler that has just been started will write."""
    end = monotonic() + CONNECT_LIMIT
    while True:
        try:
            with open(path, encoding="utf-8") as file:
                return str(json.load(file)["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if monotonic() > end:
                raise SchedulerError(
                    f"the scheduler file {path} cannot be read ({error!r}); it is written by "
                    f"`dask scheduler --scheduler-file {path}`"
                ) from error
        sleep(0.1)
