"""How predictions are saved, in one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from gpuseg.errors import UsageError
from gpuseg.options import IndexOptions, ReadOptions, Shard, usable_cpus

MOST_WORKERS = 4
"""Threads that write by default, if there are so many processors: a model needs some, too."""

_ALL = Shard()


class SaveKeywords(TypedDict, total=False):
    """The fields of `SaveOptions` as keyword arguments."""

    workers: int | None
    queue: int
    overwrite: bool
    ignore_index: int | None
    shard: Shard


@dataclass(frozen=True, kw_only=True)
class SaveOptions:
    """How predictions are saved.

    workers: threads that encode and write; None takes the processors, 4 at most.
    queue: batches that may be unfinished before `save` waits.
    overwrite: replace files that are no predictions that gpuseg saved.
    ignore_index: the index that means "no class"; None takes the palette's own, else 255.
    shard: which part of the predictions these are, where several processes save to one DST.
    """

    workers: int | None = None
    queue: int = 4
    overwrite: bool = False
    ignore_index: int | None = None
    shard: Shard = _ALL

    def __post_init__(self) -> None:
        ReadOptions(workers=self.workers)
        IndexOptions(ignore_index=self.ignore_index)
        if not isinstance(self.queue, int) or isinstance(self.queue, bool) or self.queue < 1:
            raise UsageError(f"queue must be a whole number of batches from 1, got {self.queue!r}")

    @property
    def worker_count(self) -> int:
        """Threads to start."""
        return self.workers or min(MOST_WORKERS, usable_cpus())
