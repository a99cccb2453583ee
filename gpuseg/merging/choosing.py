"""Which reports in a folder are taken together: those that tell of no file twice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

from gpuseg.errors import UsageError
from gpuseg.options import Shard
from gpuseg.palettes.of_run import REPORT, read_head
from gpuseg.text import as_argument

Head = Mapping[str, Any]


def reports_in(folder: Path) -> list[Path]:
    """All `gpuseg-report*.jsonl` in a folder, without those that a merged one tells of.

    Raises UsageError where several tell of the same files.
    """
    paths = sorted(folder.glob(f"{REPORT}*.jsonl"))
    heads = {path: read_head(path) or {} for path in paths}
    merged = {_run(entry) for head in heads.values() for entry in _merged(head)}
    left = {
        path: head
        for path, head in heads.items()
        if (path.name, str(head.get("started"))) not in merged or _merged(head)
    }
    jobs: dict[str, list[tuple[Path, Shard]]] = defaultdict(list)
    for path, head in left.items():
        with suppress(UsageError):  # it tells no shard: what is no report of ours is told later
            shard = Shard() if _merged(head) else Shard.parse(str(head.get("shard")))
            jobs[repr([head.get(key) for key in ("verb", "src", "dst")])].append((path, shard))
    for reports in jobs.values():
        _check_disjoint(reports)
    return list(left)


def _merged(head: Head) -> list[Any]:
    merged = head.get("merged")
    return merged if isinstance(merged, list) else []


def _run(entry: object) -> tuple[Any, Any]:
    """Name and begin of a run that was merged."""
    if not isinstance(entry, dict):
        return None, None
    name, started = entry.get("report"), entry.get("started")
    return (name, started) if isinstance(name, str) and isinstance(started, str) else (None, None)


def _check_disjoint(reports: Sequence[tuple[Path, Shard]]) -> None:
    """Raise UsageError where two shards share files: gcd(N, M) tells whether K/N and L/M do."""
    divisions: dict[int, dict[int, Path]] = defaultdict(dict)
    for path, shard in reports:
        known = divisions[shard.count].setdefault(shard.number - 1, path)
        if known != path:
            raise _twice(known, path)
    for one, other in combinations(divisions, 2):
        step = math.gcd(one, other)
        seen = {number % step: path for number, path in divisions[one].items()}
        for number, path in divisions[other].items():
            if number % step in seen:
                raise _twice(seen[number % step], path)


def _twice(one: Path, other: Path) -> UsageError:
    names = f"{as_argument(str(one))} {as_argument(str(other))}"
    return UsageError(
        f"the reports {one} and {other} tell of the same files; merge all reports of the runs "
        f"(gpuseg merge-reports {names} … --out FILE), and name the one to take with --run"
    )
