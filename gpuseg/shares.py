"""Which worker of a cluster did how much."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpuseg.text import count

SHOWN = 4
"""Workers that people are told of; the report has more of them."""

MOST = 500
"""Workers that are told apart; the rest are `others`, for each new name takes memory."""


@dataclass(slots=True)
class Share:
    """What one worker has done: files, shards, and seconds at work."""

    files: int = 0
    shards: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Shares:
    """What each worker has done, by its name."""

    by_name: dict[str, Share] = field(default_factory=dict)

    def add(self, worker: str, files: int, seconds: float) -> None:
        """Count a shard."""
        if worker not in self.by_name and len(self.by_name) >= MOST:
            worker = "others"
        share = self.by_name.setdefault(worker, Share())
        share.files += files
        share.shards += 1
        share.seconds += seconds

    def __str__(self) -> str:
        """Those who did most, for people."""
        most = sorted(self.by_name.items(), key=lambda item: -item[1].files)[:SHOWN]
        told = [
            f"{name} {count(share.files, 'file')} and {count(share.shards, 'shard')} in "
            f"{share.seconds:.1f} s"
            for name, share in most
        ]
        hidden = len(self.by_name) - len(most)
        told += [f"{hidden} more"] if hidden else []
        return f"{count(len(self.by_name), 'worker')} ({', '.join(told)})"

    def as_dict(self) -> dict[str, dict[str, float]]:
        """For JSON."""
        return {
            name: {"files": s.files, "shards": s.shards, "seconds": round(s.seconds, 3)}
            for name, s in self.by_name.items()
        }
