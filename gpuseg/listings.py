"""Which files there are in a storage: its listing, page by page, never held whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gpuseg import storage
from gpuseg.discover import Below, Source, repeated, source_of
from gpuseg.errors import UnreadableMaskError
from gpuseg.taking import collision, leave, suffix_of, takes, target_key, target_name

AT_ONCE = 4096
"""Files of one stem that are looked at together for collisions; see `Listing`."""


@dataclass(slots=True)
class Listing(Below):
    """The files below a URL; `skip` is one, too.

    Names that would get one target (a.jpg and a.png) all begin with its stem, so they come close
    together in a sorted listing: that stretch is all that is held, `AT_ONCE` files of it at most.
    (Of a longer one the first may be handed out before another shows; then only that one fails.)
    Where DST folds case they do not, and the listing is read twice.
    """

    def __iter__(self) -> Iterator[Source]:
        """Every mask below root; unusable ones carry an error."""
        folded = self._folded() if self.folds_case else frozenset()
        for stretch, before in self._stretches():
            counts = Counter(target_name(source.relative) for source in stretch)
            for source in stretch:
                target = target_name(source.relative)
                shared = counts[target] > 1 or target in before
                if shared or target_key(source.relative, self.folds_case) in folded:
                    source = replace(source, error=source.error or collision(source.relative))
                yield source

    def _stretches(self) -> Iterator[tuple[list[Source], set[str]]]:
        """The files in stretches of one stem, and the targets of it that were handed out before."""
        stretch: list[Source] = []
        before: set[str] = set()
        stem = ""
        for source in self._taken(self.left_alone):
            if stretch and not _begins(source.relative, stem):
                yield stretch, before
                stretch, before = [], set()
            elif len(stretch) == AT_ONCE:
                yield stretch, before
                before |= {target_name(source.relative) for source in stretch}
                stretch = []
            if not stretch and not before:
                stem = _stem(source.relative)
            stretch.append(source)
        if stretch:
            yield stretch, before

    def _folded(self) -> frozenset[str]:
        """Keys of several files, where case is no difference."""
        counts: Counter[str] = Counter()
        names = (s.relative for s in self._taken(Counter()))
        suspects = repeated(target_key(name, True) for name in names)
        for source in self._taken(Counter()) if suspects else ():
            key = target_key(source.relative, True)
            if hash(key) in suspects:
                counts[key] += 1
        return frozenset(key for key, count in counts.items() if count > 1)

    def _taken(self, left_alone: Counter[str]) -> Iterator[Source]:
        """The files that are taken; one that is none where the listing breaks off."""
        skip = f"{self.skip.rstrip('/')}/" if self.skip else None
        listed = 0
        try:
            for entry in storage.entries(self.root):
                listed += 1
                name = entry.relative.rpartition("/")[2]
                if skip is not None and entry.path.startswith(skip):
                    continue
                if self.pattern is None and _is_hidden(entry.relative):
                    leave(left_alone, "hidden")
                elif not takes(name, self.pattern):
                    leave(left_alone, suffix_of(name))
                else:
                    yield source_of(entry)
        except OSError as error:
            reason = error.strerror or "there is no such place"
            after = f" it broke off after {listed:,} files:" if listed else ""
            told = f"{self.root} cannot be listed:{after} {reason}; mend that and run again"
            yield Source(self.root, ".", error=UnreadableMaskError(told))


def _is_hidden(relative: str) -> bool:
    """Whether a file or a folder that it lies in is hidden; `..` is none, but refused."""
    if "/." not in f"/{relative}":  # the usual case
        return False
    return any(part.startswith(".") and part not in (".", "..") for part in relative.split("/"))


def _stem(relative: str) -> str:
    """What all names with the target of this one begin with."""
    stem = target_name(relative)[: -len(".png")]
    return relative if stem == relative else f"{stem}."


def _begins(relative: str, stem: str) -> bool:
    """Whether a name lies in the stretch of a stem.

    A stem without a dot is a name without a suffix: `a`, `a-1.png`, `a.png` are sorted so.
    """
    if stem.endswith("."):
        return relative.startswith(stem)
    return relative.startswith(stem) and relative[len(stem) : len(stem) + 1] <= "."
