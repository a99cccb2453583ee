"""What labels are called in the palette: a map that the user gives.

| form                                                          | what it says                    |
|---------------------------------------------------------------|---------------------------------|
| JSON `{"licence plate": "car", "blur": "ignore", "lamp": 15}` | label to class, by name or index |
| CSV, TSV `licence plate,car`                                  | two columns, or a header        |

`ignore` stands for the ignore index, and `skip` leaves the shapes out, as if nobody had drawn them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping

from gpuseg.errors import UsageError
from gpuseg.palette import Palette
from gpuseg.palettes.mapping import IGNORE
from gpuseg.palettes.pairs import Form, read_pairs
from gpuseg.palettes.readers.fields import failure, is_decimal, parse_name
from gpuseg.text import shortened

SKIP = "skip"
"""Stands for no shape at all."""

Renaming = Mapping[str, str | int] | str | os.PathLike[str]
"""Labels and what they become: a class by name or index, IGNORE or SKIP; or the path of a file."""

_FORM = Form('{"licence plate": "car"}', "licence plate,car", bool, (("label", "class"),))

_SHOWN = 5
_LONGEST = 80
_DIGITS = 9


def load_renaming(spec: Renaming) -> dict[str, str | int]:
    """What each label becomes. Raises PaletteFormatError, PaletteError, UsageError."""
    if isinstance(spec, Mapping):
        return _checked(spec.items(), "the map of labels")
    if isinstance(spec, (str, os.PathLike)):
        return _checked(read_pairs(spec, _FORM), os.fspath(spec))
    raise UsageError(f"labels must be a dict or a file, got {type(spec).__name__}")


def resolved(
    renaming: Mapping[str, str | int], indices: Mapping[str, int], palette: Palette, ignored: int
) -> dict[str, int | None]:
    """The class index of each label of a map, None for what is left out.

    indices: of the names that there are. ignored: the ignore index. Raises UsageError for what
    the palette does not hold.
    """
    found: dict[str, int | None] = {}
    lacking: list[str] = []
    for label, wanted in renaming.items():
        try:
            found[label] = index_of(wanted, indices, palette, ignored)
        except KeyError:
            told = f"{shortened(label, _LONGEST)!r} to {shortened(str(wanted), _LONGEST)!r}"
            lacking.append(told + near(str(wanted), indices))
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        raise UsageError(
            f"labels must become classes of palette {palette.name!r}, by name or index, "
            f"{IGNORE!r} or {SKIP!r}, got {', '.join(lacking[:_SHOWN])}{more}"
        )
    return found


def near(name: str, names: Collection[str]) -> str:
    """Which of these names is nearly the same, as a remark, "" for none."""
    folded = {each.casefold(): each for each in names}
    found = difflib.get_close_matches(name.casefold(), folded, 1)
    return f" ({folded[found[0]]!r} is one)" if found else ""


def index_of(
    wanted: str | int, indices: Mapping[str, int], palette: Palette, ignored: int
) -> int | None:
    """The index that a class, by name or index, or IGNORE stands for; None for SKIP.

    Arguments as for `resolved`. Raises KeyError for what is no class, and UsageError for a word
    that is one, too.
    """
    if isinstance(wanted, str):
        word = wanted.strip().lower()
        if word in (IGNORE, SKIP):
            if indices.get(wanted, ignored) != ignored or (word == SKIP and wanted in indices):
                raise UsageError(
                    f"{wanted!r} is a class of palette {palette.name!r}, and means {word} here; "
                    f"write its index, {indices[wanted]}, for the class"
                )
            return ignored if word == IGNORE else None
        if wanted in indices:
            return indices[wanted]
        if not is_decimal(wanted) or len(wanted) > _DIGITS:
            raise KeyError(wanted)
        wanted = int(wanted)
    if wanted != ignored and wanted not in palette.label_indices:
        raise KeyError(wanted)
    return wanted


def _checked(items: Iterable[tuple[object, object]], where: str) -> dict[str, str | int]:
    """Each label once, with a name or an index."""
    found: dict[str, str | int] = {}
    for old, new in items:
        label = parse_name(old, where)
        if isinstance(new, bool) or not isinstance(new, (str, int)):
            raise failure(where, f"a class of {label!r}, by name or index", new)
        if found.setdefault(label, new) != new:
            raise failure(where, f"one class for {label!r}", "several")
    if not found:
        raise failure(where, "at least one label and what it becomes", "none")
    return found
