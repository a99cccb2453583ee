"""Delimited tables: class_dict.csv and its many cousins, with commas, semicolons or tabs.

With a header: columns are found by name in any case and order, stray blanks do not
matter, other columns are left alone. Without: `name,r,g,b`, `r,g,b,name`,
`index,name,r,g,b` and `r,g,b` are read, whatever else needs a header.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gpuseg.errors import PaletteFormatError
from gpuseg.palette import PaletteClass
from gpuseg.palettes.readers.fields import (
    Draft,
    failure,
    parse_channels,
    parse_hex,
    parse_index,
)

_DELIMITERS = (",", ";", "\t")
_NUMBER = re.compile(r"\s*-?\d+(\.\d*)?\s*", re.ASCII)

# The first of these that the header has is the column
_NAMES = ("name", "class", "classname", "classes", "label", "labelname", "title", "category")
_INDICES = ("index", "id", "idx", "classid", "labelid", "classindex", "value")
_EITHER = ("class", "label", "classes", "category")  # names, or numbers that are indices
_CHANNELS = (("r", "red"), ("g", "green"), ("b", "blue"))
_HEXES = ("hex", "colour", "color", "hexcolour", "hexcolor", "rgbhex")

_FORM = "a header such as name,r,g,b, or rows name,r,g,b"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Positions of the columns; `rgb` has three, or one for #RRGGBB."""

    rgb: tuple[int, ...]
    name: int | None = None
    index: int | None = None


def delimiter_of(line: str) -> str | None:
    """The delimiter that comes most often in `line`, or None."""
    best = max(_DELIMITERS, key=line.count)
    return best if best in line else None


def is_header(line: str) -> bool:
    """Whether `line` is a header that names colour columns."""
    delimiter = delimiter_of(line)
    return delimiter is not None and _from_header(line.split(delimiter)) is not None


def read_delimited(text: str, where: str) -> Draft:
    """A delimited table. Raises PaletteFormatError naming the line."""
    rows = _rows(text, where)
    if not rows:
        raise failure(where, _FORM, "no rows")
    number, first = rows[0]
    columns = _from_header(first)
    if columns is not None:
        rows = rows[1:]
        columns = _with_numbers_as_indices(columns, first, [row for _, row in rows])
    else:
        columns = _from_shape(first, f"{where}:{number}")
    classes: list[PaletteClass] = []
    for number, row in rows:
        classes.append(_entry(row, columns, len(classes), f"{where}:{number}"))
    return Draft(tuple(classes))


def _rows(text: str, where: str) -> list[tuple[int, list[str]]]:
    """(line number, cells) of the rows that hold something; comments above them are skipped."""
    lines = (line.strip() for line in text.splitlines())
    sample = next((x for x in lines if x and (not x.startswith("#") or is_header(x))), "")
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(sample) or ",")
    try:
        for row in reader:
            comment = not found and row and row[0].startswith("#") and not _from_header(row)
            if any(cell.strip() for cell in row) and not comment:
                found.append((reader.line_num, row))
    except csv.Error as broken:
        raise PaletteFormatError(
            f"{where}:{reader.line_num}: expected {_FORM}, got a broken row ({broken})"
        ) from broken
    return found


def _from_header(row: Sequence[str]) -> _Columns | None:
    words = _words(row)
    channels = tuple(_find(words, names) for names in _CHANNELS)
    hex_column = _find(words, _HEXES)
    name, index = _find(words, _NAMES), _find(words, _INDICES)
    if None not in channels:
        return _Columns(tuple(c for c in channels if c is not None), name, index)
    if hex_column is not None and len(words) > 1:
        return _Columns((hex_column,), name, index)
    return None


def _with_numbers_as_indices(
    columns: _Columns, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> _Columns:
    """The columns; where none is the index, the first of _EITHER that holds only numbers is.

    `label,name,r,g,b` and `class,r,g,b` often hold ids: their rows need not be in order.
    """
    if columns.index is not None or not rows:
        return columns
    words = _words(header)
    numbers = [
        at
        for at in (words.index(word) for word in _EITHER if word in words)
        if all(at < len(row) and _NUMBER.fullmatch(row[at]) for row in rows)
    ]
    if not numbers:
        return columns
    others = (words.index(word) for word in _NAMES if word in words)
    name = next((at for at in others if at not in numbers), None)
    return _Columns(columns.rgb, name, numbers[0])


def _words(row: Sequence[str]) -> list[str]:
    return [re.sub(r"[\s_\-#]", "", cell).lower() for cell in row]


def _find(words: Sequence[str], names: Sequence[str]) -> int | None:
    return next((words.index(name) for name in names if name in words), None)


def _from_shape(row: Sequence[str], where: str) -> _Columns:
    shape = "".join("9" if _NUMBER.fullmatch(cell) else "a" for cell in row)
    known = {
        "999": _Columns((0, 1, 2)),
        "a999": _Columns((1, 2, 3), name=0),
        "999a": _Columns((0, 1, 2), name=3),
        "9a999": _Columns((2, 3, 4), name=1, index=0),
    }
    if shape not in known:
        raise failure(where, _FORM, ",".join(row))
    return known[shape]


def _entry(row: Sequence[str], columns: _Columns, position: int, where: str) -> PaletteClass:
    named = [c for c in (columns.name, columns.index) if c is not None]
    needed = max([*columns.rgb, *named]) + 1
    if len(row) < needed:
        raise failure(where, f"at least {needed} columns", ",".join(row))
    cells = [row[c] for c in columns.rgb]
    if len(cells) == 1:
        rgb = parse_hex(cells[0], where)
    else:
        expected = "red, green and blue as whole numbers 0 to 255"
        rgb = parse_channels(cells, where, expected, ",".join(row))
    index = position if columns.index is None else parse_index(row[columns.index], where)
    name = row[columns.name].strip() if columns.name is not None else ""
    return PaletteClass(index, name or f"class {index}", rgb)
