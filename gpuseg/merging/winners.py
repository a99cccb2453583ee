"""Which rows count where runs were repeated: one run's for each input."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gpuseg.merging.parts import Part
from gpuseg.report_reading import Row, read_report, status_of

_OTHER, _UNCHANGED, _CONVERTED = range(3)
_CODES = {"unchanged": _UNCHANGED, "converted": _CONVERTED}


def file_rows(part: Part) -> Iterator[Row]:
    """The rows of type `file` of a report that say what became of which file."""
    _, rows = read_report(part.path)
    for row in rows:
        if row is not None and status_of(row) is not None:
            yield row


def winners(parts: Sequence[Part]) -> NDArray[np.bool_]:
    """Which rows of these reports count, bool (rows,), in the order of the reports and rows.

    parts: in the order in which they ran. An input's rows of the last run that has any count,
    with one exception: where that run found the target `unchanged` and an earlier one converted
    it, the earlier row tells how. Inputs are told apart by 128 bits of their names. Takes 50
    bytes a row while they are sorted, and no name is kept.
    """
    keys, codes, runs = _read(parts)
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
    found = np.empty(len(order), np.bool_)
    found[order] = keep
    return found


def _changes(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return np.not_equal(values[1:], values[:-1])


def _read(parts: Iterable[Part]) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int32]]:
    """Of each row the hash of its input (rows, 2), what became of it, and the number of its run."""
    keys, codes, counts = bytearray(), bytearray(), array("q")
    for part in parts:
        before = len(codes)
        for row in file_rows(part):
            name = row["source"].encode("utf-8", "surrogatepass")
            keys += hashlib.blake2b(name, digest_size=16).digest()
            codes.append(_CODES.get(row["status"], _OTHER))
        counts.append(len(codes) - before)
    runs = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return (
        np.frombuffer(keys, np.uint64).reshape(-1, 2),
        np.frombuffer(codes, np.uint8),
        runs,
    )
