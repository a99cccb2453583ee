"""Which index becomes which: maps from files, and from the names of two palettes.

| form                                                  | what it says                            |
|-------------------------------------------------------|-----------------------------------------|
| JSON `{"7": 0, "8": 1, "255": "ignore"}`              | index to index                          |
| CSV, TSV `7,0`                                        | two columns, or a header with both      |
| `cityscapes-ids:cityscapes`, any `FROM:TO`            | classes of equal names                  |
| `coco-panoptic:contiguous`, any `FROM:contiguous`     | classes numbered anew, without gaps     |
| `reduce-zero-label`                                   | 0 is no class, n becomes n - 1          |

The last is what trainers do to ADE20K (open-mmlab/mmsegmentation 1.2.2,
mmseg/datasets/transforms/loading.py, `reduce_zero_label`): 255 stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import index as whole_number

from gpuseg import storage
from gpuseg.errors import PaletteError, PaletteFormatError, UsageError
from gpuseg.palette import MAX_INDEX, VOID_NAMES, Merged, Palette, PaletteClass
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.pairs import Form, read_pairs, same_name
from gpuseg.palettes.readers.fields import failure, parse_index

IGNORE = "ignore"
"""Stands for the ignore index."""

CONTIGUOUS, REDUCE_ZERO = "contiguous", "reduce-zero-label"

_FORM = Form('{"7": 0, "255": "ignore"}', "7,0", str.isdecimal, (("id", "trainid"),))

Spec = Mapping[int, int | str] | str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class IndexMap:
    """Old indices and new ones.

    pairs: (old, new), by old, `new` being None for the ignore index. palette: what the new ones
    mean, None where that is not said. unmatched: classes that have no equal, with their index.
    is_rule: it names all indices that may be, whether they are classes or not.
    """

    pairs: tuple[tuple[int, int | None], ...]
    palette: Palette | None = None
    unmatched: tuple[tuple[int, str], ...] = ()
    is_rule: bool = False


def load_mapping(spec: Spec) -> IndexMap:
    """The map that `spec` says: a dictionary, a file, or a form of the table above.

    A file wins over a form of the same name. Raises PaletteFormatError for what cannot be read,
    PaletteError for palettes that do not exist or whose names do not tell, and UsageError for
    what is none of these.
    """
    if isinstance(spec, Mapping):
        return _index_map(spec.items(), "the mapping")
    if not isinstance(spec, (str, os.PathLike)):
        raise UsageError(f"a mapping must be a dict, a file or FROM:TO, got {type(spec).__name__}")
    if os.path.isfile(spec):
        return _index_map(read_pairs(spec, _FORM), os.fspath(spec))
    text = os.fspath(spec)
    if storage.is_url(text) and ":" not in text[text.index("://") + 3 :]:
        return _index_map(read_pairs(text, _FORM), text)
    if text == REDUCE_ZERO:
        pairs = ((n, n - 1 if 0 < n < 255 else None) for n in range(256))
        return IndexMap(tuple(pairs), is_rule=True)
    start, colon, end = text.partition(":")
    if not (start and colon and end):
        raise UsageError(
            "a mapping must be a JSON, CSV or TSV file that exists, FROM:TO (two presets or "
            f"palette files), FROM:{CONTIGUOUS} or {REDUCE_ZERO}, got {text!r}"
        )
    try:
        old = load_palette(start)
        new = None if end == CONTIGUOUS else load_palette(end)
    except PaletteError as error:
        raise type(error)(
            f"the mapping {text!r} names two palettes, FROM:TO, and one cannot be had: {error}; "
            'a map of numbers is a file: JSON such as {"7": 0}, or CSV lines such as 7,0'
        ) from error
    return _renumbered(old) if new is None else match(old, new)


def match(old: Palette, new: Palette) -> IndexMap:
    """Classes of one palette to those of equal names in another.

    Names are equal but for case, blanks, hyphens and underscores. What means no class (the
    ignore index, void names) becomes the ignore index. Classes that were merged for their
    colours count, too. Raises PaletteError where one index has names of several classes.
    """
    indices: dict[str, set[int | None]] = {}
    for entry in _entries(new):
        # -1 stands for a class that label maps do not hold
        wanted_index = entry.index if entry.index >= 0 else None
        indices.setdefault(same_name(entry.name), set()).add(wanted_index)
    pairs: list[tuple[int, int | None]] = []
    unmatched: list[tuple[int, str]] = []
    for index, names in _names(old).items():
        found = [indices.get(same_name(name), set()) for name in names]
        wanted: set[int | None] = set().union(*found)
        if _is_void(index, names, old):
            pairs.append((index, None))
        elif not all(found):
            unmatched.append((index, " / ".join(names)))
        elif len(wanted) > 1:
            raise PaletteError(
                f"index {index} of palette {old.name!r} ({', '.join(names)}) would become several "
                f"of {new.name!r}: {sorted(wanted, key=str)}; write the map as a file"
            )
        else:
            pairs.append((index, wanted.pop()))
    return IndexMap(tuple(pairs), new, tuple(unmatched))


def _names(palette: Palette) -> dict[int, list[str]]:
    """The names of each index, by index; what has no name but is ignored has none."""
    found: dict[int, list[str]] = {}
    for entry in _entries(palette):
        if entry.index >= 0:
            found.setdefault(entry.index, []).append(entry.name)
    found.setdefault(palette.ignore_for(8), [])
    return dict(sorted(found.items()))


def _entries(palette: Palette) -> list[PaletteClass | Merged]:
    """All classes, those that were merged for their colour, too."""
    return [*palette.classes, *palette.merged]


def _is_void(index: int, names: Iterable[str], palette: Palette) -> bool:
    void = all(name.strip().lower() in VOID_NAMES for name in names)
    return void or index == palette.ignore_index


def _renumbered(palette: Palette) -> IndexMap:
    """The classes of a palette, numbered anew by rising index, without gaps."""
    names = _names(palette)
    kept = [index for index, each in names.items() if not _is_void(index, each, palette)]
    new = {old: number for number, old in enumerate(kept)}
    if len(kept) > 255:
        raise PaletteError(
            f"palette {palette.name!r} has {len(kept)} classes, indices 0 to 254 are for 255; "
            "write the map as a file"
        )
    made = Palette(
        tuple(replace(c, index=new[c.index]) for c in palette.classes if c.index in new),
        name=f"{palette.name}-{CONTIGUOUS}",
        ignore_index=255,
        source=palette.source,
        merged=tuple(
            Merged(m.name, new[m.index], m.kept, m.rgb) for m in palette.merged if m.index in new
        ),
    )
    return IndexMap(tuple((old, new.get(old)) for old in names), made)


def _index_map(items: Iterable[tuple[object, object]], where: str) -> IndexMap:
    """Checked pairs, each old index once."""
    pairs: dict[int, int | None] = {}
    for old, new in items:
        key = parse_index(_plain(old), where)
        if pairs.get(key, _MISSING) not in (_MISSING, value := _new_index(new, where)):
            raise failure(where, f"one new index for {key}", "several")
        pairs[key] = value
    if not pairs:
        raise failure(where, "at least one index and what it becomes", "none")
    return IndexMap(tuple(sorted(pairs.items())))


_MISSING = object()


def _new_index(value: object, where: str) -> int | None:
    if isinstance(value, str) and value.strip().lower() == IGNORE:
        return None
    try:
        return parse_index(_plain(value), where)
    except PaletteFormatError:
        raise failure(where, f"an index 0 to {MAX_INDEX} or {IGNORE!r}", value) from None


def _plain(value: object) -> object:
    """An integer of NumPy as one of Python; all else as it is."""
    if isinstance(value, (str, float, bool)):
        return value
    try:
        return whole_number(value)  # type: ignore[arg-type]  # what is no whole number raises
    except TypeError:
        return value
