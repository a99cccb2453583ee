"""Which images a run over annotations has, where one file holds those of many."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.format import Album, Format, Record
from gpuseg.discover import Source, repeated
from gpuseg.errors import AnnotationError, MemberError
from gpuseg.names import why_unsafe
from gpuseg.rasterizing.documents import state_of
from gpuseg.taking import collision, leave, suffix_of, target_key, target_name


@dataclass(slots=True)
class Records:
    """The images of one annotation file, each a Source that holds its annotations.

    What a target is made from is known by the annotations of its image: a change elsewhere in
    the file makes none of the others anew. pattern: glob for the names of images.
    folds_case, left_alone: as in Walk.
    """

    path: str
    format: Format
    choices: ReadingChoices
    pattern: str | None = None
    folds_case: bool = False
    left_alone: Counter[str] = field(default_factory=Counter)
    _album: Album | None = None
    _error: AnnotationError | None = None

    @property
    def folder(self) -> str:
        """The annotation file."""
        return self.path

    @property
    def roots(self) -> Sequence[str]:
        """The annotation file."""
        return (self.path,)

    def look(self) -> None:
        """Look through the file, which may take minutes: where Ctrl-C ends it, before the run."""
        try:
            self._album = self.format.album(self.path, self.choices)
            next(self._album.names(), None)
        except AnnotationError as error:
            self._error = error

    def __iter__(self) -> Iterator[Source]:
        """Every image; one row for a file that is broken off."""
        if self._album is None and self._error is None:
            self.look()
        try:
            if self._error is not None:
                raise self._error
            assert self._album is not None  # noqa: S101  # else there was an error
            yield from self._all(self._album)
        except AnnotationError as error:
            yield Source(self.path, os.path.basename(self.path), error=error)

    def _all(self, album: Album) -> Iterator[Source]:
        self.left_alone.clear()
        names = (name for name in album.names() if self._takes(name))
        suspects = repeated(target_key(name, self.folds_case) for name in names)
        for record in album:
            if self._takes(record.name):
                shared = suspects and hash(target_key(record.name, self.folds_case)) in suspects
                yield self._source(record, bool(shared))
            else:
                leave(self.left_alone, suffix_of(record.name))

    def _takes(self, name: str) -> bool:
        return self.pattern is None or fnmatch.fnmatch(os.path.basename(name), self.pattern)

    def _source(self, record: Record, shared: bool) -> Source:
        error = record.error
        if reason := why_unsafe(record.name):
            error = error or MemberError(f"has a name that cannot be a file's: {reason}; rename it")
        if shared:
            error = error or collision(record.name)
        tag = hashlib.blake2b(record.content, digest_size=16)
        if record.path is not None:
            tag.update(state_of(record.path).encode())
        return Source(
            record.path or self.path,
            record.name,
            size=len(record.content),
            tag=tag.hexdigest(),
            content=record.content,
            error=error,
            goes_to=target_name(record.name),
        )
