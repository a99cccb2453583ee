"""Which shards of a job are told of: by how many, and which are missing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from gpuseg.merging.parts import Part

SHOWN_SHARDS = 20
"""Shards that a message names."""


def groups(parts: Sequence[Part]) -> list[list[Part]]:
    """The reports, so that no file has rows in two groups; each in the order of the parts.

    A file belongs to shard `hash % N`, so shards of one division share no file. Where a job was
    divided anew, by M, those share none that differ in `hash % gcd(N, M)`.
    """
    step = _step(parts)
    found: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        found[_residue(part, step)].append(part)
    return [found[residue] for residue in sorted(found)]


def missing(parts: Sequence[Part]) -> str:
    """Which shards have no whole report, a phrase; '' if there are none. Rows must be read."""
    step = _step(parts)
    covered = {_residue(group[0], step) for group in groups(parts) if _is_covered(group, step)}
    if len(covered) == step:
        return ""
    count = parts[-1].shard.count  # of several divisions the last
    whole = {p.shard.number for p in parts if p.shard.count == count and p.is_whole}
    begun = {p.shard.number for p in parts if p.shard.count == count} - whole
    begun = {number for number in begun if (number - 1) % step not in covered}
    whole = {number for number in whole if (number - 1) % step not in covered}
    total = count - len(covered) * (count // step) - len(whole)

    def absent() -> Iterator[int]:
        for number in range(1, count + 1):
            if (number - 1) % step not in covered and number not in begun | whole:
                yield number

    told = []
    if total > len(begun):
        told.append(f"no report of {_named(absent(), total - len(begun), count)}")
    if begun:
        told.append(f"no whole report of {_named(iter(sorted(begun)), len(begun), count)}")
    return " and ".join(told)


def _step(parts: Sequence[Part]) -> int:
    return math.gcd(*(part.shard.count for part in parts))


def _residue(part: Part, step: int) -> int:
    return (part.shard.number - 1) % step


def _is_covered(group: Sequence[Part], step: int) -> bool:
    """Whether by one division or another all files of a group have rows."""
    whole: dict[int, set[int]] = defaultdict(set)
    for part in group:
        if part.is_whole:
            whole[part.shard.count].add(part.shard.number)
    return any(len(numbers) == count // step for count, numbers in whole.items())


def _named(numbers: Iterator[int], total: int, count: int) -> str:
    """`shards 3, 4 and 70 others of 100`."""
    if count == 1:
        return "the only shard"
    shown = list(islice(numbers, SHOWN_SHARDS))
    names = ", ".join(f"{number:,}" for number in shown)
    more = f" and {total - len(shown):,} others" if total > len(shown) else ""
    return f"{'shard' if total == 1 else 'shards'} {names}{more} of {count:,}"
