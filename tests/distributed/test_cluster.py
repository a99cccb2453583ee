"""What a cluster says of shards, without one."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest

from gpuseg.parcels import Outcome

pytest.importorskip("distributed")

from distributed import KilledWorker

from gpuseg.distributed.cluster import Cluster, Finished


class Future:
    """A future whose worker has left: its status is no more that of its end."""

    status = "lost"

    def release(self) -> None:
        pass


@pytest.fixture
def told() -> object:
    """What a cluster makes of the end of a shard."""
    future = Future()
    client = SimpleNamespace(loop=None, status="running", scheduler=None)
    cluster = Cluster.__new__(Cluster)
    cluster._client, cluster.name, cluster._futures = client, "played", {future: 7}
    cluster._check = lambda: None
    return lambda result: cluster._told(future, result)


def test_a_result_counts_though_its_worker_has_left(told: object) -> None:
    found = told(pickle.dumps(Outcome("w1", 1.5, done=3)))
    assert isinstance(found, Finished)
    assert (found.number, found.killed, found.error) == (7, False, None)
    assert found.outcome is not None
    assert (found.outcome.worker, found.outcome.done) == ("w1", 3)


def test_deaths_and_errors_are_none(told: object) -> None:
    error = OSError("gone")
    assert told((OSError, error, None)) == Finished(7, error=error)


def test_a_worker_that_died_too_often(told: object) -> None:
    assert told((KilledWorker, KilledWorker("t", None, 3), None)) == Finished(7, killed=True)
