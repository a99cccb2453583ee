"""Files that map one thing to another: a JSON object, or two columns of CSV or TSV."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gpuseg import storage
from gpuseg.errors import PaletteError
from gpuseg.palettes.load import read_stored
from gpuseg.palettes.readers.delimited import delimiter_of
from gpuseg.palettes.readers.fields import failure
from gpuseg.palettes.readers.records import JsonObject, parse_json
from gpuseg.palettes.readers.text import split_lines

MAX_BYTES = 1 << 22
"""Largest file of a map: 65,536 lines are less."""

_COLUMNS = (("from", "to"), ("old", "new"), ("source", "target"))


@dataclass(frozen=True, slots=True)
class Form:
    """What a map looks like.

    json, row: an example of either. is_old: whether a table without a header may begin with this
    cell, without blanks and in lower case. columns: names of both that a header may have, besides
    from and to and the like.
    """

    json: str
    row: str
    is_old: Callable[[str], bool]
    columns: tuple[tuple[str, str], ...] = ()


def read_pairs(spec: str | os.PathLike[str], form: Form) -> Iterable[tuple[object, object]]:
    """Old and new of each pair of a file, or of what lies at a URL.

    Cells of a table are text without blanks around it; rows that begin with # are left out.
    Raises PaletteError for a file that cannot be read, PaletteFormatError for what is no map.
    """
    where = os.fspath(spec)
    data = read_stored(where, "map") if storage.is_url(where) else _read(Path(spec))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise failure(where, "a map in JSON, CSV or TSV", "a file that is no UTF-8") from None
    if not text.lstrip().startswith(("{", "[")):
        return _rows(text, where, form)
    value = parse_json(text, where)
    if not isinstance(value, JsonObject):
        raise failure(where, f"a JSON object such as {form.json}", value)
    return value.items()


def same_name(text: str) -> str:
    """What two names have in common that differ by case, blanks, hyphens and underscores only."""
    return re.sub(r"[\s_-]+", "", text).casefold()


def _read(path: Path) -> bytes:
    where = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PaletteError(
            f"the map {where!r} cannot be read: {error.strerror}; mend that, or give another"
        ) from error
    if len(data) > MAX_BYTES:
        raise failure(where, f"a map of at most {MAX_BYTES} bytes", "more")
    return data


def _rows(text: str, where: str, form: Form) -> Iterable[tuple[object, object]]:
    """Old and new of each row of a delimited table."""
    lines = [line for line in split_lines(text) if line.strip() and not line.startswith("#")]
    delimiter = delimiter_of(lines[0]) if lines else None
    if delimiter is None:
        came = lines[0] if lines else "no rows"
        raise failure(where, f"rows of two columns such as {form.row}", came)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as broken:
        raise failure(where, f"rows of two columns such as {form.row}", str(broken)) from broken
    words = [same_name(cell) for cell in rows[0]]
    both = (*_COLUMNS, *form.columns)
    known = [pair for pair in both if all(words.count(name) == 1 for name in pair)]
    old, new = 0, 1
    if known:
        old, new = (words.index(name) for name in known[0])
        rows = rows[1:]
    elif not form.is_old(words[0]):
        raise failure(where, "a header with the columns from and to, each once", lines[0])
    elif len(words) != 2:
        raise failure(where, "two columns, or a header with from and to", lines[0])
    for row in rows:
        if not max(old, new) < len(row) <= len(words):
            raise failure(where, f"{len(words)} columns, as in the first row", ",".join(row))
        yield row[old].strip(), row[new].strip()
