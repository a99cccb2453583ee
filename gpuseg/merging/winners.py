"""Which rows count where runs were repeated: one run's for each input."""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuseg.merging.parts import Part
from gpuseg.names import ARCHIVES, kind_of
from gpuseg.report_reading import read_report, status_of, text

_OTHER, _UNCHANGED, _CONVERTED = range(3)
_COVERED, _FAILED = 1, 2
"""Rows of archives: `unchanged` with rows of its members in an earlier run; failed."""

_MEMBER = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, ARCHIVES))}))/")

_CODES = {"unchanged": _UNCHANGED, "converted": _CONVERTED}


def winners(parts: Sequence[Part]) -> NDArray[np.bool_]:
    """Which rows of these reports count, bool (rows,), in the order of the reports and rows.

    parts: in the order in which they ran. An input's rows of the last run that has any count,
    with one exception: where that run found the target `unchanged` and an earlier one converted
    it, the earlier row tells how. An archive has a row only where it failed or is `unchanged`:
    the first is over once a later run has come to its end, the second says nothing where the rows
    of its members are there. Inputs are told apart by 128 bits of their names. Takes 50
    bytes a row while they are sorted, and no name is kept.
    """
    found = _read(parts)
    keys, codes, runs = found.keys, found.codes, found.runs
    if not len(codes):
        return np.zeros(0, np.bool_)
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: equal keys in the order of the rows
    new = np.ones(len(order), np.bool_)
    new[1:] = _changes(keys[order, 0]) | _changes(keys[order, 1])
    del keys
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order)) - 1
    sizes = last - first + 1
    codes, runs = codes[order], runs[order]
    keep = runs == np.repeat(runs[last], sizes)
    converted = np.where(codes == _CONVERTED, np.arange(len(order)), -1)
    converted = np.maximum.reduceat(converted, first)
    earlier = (codes[last] == _UNCHANGED) & (converted >= 0)
    keep[np.repeat(earlier, sizes)] = False
    keep[converted[earlier]] = True
    counts = np.empty(len(order), np.bool_)
    counts[order] = keep
    return counts & ~found.over


def _changes(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return np.not_equal(values[1:], values[:-1])


class _Rows(NamedTuple):
    """Of each row the hash of its input, uint64 (rows, 2), what became of it, the number of its
    run, and whether it is of an archive and over.
    """

    keys: NDArray[np.uint64]
    codes: NDArray[np.uint8]
    runs: NDArray[np.int32]
    over: NDArray[np.bool_]


def _read(parts: Iterable[Part]) -> _Rows:
    keys, codes, over, counts = bytearray(), bytearray(), bytearray(), array("q")
    converted: set[str] = set()  # archives of which there are members
    last = -1  # the last run that came to its end
    for number, part in enumerate(parts):
        before, earlier = len(codes), frozenset(converted)
        _, rows = read_report(part.path)
        for row in rows:
            status = status_of(row)
            if row is None or status is None:
                if row is not None and row.get("type") == "summary" and not text(row, "stopped"):
                    last = number
                continue
            source: str = row["source"]
            name = source.encode("utf-8", "surrogatepass")
            keys += hashlib.blake2b(name, digest_size=16).digest()
            codes.append(_CODES.get(status, _OTHER))
            is_covered = status == "unchanged" and source in earlier
            over.append(_COVERED if is_covered else _FAILED * (text(row, "error") == "archive"))
            if status == "converted":
                converted.add(_archive_of(source, part))
        counts.append(len(codes) - before)
    runs = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    kinds = np.frombuffer(over, np.uint8)
    return _Rows(
        np.frombuffer(keys, np.uint64).reshape(-1, 2),
        np.frombuffer(codes, np.uint8),
        runs,
        (kinds == _COVERED) | ((kinds == _FAILED) & (runs < last)),
    )


def _archive_of(source: str, part: Part) -> str:
    """The archive that a member is of, by the name of its row; "" for a file."""
    found = _MEMBER.match(source)
    if found is not None:
        return found[1]
    src = text(part.head, "src")
    return os.path.basename(src) if kind_of(src) is not None else ""
