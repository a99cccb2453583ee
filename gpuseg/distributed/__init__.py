"""Clusters of workers: the only home of Dask, an extra; imported on use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gpuseg.errors import UsageError

if TYPE_CHECKING:
    from gpuseg.distributed.cluster import Cluster


@contextmanager
def cluster_of(scheduler: str | None) -> Iterator[Cluster | None]:
    """The cluster that an option names, None for none; ready for shards.

    Somebody else's may have no workers yet; one of our own has all of them. Raises UsageError
    without the extra, and SchedulerError.
    """
    if scheduler is None:
        yield None
        return
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"scheduler {scheduler} needs Dask, which is not installed ({error}); install it with "
            "pip install 'gpuseg[dask]', or leave the scheduler out"
        ) from error
    from gpuseg.distributed.cluster import opened

    with opened(scheduler) as cluster:
        yield cluster
