"""The files of verbs that write none: of several folders and files, or a sample of them."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gpuseg.archives.braces import kind_at
from gpuseg.archives.opening import check_table
from gpuseg.discover import Listed, Source
from gpuseg.errors import CollisionError, UsageError
from gpuseg.finding import Files, find, is_archive, is_folder
from gpuseg.options import DEFAULT_MAX_PIXELS, ReadOptions, most_bytes
from gpuseg.reading import Members


@dataclass(slots=True)
class Inputs:
    """Folders, files and archives, one after the other.

    paths: of them. pattern: as in Walk, for folders and archives. max_pixels, column: as in
    ReadOptions, for members of archives. sample: take so many files only, by a
    hash of their relative paths: the same ones wherever the dump lies.
    Files that would get one target are no trouble here. With several paths each relative path
    begins with the one that was named. Raises UsageError for what does not exist.
    """

    paths: Sequence[str]
    pattern: str | None = None
    sample: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    column: str | None = None
    left_alone: Counter[str] = field(default_factory=Counter)
    _parts: list[Files | Members] = field(init=False)

    def __post_init__(self) -> None:
        if not self.paths:
            raise UsageError("no path was given; name a folder of images or an image")
        if self.column is not None and "parquet" not in map(kind_at, self.paths):
            raise UsageError(
                f"--column names a column of Parquet files, and {', '.join(self.paths)} is none"
            )
        several = [is_archive(path) or is_folder(path) for path in self.paths]
        kept = [self.pattern if each or not any(several) else None for each in several]
        self._parts = [self._part(path, own) for path, own in zip(self.paths, kept, strict=True)]
        for part in self._parts:
            part.left_alone = self.left_alone

    @classmethod
    def of(cls, paths: Sequence[str], options: ReadOptions, sample: int | None = None) -> Inputs:
        """Those that `options` say."""
        return cls(paths, options.pattern, sample, options.max_pixels, options.column)

    @property
    def folder(self) -> str | None:
        """What the relative paths are relative to, None for several paths."""
        return self._parts[0].folder if len(self._parts) == 1 else None

    @property
    def roots(self) -> Sequence[str]:
        """The places that workers must reach."""
        return [root for part in self._parts for root in part.roots]

    @property
    def holds_more(self) -> Callable[[int], bool] | None:
        """Whether so many members of archives seem to be left; None where there are none."""
        archives = [part for part in self._parts if isinstance(part, Members)]
        if not archives or self.sample is not None:
            return None
        return lambda count: any(part.holds_more(count) for part in archives)

    def __iter__(self) -> Iterator[Source]:
        """Every file, or those of the sample; unusable ones carry an error."""
        if self.sample is None:
            return self._all()
        return iter(heapq.nsmallest(self.sample, self._all(), key=_hash))

    def _part(self, path: str, pattern: str | None) -> Files | Members:
        if is_archive(path):
            if kind_at(path) == "parquet":
                check_table(path, pattern, self.column)
            return Members(path, pattern, most_bytes(self.max_pixels), self.column)
        return find(path, pattern)

    def _all(self) -> Iterator[Source]:
        several = len(self._parts) > 1
        for path, part in zip(self.paths, self._parts, strict=True):
            for source in part:
                if isinstance(source.error, CollisionError):
                    source = replace(_looked_up(source.path), relative=source.relative)
                if several:
                    below = not isinstance(part, Listed)
                    name = f"{path.rstrip('/')}/{source.relative}" if below else path
                    source = replace(source, relative=name)
                yield source


def _looked_up(path: str) -> Source:
    """A file by itself: whether it can be read, and its size."""
    return next(iter(Listed([path])))


def _hash(source: Source) -> bytes:
    name = source.relative.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(name, digest_size=8).digest() + name
