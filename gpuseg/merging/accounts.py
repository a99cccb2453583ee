"""Who did what, and how long: the runs and the hosts of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuseg.merging.parts import Part
from gpuseg.report_reading import number, text
from gpuseg.results import count

SHOWN_REMARKS = 5
"""Remarks of runs that are repeated, each once."""


def accounts(parts: Sequence[Part]) -> dict[str, Any]:
    """What the summary says of each run and each host. Rows must be read.

    files: those whose rows count, by status of a run, in all of a host. seconds: None where a run
    has no end, and so are not in its host's.
    """
    hosts: dict[str, dict[str, Any]] = {}
    for part in parts:
        host = hosts.setdefault(part.host, {"runs": 0, "files": 0, "seconds": 0.0})
        host["runs"] += 1
        host["files"] += part.files.total()
        host["seconds"] = round(host["seconds"] + (part.seconds or 0.0), 3)
    return {"hosts": hosts, "runs": [_account(part) for part in parts]}


def _account(part: Part) -> dict[str, Any]:
    return {
        "report": part.name,
        "shard": str(part.shard),
        "host": part.host,
        "started": text(part.head, "started"),
        "files": dict(part.files),
        "seconds": part.seconds,
        "exit_code": int(number(part.end, "exit_code")) if part.end is not None else None,
    }


def time_under_way(parts: Sequence[Part]) -> float:
    """Seconds in which at least one run was under way, by the clocks of their machines.

    parts: in the order in which they began.
    """
    total, until = 0.0, float("-inf")
    for part in parts:
        end = part.started + (part.seconds or 0.0)
        total += max(0.0, end - max(part.started, until))
        until = max(until, end)
    return total


def remark(parts: Sequence[Part]) -> str:
    """What else there is to know: what was merged, what did not end, what the runs remarked."""
    hosts = {part.host for part in parts}
    told = [f"merged from {count(len(parts), 'report')} of {count(len(hosts), 'host')}"]
    unended = [part for part in parts if part.end is None]
    if unended:
        told.append(f"{count(len(unended), 'run')} did not end, {unended[0].name} first")
    unread = [part for part in parts if part.unread]
    if unread:
        lines = sum(part.unread for part in unread)
        told.append(f"lines that are no rows: {lines:,}, {unread[0].name} first")
    remarks = dict.fromkeys(text(part.end or {}, "remark") for part in parts)
    remarks.pop("", None)
    told += list(remarks)[:SHOWN_REMARKS]
    if len(remarks) > SHOWN_REMARKS:
        told.append(f"and {len(remarks) - SHOWN_REMARKS:,} other remarks")
    return "; ".join(told)
