"""Which files there are: a folder walked in bounded memory, looking at names only.

Each folder is read twice: first its names are hashed, 8 bytes each, to find those that
would collide in the target (a.png and a.jpg both become a.png), then they are handed out
one by one. So a folder of a million masks costs 8 MB, not a list of a million names.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gpuseg.codecs.opening import SUFFIXES
from gpuseg.errors import CollisionError, UnreadableMaskError, UsageError
from gpuseg.options import Shard

MAX_KINDS = 64
"""Suffixes of other files that are counted apart; the rest are `others`."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input file.

    path: where it is. relative: its path below SRC, for messages and the target.
    size: bytes. mtime_ns: time of last change, ns. error: why it cannot be used, if so.
    """

    path: str
    relative: str
    size: int = 0
    mtime_ns: int = 0
    error: Exception | None = None

    @property
    def target(self) -> str:
        """Path below DST: the same folder and stem, suffix .png."""
        return target_name(self.relative)


@dataclass(slots=True)
class Walk:
    """One walk over SRC.

    root: the folder. pattern: glob for file names; None takes the known image suffixes and
    leaves hidden files and folders alone. skip: a folder (real path) that is not entered:
    DST when it lies inside SRC. folds_case: DST takes a.png and A.png for one file.
    left_alone: other files, counted by suffix on the way.
    """

    root: str
    pattern: str | None = None
    skip: str | None = None
    folds_case: bool = False
    left_alone: Counter[str] = field(default_factory=Counter)

    @property
    def folder(self) -> str:
        """What the relative paths are relative to."""
        return self.root

    def __iter__(self) -> Iterator[Source]:
        """Every mask below root, folder by folder; unusable ones carry an error."""
        # (folder, its path below root, the real paths of it and the folders above it)
        pending: list[tuple[str, str, tuple[str, ...]]] = []
        pending.append((self.root, "", (os.path.realpath(self.root),)))
        while pending:
            folder, relative, parents = pending.pop()
            below: list[str] = []
            try:
                yield from self._files(folder, relative, below)
            except OSError as error:
                yield _unreadable(
                    folder, relative or ".", f"the folder cannot be read: {error.strerror}"
                )
            for name in sorted(below, reverse=True):
                path = os.path.join(folder, name)
                real = os.path.realpath(path)
                if real in parents:
                    why = f"the link leads back to {real}, a folder above it: not entered again"
                    yield _unreadable(path, path_below(relative, name), why)
                elif real != self.skip:
                    pending.append((path, path_below(relative, name), (*parents, real)))

    def _files(self, folder: str, relative: str, below: list[str]) -> Iterator[Source]:
        """The masks of one folder; names of its sub-folders are appended to `below`."""
        collisions = self._collisions(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_dir(entry):
                    if self._hidden(entry.name):
                        self._leave("hidden folder")
                    else:
                        below.append(entry.name)
                elif self._takes(entry.name):
                    collides = bool(collisions) and self._key(entry.name) in collisions
                    yield _source(entry, path_below(relative, entry.name), collides)
                else:
                    self._leave(_suffix(entry.name))

    def _leave(self, kind: str) -> None:
        if kind not in self.left_alone and len(self.left_alone) >= MAX_KINDS:
            kind = "others"
        self.left_alone[kind] += 1

    def _key(self, name: str) -> str:
        return _key(name, self.folds_case)

    def _takes(self, name: str) -> bool:
        if self.pattern is not None:
            return fnmatch.fnmatch(name, self.pattern)
        return name.lower().endswith(SUFFIXES) and not self._hidden(name)

    def _hidden(self, name: str) -> bool:
        return self.pattern is None and name.startswith(".")

    def _collisions(self, folder: str) -> frozenset[str]:
        """Keys of the target names that several files of this folder would get."""
        with os.scandir(folder) as entries:
            suspects = _repeated(self._key(e.name) for e in entries if self._takes(e.name))
        if not suspects:
            return frozenset()
        counts: Counter[str] = Counter()
        with os.scandir(folder) as entries:
            for entry in entries:
                key = self._key(entry.name)
                if hash(key) in suspects and self._takes(entry.name) and not is_dir(entry):
                    counts[key] += 1
        return frozenset(key for key, count in counts.items() if count > 1)


@dataclass(slots=True)
class Listed:
    """Files named one by one; each target is the file's own name in DST.

    folds_case, left_alone: as in Walk.
    """

    paths: Sequence[str]
    folds_case: bool = False
    left_alone: Counter[str] = field(default_factory=Counter)

    @property
    def folder(self) -> str | None:
        """The folder that all of them lie in, None where they lie in several."""
        folders = {os.path.dirname(path) for path in self.paths}
        return folders.pop() if len(folders) == 1 else None

    def __iter__(self) -> Iterator[Source]:
        """Every file of the list, in its order; unusable ones carry an error."""
        names = [os.path.basename(path) for path in self.paths]
        counts = Counter(_key(name, self.folds_case) for name in names)
        for path, name in zip(self.paths, names, strict=True):
            yield _source(path, name, counts[_key(name, self.folds_case)] > 1)


def find(src: str, pattern: str | None, skip: str | None = None) -> Walk | Listed:
    """The files of SRC: a folder is walked, a file is itself. skip: as in Walk.

    Raises UsageError for what does not exist.
    """
    if os.path.isdir(src):
        return Walk(src, pattern, skip)
    if not os.path.lexists(src):
        raise UsageError(f"{src} does not exist; give a folder of images or one image")
    if pattern is not None:
        raise UsageError(f"a pattern chooses files of a folder, got {pattern!r} with a file")
    return Listed([src])


def in_shard(source: Source, shard: Shard) -> bool:
    """Whether a file belongs to the shard; by its target, so that every machine agrees."""
    if shard.count == 1:
        return True
    name = source.target.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(name, digest_size=8).digest()
    return int.from_bytes(digest, "big") % shard.count == shard.number - 1


def count_sources(sources: Iterable[Source], shard: Shard) -> int:
    """How many rows a conversion of these will have."""
    return sum(in_shard(source, shard) for source in sources)


def target_name(name: str) -> str:
    """`a/b.jpg` -> `a/b.png`."""
    if name[-4:] == ".png" and name[-5:-4].isalnum():  # the usual name is its own target
        return name
    return os.path.splitext(name)[0] + ".png"


def _key(name: str, folds_case: bool) -> str:
    """Target names with one key are one file."""
    target = target_name(name)
    return target.casefold() if folds_case else target


def path_below(folder: str, name: str) -> str:
    """Path below SRC, with slashes on every system: reports are compared across machines."""
    return f"{folder}/{name}" if folder else name


def _repeated(keys: Iterable[str]) -> frozenset[int]:
    """Hashes that come more than once."""
    hashes = np.array(array("q", map(hash, keys)), np.int64)
    values, counts = np.unique(hashes, return_counts=True)
    return frozenset(values[counts > 1].tolist())


def _source(entry: os.DirEntry[str] | str, relative: str, collides: bool) -> Source:
    path = os.fspath(entry)
    if collides:
        problem = CollisionError(
            f"several files would become {target_name(relative)}; rename them, or choose "
            "one kind with --pattern"
        )
        return Source(path, relative, error=problem)
    try:
        status = os.stat(path) if isinstance(entry, str) else entry.stat()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        return _unreadable(path, relative, f"cannot be opened: {reason}")
    if not stat.S_ISREG(status.st_mode):  # reading a pipe could wait for ever
        return _unreadable(
            path, relative, "is no regular file (a pipe, a socket or a device); leave it out"
        )
    return Source(path, relative, status.st_size, status.st_mtime_ns)


def _unreadable(path: str, relative: str, message: str) -> Source:
    return Source(path, relative, error=UnreadableMaskError(message))


def is_dir(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle
        return False


def _suffix(name: str) -> str:
    return "hidden" if name.startswith(".") else os.path.splitext(name)[1].lower()
