"""Which files a run over annotations has, where each holds those of one image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gpuseg.annotations.format import Format
from gpuseg.discover import Source, repeated
from gpuseg.finding import Files
from gpuseg.taking import collision, leave, suffix_of


@dataclass(slots=True)
class Documents:
    """Annotation files below a place, each with the target that its format gives it.

    files: as they are found. Where several would get one target, none of them is taken.
    folds_case, left_alone: as in Walk.
    """

    files: Files
    format: Format
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
        self.files.left_alone = Counter()
        suspects = repeated(self._key(source) for source in self._taken(Counter()))
        self.files.left_alone = self.left_alone
        for source in self._taken(self.left_alone):
            if suspects and hash(self._key(source)) in suspects:
                source = replace(source, error=source.error or collision(source.relative))
            yield replace(source, goes_to=self.format.target(source.relative))

    def _taken(self, left_alone: Counter[str]) -> Iterator[Source]:
        for source in self.files:
            if self.format.takes(source.relative):
                yield source
            else:
                leave(left_alone, suffix_of(source.relative))

    def _key(self, source: Source) -> str:
        target = self.format.target(source.relative)
        return target.casefold() if self.folds_case else target
