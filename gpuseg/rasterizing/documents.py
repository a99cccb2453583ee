"""Which files a run over annotations has, where each holds those of one image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.format import Format
from gpuseg.discover import Source, Walk, repeated
from gpuseg.finding import Files
from gpuseg.taking import collision, leave, suffix_of


@dataclass(slots=True)
class Documents:
    """Annotation files below a place, each with the target that its format gives it.

    files: as they are found. Where several would get one target, none of them is taken.
    choices: say where files beside them are.
    hidden: whether files and folders whose names begin with a dot are taken.
    folds_case, left_alone: as in Walk.
    """

    files: Files
    format: Format
    choices: ReadingChoices
    hidden: bool = False
    folds_case: bool = False
    left_alone: Counter[str] = field(default_factory=Counter)

    @property
    def folder(self) -> str | None:
        """What the relative paths are relative to."""
        return self.files.folder

    @property
    def roots(self) -> Sequence[str]:
        """The places that the files lie in."""
        return self.files.roots

    def __iter__(self) -> Iterator[Source]:
        """Every file; unusable ones carry an error."""
        names = (s.relative for s in self._taken(self._names(), Counter()) if s.error is None)
        suspects = repeated(self._key(self.format.target(name)) for name in names)
        self.files.left_alone = self.left_alone
        for source in self._taken(self.files, self.left_alone):
            target = self.format.target(source.relative)
            if source.error is None and suspects and hash(self._key(target)) in suspects:
                source = replace(source, error=collision(source.relative, target))
            yield replace(source, goes_to=target, tag=self._tag(source))

    def _names(self) -> Files:
        """The files once more, and no look at them where that can be."""
        names = replace(self.files, left_alone=Counter())
        if isinstance(names, Walk):
            names.look = False
        return names

    def _taken(self, files: Files, left_alone: Counter[str]) -> Iterator[Source]:
        for source in files:
            if not self.hidden and "/." in f"/{source.relative}":
                leave(left_alone, "hidden")
            elif source.error is not None or self.format.takes(source.relative):
                yield source  # an error may be that of a folder, whose files nobody has seen
            else:
                leave(left_alone, suffix_of(source.relative))

    def _key(self, target: str) -> str:
        return target.casefold() if self.folds_case else target

    def _tag(self, source: Source) -> str:
        """What tells when a label map is to be made anew: a change of a file beside, too."""
        beside = self.format.beside(source, self.choices)
        if not beside:
            return source.tag
        return " ".join((source.tag or str(source.mtime_ns), *map(state_of, beside)))


def state_of(path: str) -> str:
    """What changes when a file does; nothing where there is none, which reading it tells."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
