"""Which files there are: a folder walked in bounded memory, looking at names only.

Each folder is read twice: first its names are hashed, 8 bytes each, to find those that
would collide in the target (a.png and a.jpg both become a.png), then they are handed out
one by one. So a folder of a million masks costs 8 MB, not a list of a million names.
"""

from __future__ import annotations

import hashlib
import os
import stat
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from gpuseg import storage
from gpuseg.answers import Entry
from gpuseg.errors import UnreadableMaskError
from gpuseg.names import why_unsafe
from gpuseg.options import Shard
from gpuseg.taking import collision, key_of, leave, suffix_of, takes, target_key, target_name
from gpuseg.travelling import quickly_pickled


@quickly_pickled
@dataclass(frozen=True, slots=True)
class Source:
    """An input file.

    path: where it is, a path or a URL. relative: its path below SRC, for messages and the target.
    size: bytes. mtime_ns: time of last change, ns. error: why it cannot be used, if so.
    tag: what a storage says of its content, "" where it says nothing.
    content: its bytes, where it is a member of an archive or was fetched from a URL.
    goes_to: its target below DST, "" where its own name tells.
    """

    path: str
    relative: str
    size: int = 0
    mtime_ns: int = 0
    error: Exception | None = None
    tag: str = ""
    content: bytes | None = field(default=None, repr=False)
    goes_to: str = ""

    @property
    def image(self) -> str | bytes:
        """What codecs read: its path, or its bytes."""
        return self.path if self.content is None else self.content

    @property
    def state(self) -> str:
        """What changes when the file does, as far as that can be told without reading it."""
        return f"{self.size} {self.tag or self.mtime_ns}"

    @property
    def target(self) -> str:
        """Path below DST: by its name the same folder and stem, suffix .png."""
        return self.goes_to or target_name(self.relative)


class Sources(Protocol):
    """Input files, gone through as often as need be.

    left_alone: other files, counted by suffix on the way.
    """

    left_alone: Counter[str]

    @property
    def folder(self) -> str | None:
        """What the relative paths are relative to, None where they lie in several places."""

    @property
    def roots(self) -> Sequence[str]:
        """The places that the files lie in."""

    def __iter__(self) -> Iterator[Source]:
        """Every file; unusable ones carry an error."""


class Originals(Sources, Protocol):
    """Files that targets are made of. folds_case: DST takes a.png and A.png for one file."""

    folds_case: bool


@dataclass(slots=True)
class Below:
    """What lies below a place.

    root: the place. pattern: glob for file names; None takes the known image suffixes and
    leaves hidden files and folders alone. skip: a place whose files are not taken: DST when it
    lies inside SRC. folds_case: DST takes a.png and A.png for one file.
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

    @property
    def roots(self) -> Sequence[str]:
        """The places that the files lie in."""
        return (self.root,)


@dataclass(slots=True)
class Walk(Below):
    """One walk over SRC, a folder; `skip` is a real path.

    ending: what names end in before their suffixes; those that end otherwise are left alone.
    look: at each file, and whether several would become one; else a Source has its names only.
    """

    ending: str = field(default="", kw_only=True)
    look: bool = field(default=True, kw_only=True)

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
        collisions = self._collisions(folder) if self.look else frozenset()
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_dir(entry):
                    if self.pattern is None and entry.name.startswith("."):
                        leave(self.left_alone, "hidden folder")
                    else:
                        below.append(entry.name)
                elif not self._takes(entry.name):
                    leave(self.left_alone, suffix_of(entry.name))
                elif not self.look:
                    yield Source(entry.path, path_below(relative, entry.name))
                else:
                    collides = bool(collisions) and self._key(entry.name) in collisions
                    yield _source(entry, path_below(relative, entry.name), collides)

    def _takes(self, name: str) -> bool:
        return takes(name, self.pattern) and (
            not self.ending or key_of(name, self.ending) is not None
        )

    def _key(self, name: str) -> str:
        return target_key(name, self.folds_case)

    def _collisions(self, folder: str) -> frozenset[str]:
        """Keys of the target names that several files of this folder would get."""
        with os.scandir(folder) as entries:
            suspects = repeated(self._key(e.name) for e in entries if self._takes(e.name))
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
        folders = {os.path.dirname(path) for path in self.paths}  # of URLs, too
        return folders.pop() if len(folders) == 1 else None

    @property
    def roots(self) -> Sequence[str]:
        """The places that the files lie in."""
        return self.paths

    def __iter__(self) -> Iterator[Source]:
        """Every file of the list, in its order; unusable ones carry an error."""
        names = [os.path.basename(path) for path in self.paths]  # of URLs, too
        counts = Counter(target_key(name, self.folds_case) for name in names)
        for path, name in zip(self.paths, names, strict=True):
            yield _source(path, name, counts[target_key(name, self.folds_case)] > 1)


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


def path_below(folder: str, name: str) -> str:
    """Path below SRC, with slashes on every system: reports are compared across machines."""
    return f"{folder}/{name}" if folder else name


def repeated(keys: Iterable[str]) -> frozenset[int]:
    """Hashes that come more than once."""
    hashes = np.array(array("q", map(hash, keys)), np.int64)
    values, counts = np.unique(hashes, return_counts=True)
    return frozenset(values[counts > 1].tolist())


def _source(entry: os.DirEntry[str] | str, relative: str, collides: bool) -> Source:
    path = os.fspath(entry)
    if collides:
        return Source(path, relative, error=collision(relative))
    if storage.is_url(path):
        return _stored(path, relative)
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


def source_of(entry: Entry) -> Source:
    """What a listing says of a file."""
    source = Source(entry.path, entry.relative, entry.size, entry.mtime_ns, tag=entry.tag)
    if reason := why_unsafe(entry.relative):
        told = UnreadableMaskError(f"has a name that cannot be a file's: {reason}; rename it")
        return replace(source, error=told)
    return source


def _stored(url: str, relative: str) -> Source:
    """A file that is named by its URL."""
    try:
        entry = storage.info(url)
    except OSError as error:
        return _unreadable(url, relative, f"cannot be opened: {error.strerror or error}")
    if entry is None:
        return _unreadable(url, relative, "cannot be opened: there is no such file")
    return replace(source_of(entry), relative=relative)


def _unreadable(path: str, relative: str, message: str) -> Source:
    return Source(path, relative, error=UnreadableMaskError(message))


def is_dir(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle
        return False
