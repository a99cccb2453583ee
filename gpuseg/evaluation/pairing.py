"""The pairs of an evaluation: each truth with the prediction of its name, and what is alone."""

from __future__ import annotations

import errno
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gpuseg.discover import Listed, Source, Walk, is_dir, path_below
from gpuseg.errors import CollisionError, UnreadableMaskError
from gpuseg.taking import key_of, takes

_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class NoPredictionError(Exception):
    """A truth that has no prediction."""


class NoTruthError(Exception):
    """A prediction that has no truth."""


@dataclass(frozen=True, slots=True)
class Names:
    """The files of a folder by their keys, 9 bytes each: a file's name without ending and suffix.

    hashes: int64 of the keys, ascending. kinds: which of the suffixes each file has.
    """

    hashes: array[int]
    kinds: bytes
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, folder: str, ending: str) -> Names:
        """Those of a folder, which need not exist. Raises OSError where it cannot be read."""
        hashes, kinds, suffixes = array("q"), bytearray(), dict[str, int]()
        for name, key in _keys(folder, ending, None):
            hashes.append(hash(key))
            kinds.append(suffixes.setdefault(os.path.splitext(name)[1], len(suffixes)))
        order = np.argsort(np.array(hashes, np.int64), kind="stable")
        return cls(
            array("q", np.array(hashes, np.int64)[order].tobytes()),
            np.frombuffer(bytes(kinds), np.uint8)[order].tobytes(),
            tuple(suffixes),
        )

    def suffixes_of(self, key: str) -> list[str]:
        """The suffixes of the files that have this key: of none, of one, or of several."""
        wanted, found = hash(key), []
        at = bisect_left(self.hashes, wanted)
        while at < len(self.hashes) and self.hashes[at] == wanted:
            found.append(self.suffixes[self.kinds[at]])
            at += 1
        return found


def _keys(folder: str, ending: str, pattern: str | None) -> Iterator[tuple[str, str]]:
    """Name and key of each image, and of what else the pattern takes, in any order.

    Of a folder that need not be there. Raises OSError where it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = key_of(entry.name, ending)
                is_taken = takes(entry.name, None) or takes(entry.name, pattern)
                if key is not None and is_taken and not is_dir(entry):
                    yield entry.name, key
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise


@dataclass(slots=True, kw_only=True)
class Pairs(Walk):
    """A Walk over the truths, each with the path of its prediction as `target`; then the rest.

    A truth without a prediction carries a NoPredictionError, a prediction without a truth, which
    comes after all truths, a NoTruthError. predictions: their folder. ending, prediction_ending:
    what the names of truths and of predictions end in; what comes before it pairs them. A truth
    that `pattern` leaves out is a truth yet: nobody says that its prediction has none.
    """

    predictions: str
    prediction_ending: str = ""

    def __iter__(self) -> Iterator[Source]:
        """Every truth, then every prediction without one."""
        told = set()
        for source in Walk.__iter__(self):
            if not source.goes_to:  # a folder that cannot be entered
                told.add(source.relative)
            yield source
        for source in _Alone(self.predictions, skip=os.path.realpath(self.root), pairs=self):
            if source.relative not in told:  # else it has its row
                yield source

    def truths(self, relative: str) -> array[int] | None:
        """Sorted hashes of the keys of a folder's truths, those that `pattern` leaves out, too.

        None where nobody can tell, as the folder cannot be read.
        """
        folder = os.path.join(self.root, relative)
        try:
            keys = _keys(folder, self.ending, self.pattern)
            hashes = np.array(array("q", (hash(key) for _, key in keys)), np.int64)
        except OSError:  # the walk over the truths tells that
            return None
        hashes.sort()
        return array("q", hashes.tobytes())

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        where = os.path.join(self.predictions, relative)
        others: Names | UnreadableMaskError
        try:
            others = Names.of(where, self.prediction_ending)
        except OSError as error:
            others = UnreadableMaskError(
                f"has no prediction that could be found: the folder {where} cannot be read: "
                f"{error.strerror}; mend that"
            )
        for source in Walk._files(self, folder, relative, below):
            yield self._paired(source, others)

    def _paired(self, source: Source, others: Names | UnreadableMaskError) -> Source:
        """A truth and its prediction."""
        place = os.path.splitext(source.relative)[0].removesuffix(self.ending)
        found = []
        if isinstance(others, Names):
            found = others.suffixes_of(place.rpartition("/")[2])
        wanted = f"{place}{self.prediction_ending}{found[0] if found else '.png'}"
        source = replace(source, goes_to=wanted)
        if isinstance(source.error, CollisionError):
            advice = "leave one of them there, or choose one kind with --pattern"
            return replace(source, error=_several("truths", place, advice))
        if source.error is not None:
            return source
        if isinstance(others, UnreadableMaskError):
            return replace(source, error=others)
        if len(found) > 1:
            return replace(source, error=_several("predictions", place, "leave one of them there"))
        return source if found else replace(source, error=NoPredictionError())


@dataclass(slots=True, kw_only=True)
class _Alone(Walk):
    """The predictions below a folder, the root, that belong to no truth. pairs: those that do."""

    pairs: Pairs

    def __iter__(self) -> Iterator[Source]:
        """Every such prediction, and what cannot be entered, in other words than of a truth."""
        for source in Walk.__iter__(self):
            if isinstance(source.error, UnreadableMaskError):
                source = replace(source, error=UnreadableMaskError(f"in PRED, {source.error}"))
            yield source

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        known = self.pairs.truths(relative)
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if is_dir(entry):
                    if not name.startswith("."):
                        below.append(name)
                    continue
                key = key_of(name, self.pairs.prediction_ending)
                if key is None or not takes(name, None) or known is None or _holds(known, key):
                    continue
                yield Source(entry.path, path_below(relative, name), error=NoTruthError())


def _holds(hashes: array[int], key: str) -> bool:
    wanted = hash(key)
    at = bisect_left(hashes, wanted)
    return at < len(hashes) and hashes[at] == wanted


@dataclass(slots=True, kw_only=True)
class OnePair(Listed):
    """One truth, the only path, and the file of its prediction, whatever their names."""

    prediction: str

    def __iter__(self) -> Iterator[Source]:
        """The truth."""
        for source in Listed.__iter__(self):
            yield replace(source, goes_to=os.path.basename(self.prediction))


def _several(what: str, place: str, advice: str) -> CollisionError:
    return CollisionError(f"several {what} are named {place}, but for their suffixes; {advice}")
