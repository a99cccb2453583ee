"""Which class a label of an annotation is: by its name in the palette."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from gpuseg.annotations.format import Format
from gpuseg.errors import UsageError
from gpuseg.palette import BACKGROUNDS, Palette
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.shapes import Picture
from gpuseg.text import shortened


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The classes of labels.

    format: says by which names a label goes. indices: by these names. ignored: the ignore index.
    background: the index of what no shape covers. top: the largest index that is written.
    bare_is_void: as in Format, if it holds here. undrawn: labels of shapes to leave out.
    """

    format: Format
    indices: dict[str, int]
    ignored: int
    background: int
    top: int
    bare_is_void: bool = False
    undrawn: frozenset[str] = frozenset()

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
        undrawn = frozenset(n for n in format.undrawn if indices.get(n, ignored) == ignored)
        for name in format.ignored:
            indices.setdefault(name, ignored)
        for name in format.background:
            indices.setdefault(name, background)
        top = max(ignored, background, *indices.values())
        return cls(format, indices, ignored, background, top, void, undrawn)

    def index_of(self, label: str) -> int | None:
        """The index of a label's class, None where there is none."""
        names = self.format.names(label)
        return next((self.indices[name] for name in names if name in self.indices), None)

    def drawable(self, picture: Picture) -> Picture:
        """A picture without the shapes that the format's tool does not draw; they are counted."""
        hidden = Counter(s.label for s in picture.shapes if s.label in self.undrawn)
        if not hidden:
            return picture
        shapes = tuple(s for s in picture.shapes if s.label not in self.undrawn)
        return replace(picture, shapes=shapes, left_out=picture.left_out + hidden)

    def unknown(self, labels: Iterable[str]) -> str:
        """A sentence on labels that no class has, with what they may have been meant for."""
        found = sorted(set(labels))
        told = [
            f"{shortened(label, LONGEST)!r}{_near(label, self.indices)}" for label in found[:_SHOWN]
        ]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return (
            f"has labels that the palette does not hold: {', '.join(told)}{more}; add them to it, "
            "or choose --unknown ignore"
        )


_SHOWN = 5

LONGEST = 80
"""Characters of a label that are shown."""


def _near(label: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(label.casefold(), {n.casefold(): n for n in names}, 1)
    if not near:
        return ""
    return f" ({next(n for n in names if n.casefold() == near[0])!r} is one)"


def _background(
    wanted: str | int | None, indices: dict[str, int], palette: Palette, ignored: int
) -> int:
    """The index of pixels that no shape covers. Raises UsageError."""
    if wanted is None:
        return next((indices[name] for name in BACKGROUNDS if name in indices), ignored)
    if isinstance(wanted, str) and wanted in indices:
        return indices[wanted]
    number = int(wanted) if str(wanted).isdecimal() else -1
    if number != ignored and number not in palette.label_indices:
        raise UsageError(
            f"background must be a class of palette {palette.name!r}, by name or index, or the "
            f"ignore index {ignored}, got {wanted!r}"
        )
    return number
