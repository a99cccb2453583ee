"""The files of a comparison: colour masks below SRC, then label maps below DST that have none."""

from __future__ import annotations

import errno
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gpuseg.discover import Source, Walk, is_dir, path_below
from gpuseg.taking import takes, target_name

_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class NoSourceError(Exception):
    """A label map that no colour mask maps to."""


@dataclass(slots=True)
class Pairs(Walk):
    """A Walk over SRC, and after it all PNGs of DST that no file of SRC maps to.

    The latter carry a NoSourceError. dst: the folder of targets; other files in it, and hidden
    ones, are left alone. A source that `pattern` leaves out is a source yet: its target is not
    said to come from nowhere.

    Folders are held against each other one by one, by 64-bit hashes of names: 8 bytes for each
    file of the largest. Of a million label maps in one folder that come from nowhere, one is
    overlooked in 18 million runs.
    """

    dst: str = ""

    def __iter__(self) -> Iterator[Source]:
        """Every mask, then every label map without one."""
        yield from Walk.__iter__(self)
        yield from _Extras(self.dst, masks=self)

    def targets(self, folder: str, *, fold: bool = False) -> array[int] | None:
        """Sorted hashes of the target names of a folder below SRC, which need not exist.

        None where nobody can tell, as the folder cannot be read: the walk over SRC tells that.
        """
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                names = (
                    target_name(entry.name)
                    for entry in entries
                    if (takes(entry.name, self.pattern) or takes(entry.name, None))
                    and not is_dir(entry)
                )
                return _sorted(name.casefold() if fold else name for name in names)
        except OSError as error:
            return _sorted(()) if error.errno in _NO_FOLDER else None


@dataclass(slots=True, kw_only=True)
class _Extras(Walk):
    """The label maps below DST, the root, that no mask maps to. masks: those there are."""

    masks: Pairs

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        """Those of one folder; names of its sub-folders are appended to `below`."""
        known = self.masks.targets(relative)
        if known is None:
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if is_dir(entry):
                    below.append(name)
                    continue
                if not name.lower().endswith(".png") or _holds(known, name):
                    continue
                if not self._is_under_other_case(entry.path, relative, name):
                    where = path_below(relative, name)
                    yield Source(entry.path, where, error=NoSourceError())

    def _is_under_other_case(self, path: str, folder: str, name: str) -> bool:
        """Whether DST takes a.png and A.png for one file, and SRC holds one of that name."""
        other = os.path.join(os.path.dirname(path), name.swapcase())
        try:
            if name.swapcase() == name or not os.path.samefile(path, other):
                return False
        except OSError:
            return False
        known = self.masks.targets(folder, fold=True)
        return known is None or _holds(known, name.casefold())


def _takes(name: str, pattern: str | None) -> bool:
    """Whether a file is a mask, of those that are compared or of another kind."""
    return takes(name, pattern) or takes(name, None)


def _sorted(names: Iterator[str] | tuple[()]) -> array[int]:
    """Sorted hashes of names."""
    hashes = np.array(array("q", map(hash, names)), np.int64)
    hashes.sort()
    return array("q", hashes.tobytes())


def _holds(hashes: array[int], name: str) -> bool:
    wanted = hash(name)
    at = bisect_left(hashes, wanted)
    return at < len(hashes) and hashes[at] == wanted
