"""The JSON format of gpuseg: holds everything a Palette says.

    {
      "format": "gpuseg-palette", "version": 1,
      "name": "rooms", "source": "", "verified": true, "notes": "", "ignore_index": 255,
      "classes": [{"index": 0, "name": "floor", "colour": "#808080"}],
      "merged": [{"index": 1, "name": "rug", "colour": "#808080", "kept": "floor"}]
    }

Only "format", "version" and "classes" are needed. Colours may also be [r, g, b].
"""

from __future__ import annotations

from typing import TypeVar

from gpuseg.palette import MAX_INDEX, Merged, PaletteClass
from gpuseg.palettes.readers.fields import Draft, failure, parse_colour, parse_index, parse_name
from gpuseg.palettes.readers.records import JsonObject

FORMAT = "gpuseg-palette"
VERSION = 1

_KEYS = (
    "format",
    "version",
    "name",
    "source",
    "verified",
    "notes",
    "ignore_index",
    "classes",
    "merged",
)
T = TypeVar("T")


def read_own(value: JsonObject, where: str) -> Draft:
    """The palette of a parsed JSON object whose "format" is FORMAT.

    Raises PaletteFormatError for another version, unknown keys and wrong types.
    """
    if value.get("version") != VERSION:
        raise failure(
            where, f'"version": {VERSION} (a newer gpuseg may read it)', value.get("version")
        )
    unknown = next((key for key in value if key not in _KEYS), None)
    if unknown is not None:
        raise failure(where, f"the keys {', '.join(_KEYS)}", unknown)
    ignore = value.get("ignore_index")
    return Draft(
        classes=tuple(
            _class(record, f"{where}: classes, entry {n}")
            for n, record in enumerate(_typed(value, "classes", list, [], where))
        ),
        name=parse_name(_typed(value, "name", str, "", where), where),
        ignore_index=None if ignore is None else parse_index(ignore, f"{where}: ignore_index"),
        source=parse_name(_typed(value, "source", str, "", where), where),
        notes=parse_name(_typed(value, "notes", str, "", where), where),
        verified=_typed(value, "verified", bool, True, where),
        merged=tuple(
            _merged(record, f"{where}: merged, entry {n}")
            for n, record in enumerate(_typed(value, "merged", list, [], where))
        ),
    )


def _typed(value: JsonObject, key: str, kind: type[T], default: T, where: str) -> T:
    found = value.get(key, default)
    if not isinstance(found, kind):
        raise failure(f"{where}: {key}", f"a JSON {kind.__name__}", found)
    return found


def _class(record: object, where: str) -> PaletteClass:
    if not isinstance(record, JsonObject) or not record.keys() >= {"index", "name", "colour"}:
        raise failure(where, "an object with index, name and colour", record)
    return PaletteClass(
        parse_index(record["index"], where),
        parse_name(record["name"], where),
        parse_colour(record["colour"], where),
    )


def _merged(record: object, where: str) -> Merged:
    needed = {"index", "name", "colour", "kept"}
    if not isinstance(record, JsonObject) or not record.keys() >= needed:
        raise failure(where, "an object with index, name, colour and kept", record)
    index = record["index"]
    # a class that was given up may have had an id that is no index (-1 in Cityscapes)
    if not isinstance(index, int) or isinstance(index, bool) or abs(index) > MAX_INDEX:
        raise failure(where, f"an index: a whole number -{MAX_INDEX} to {MAX_INDEX}", index)
    return Merged(
        parse_name(record["name"], where),
        index,
        parse_name(record["kept"], where),
        parse_colour(record["colour"], where),
    )
