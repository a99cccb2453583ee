"""Which class a label of an annotation is: by its name in the palette."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from gpuseg.annotations.format import Format
from gpuseg.errors import UsageError
from gpuseg.palette import BACKGROUNDS, Palette
from gpuseg.palettes.mapping import IGNORE
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.rasterizing.renaming import index_of, load_renaming, near, resolved
from gpuseg.shapes import Picture
from gpuseg.text import shortened


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The classes of labels.

    format: says by which names a label goes. indices: by these names. ignored: the ignore index.
    background: the index of what no shape covers. top: the largest index that is written.
    bare_is_void: as in Format, if it holds here. renamed: what the user's map makes of labels,
    None for those whose shapes are left out, also by the format.
    """

    format: Format
    indices: dict[str, int]
    ignored: int
    background: int
    top: int
    bare_is_void: bool = False
    renamed: Mapping[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, palette: Palette, format: Format, options: RasterizeOptions) -> Labels:
        """Those of a palette, and what a format calls no class. Raises UsageError."""
        ignored = palette.ignore_for(options.depth, options.ignore_index)
        indices: dict[str, int] = {}
        for entry in palette.label_classes:
            indices.setdefault(entry.name, entry.index)
        for entry in palette.label_classes:
            for alias in format.aliases(entry.name):
                indices.setdefault(alias, entry.index)
        void = format.bare_is_void and options.background is None
        wanted = ignored if void else options.background
        background = _background(wanted, indices, palette, ignored)
        undrawn = [name for name in format.undrawn if indices.get(name, ignored) == ignored]
        for name in format.ignored:
            indices.setdefault(name, ignored)
        for name in format.background:
            indices.setdefault(name, background)
        renaming = load_renaming(options.labels) if options.labels is not None else {}
        renamed = dict.fromkeys(undrawn) | resolved(renaming, indices, palette, ignored)
        told = (index for index in renamed.values() if index is not None)
        top = max(ignored, background, *indices.values(), *told)
        return cls(format, indices, ignored, background, top, void, renamed)

    def index_of(self, label: str) -> int | None:
        """The index of a label's class, None where there is none. What is skipped is background."""
        names = self.format.names(label)
        for table in (self.renamed, self.indices):
            for name in names:
                if name in table:
                    index = table[name]
                    return self.background if index is None else index
        return None

    def is_skipped(self, label: str) -> bool:
        """Whether shapes of a label are left out."""
        told = (self.renamed[n] for n in self.format.names(label) if n in self.renamed)
        return next(told, self.ignored) is None

    def drawable(self, picture: Picture) -> Picture:
        """A picture without the shapes that are left out, which it counts."""
        skipped = {label for label in {s.label for s in picture.shapes} if self.is_skipped(label)}
        if not skipped:
            return picture
        gone = Counter(shortened(s.label, LONGEST) for s in picture.shapes if s.label in skipped)
        if picture.drawn is None:
            shapes = tuple(s for s in picture.shapes if s.label not in skipped)
        else:  # its pixels count the shapes
            shapes = tuple(
                replace(s, ignored=s.ignored and s.label not in skipped) for s in picture.shapes
            )
        return replace(picture, shapes=shapes, left_out=picture.left_out + gone)

    def unknown(self, labels: Iterable[str]) -> str:
        """A sentence on labels that no class has, with what they may have been meant for."""
        found = sorted(set(labels))
        told = [
            f"{shortened(label, LONGEST)!r}{near(label, self.indices)}" for label in found[:_SHOWN]
        ]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return (
            f"has labels that the palette does not hold: {', '.join(told)}{more}; add them to it, "
            "say what they are by --labels, or choose --unknown ignore"
        )


_SHOWN = 5

LONGEST = 80
"""Characters of a label that are shown."""


def _background(
    wanted: str | int | None, indices: dict[str, int], palette: Palette, ignored: int
) -> int:
    """The index of pixels that no shape covers. Raises UsageError."""
    if wanted is None:
        return next((indices[name] for name in BACKGROUNDS if name in indices), ignored)
    index = None
    if not isinstance(wanted, bool):
        with suppress(KeyError):
            index = index_of(wanted, indices, palette, ignored)
    if index is None:
        raise UsageError(
            f"background must be a class of palette {palette.name!r}, by name or index, or "
            f"{IGNORE!r}, got {shortened(repr(wanted), LONGEST)}{near(str(wanted), indices)}"
        )
    return index
