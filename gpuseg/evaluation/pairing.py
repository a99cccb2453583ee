"""The pairs of an evaluation: each truth with the prediction of its name, and what is alone."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gpuseg.discover import Listed, Source, Walk, is_dir, path_below
from gpuseg.errors import CollisionError
from gpuseg.taking import leave, suffix_of, takes


class NoPredictionError(Exception):
    """A truth that has no prediction."""


class NoTruthError(Exception):
    """A prediction that has no truth."""


@dataclass(frozen=True, slots=True)
class Endings:
    """What the names of a pair end in, before their suffixes: what comes before it pairs them.

    Files whose names do not end so are none of the evaluation.
    """

    prediction: str = ""
    truth: str = ""


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
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    key = key_of(entry.name, ending)
                    if key is not None and takes(entry.name, None) and not is_dir(entry):
                        suffix = os.path.splitext(entry.name)[1]
                        hashes.append(hash(key))
                        kinds.append(suffixes.setdefault(suffix, len(suffixes)))
        except (FileNotFoundError, NotADirectoryError):
            pass
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


def key_of(name: str, ending: str) -> str | None:
    """What pairs a file: its name without suffix and ending; None for one that ends otherwise."""
    stem = os.path.splitext(name)[0]
    if not stem.endswith(ending):
        return None
    return stem[: len(stem) - len(ending)]


@dataclass(slots=True, kw_only=True)
class Pairs(Walk):
    """A Walk over the truths, each with the path of its prediction as `target`; then the rest.

    A truth without a prediction carries a NoPredictionError, a prediction without a truth, which
    comes after all truths, a NoTruthError. predictions: their folder. A truth that `pattern`
    leaves out is a truth yet: nobody says that its prediction has none.
    """

    predictions: str
    endings: Endings

    def __iter__(self) -> Iterator[Source]:
        """Every truth, then every prediction without one."""
        yield from Walk.__iter__(self)
        yield from _Alone(
            self.predictions, skip=os.path.realpath(self.root), truths=self.root, ends=self.endings
        )

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        own = Names.of(folder, self.endings.truth)
        others = Names.of(os.path.join(self.predictions, relative), self.endings.prediction)
        for source in Walk._files(self, folder, relative, below):
            key = key_of(os.path.basename(source.relative), self.endings.truth)
            if key is None:
                leave(self.left_alone, suffix_of(source.relative))
                continue
            yield self._paired(source, path_below(relative, key), own, others)

    def _collisions(self, folder: str) -> frozenset[str]:
        """None: what counts here is whether several have one key."""
        return frozenset()

    def _paired(self, source: Source, place: str, own: Names, others: Names) -> Source:
        """A truth and its prediction. place: its key below the folder."""
        key = place.rpartition("/")[2]
        suffixes = others.suffixes_of(key)
        wanted = f"{place}{self.endings.prediction}{suffixes[0] if suffixes else '.png'}"
        source = replace(source, goes_to=wanted)
        if source.error is not None:
            return source
        if len(own.suffixes_of(key)) > 1:
            return replace(source, error=_several("truths", place))
        if len(suffixes) > 1:
            return replace(source, error=_several("predictions", place))
        return source if suffixes else replace(source, error=NoPredictionError())


@dataclass(slots=True, kw_only=True)
class _Alone(Walk):
    """The predictions below a folder, the root, that belong to no truth."""

    truths: str
    ends: Endings

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        truths = Names.of(os.path.join(self.truths, relative), self.ends.truth)
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if is_dir(entry):
                    if not name.startswith("."):
                        below.append(name)
                    continue
                key = key_of(name, self.ends.prediction)
                if key is not None and takes(name, None) and not truths.suffixes_of(key):
                    yield Source(entry.path, path_below(relative, name), error=NoTruthError())


@dataclass(slots=True, kw_only=True)
class OnePair(Listed):
    """One truth, the only path, and the file of its prediction, whatever their names."""

    prediction: str

    def __iter__(self) -> Iterator[Source]:
        """The truth."""
        for source in Listed.__iter__(self):
            yield replace(source, goes_to=os.path.basename(self.prediction))


def _several(what: str, place: str) -> CollisionError:
    return CollisionError(
        f"several {what} are named {place}, but for their suffixes; leave one of them there"
    )
