"""How a scheduler is named: workers of our own, or somebody else's cluster."""

from __future__ import annotations

from gpuseg.errors import UsageError


def check_scheduler(scheduler: str) -> None:
    """Refuse what names no scheduler. Raises UsageError."""
    kind, colon, rest = scheduler.partition(":")
    if is_own(scheduler):
        valid = rest.isascii() and rest.isdecimal() and int(rest) > 0
    elif colon and rest.startswith("//"):
        host, _, port = rest[2:].rpartition(":")
        valid = kind in ("tcp", "tls") and bool(host) and port.isascii() and port.isdecimal()
    else:
        valid = scheduler.endswith(".json")
    if not valid:
        raise UsageError(
            "scheduler must be local: and a number of workers (local:4), the address of a Dask "
            f"scheduler (tcp://host:8786), or its scheduler file (….json), got {scheduler!r}"
        )


def is_own(scheduler: str) -> bool:
    """Whether the scheduler is to be started by this process."""
    return scheduler.partition(":")[0] == "local"
