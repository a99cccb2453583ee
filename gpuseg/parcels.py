"""What goes between a run and the workers of a cluster: a parcel there, outcomes back.

Both travel as bytes, so that a scheduler on their way has nothing to unpack.
"""

from __future__ import annotations

import pickle
import platform
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from gpuseg import __version__
from gpuseg.results import Aside
from gpuseg.task import Task
from gpuseg.worker import Done, Opens


def versions() -> tuple[str, str]:
    """Of gpuseg and of Python: what must be the same for a task to be understood."""
    return __version__, ".".join(platform.python_version_tuple()[:2])


def mismatch(theirs: tuple[str, str], ours: tuple[str, str]) -> str:
    """How two `versions` differ, nothing where they do not. ours: of the process that asks."""
    if theirs == ours:
        return ""
    return (
        f"runs gpuseg {theirs[0]} on Python {theirs[1]}, and this run gpuseg {ours[0]} on Python "
        f"{ours[1]}; install the same on all machines"
    )


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is the same for all shards of a run.

    token: of the run. task: its pickle, deflated (lookups are large and mostly one value).
    lines: whether lines of the report are wanted. marker: a file in DST that must be seen.
    opens: how the device is opened, if there is one (`worker.Opens`). at_once: files in hand.
    """

    token: str
    task: bytes
    lines: bool = True
    marker: str | None = None
    opens: Opens | None = None
    at_once: int = 1
    versions: tuple[str, str] = field(default_factory=versions)

    @staticmethod
    def packed(task: Task) -> bytes:
        """The pickle of a task, deflated."""
        return zlib.compress(pickle.dumps(task, pickle.HIGHEST_PROTOCOL), 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a shard.

    done: how many of its files, from the first, have results; less than all after `leave`.
    results: of them. aside: members of archives that have none. worker: who did it, in how many
    seconds.
    problem: why this worker can do no shard of this run at all, if so.
    log: what there is to say in the report besides.
    """

    worker: str
    seconds: float = 0.0
    done: int = 0
    results: Sequence[Done] = ()
    aside: Aside = field(default_factory=Aside)
    problem: str = ""
    log: Sequence[str] = ()

    @staticmethod
    def unpacked(data: bytes) -> Outcome:
        """What `run_shard` has made."""
        outcome: Outcome = pickle.loads(data)  # noqa: S301  # from a worker, by its scheduler
        return outcome
