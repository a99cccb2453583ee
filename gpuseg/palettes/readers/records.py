"""JSON tables of other tools: dictionaries of colours, lists of records, Datumaro.

| form                                              | from                             |
|---------------------------------------------------|----------------------------------|
| {"#RRGGBB": name or index}                        | FiftyOne mask targets            |
| {name or "index": "#RRGGBB" or [r, g, b]}         | scripts                          |
| {"classes": [{"title", "color"}]}                 | Supervisely meta                 |
| {"labels": [{"readable", "name", "color"}]}       | Mapillary Vistas config.json     |
| [{"id", "name", "color"}], {"categories": [...]}  | COCO panoptic                    |
| {"label_map", "segmentation_colors"}              | Datumaro dataset_meta.json       |
| [[r, g, b], ...], ["#RRGGBB", ...]                | scripts                          |

Without ids (or another of _INDEX_KEYS) the order in the file gives the indices.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

from gpuseg.errors import PaletteFormatError
from gpuseg.palette import PaletteClass
from gpuseg.palettes.readers.fields import (
    Draft,
    failure,
    is_decimal,
    is_hex,
    parse_colour,
    parse_hex,
    parse_index,
    parse_name,
)

_NAME_KEYS = ("readable", "title", "name", "label")
_INDEX_KEYS = ("id", "index", "idx", "class_id", "classId", "label_id", "labelId", "value")
_LIST_KEYS = ("labels", "classes", "categories")


class JsonObject(dict[str, object]):
    """A JSON object that also keeps the `pairs` of repeated keys, in file order."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parse_json(text: str, where: str) -> object:
    """The value of a JSON text, objects as JsonObject. Raises PaletteFormatError.

    A key that comes twice is an error, unless the keys are colours: then the class
    table decides what a repeated colour means.
    """

    def gather(pairs: list[tuple[str, object]]) -> JsonObject:
        found = JsonObject(pairs)
        if len(found) != len(pairs) and not all(is_hex(key) for key in found):
            twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
            raise failure(where, "each key once in a JSON object", twice)
        return found

    def refuse(constant: str) -> NoReturn:
        raise failure(where, "numbers that JSON knows", constant)

    try:
        return json.loads(text, object_pairs_hook=gather, parse_constant=refuse)
    except PaletteFormatError:
        raise
    except json.JSONDecodeError as broken:
        raise PaletteFormatError(
            f"{where}:{broken.lineno}: expected JSON, got a text that breaks off or is none "
            f"at column {broken.colno} ({broken.msg})"
        ) from broken
    except (ValueError, RecursionError) as broken:  # huge integers, deep nesting
        raise PaletteFormatError(f"{where}: expected readable JSON, got {broken}") from broken


def read_records(value: object, where: str) -> Draft:
    """The palette of a parsed JSON value in one of the forms above.

    Raises PaletteFormatError for any other value.
    """
    if isinstance(value, JsonObject):
        if "segmentation_colors" in value:
            return _datumaro(value, where)
        for key in _LIST_KEYS:
            items = value.get(key)
            if isinstance(items, list) and (not items or isinstance(items[0], JsonObject)):
                return _list(items, f"{where}: {key}")
        if value and all(is_hex(key) for key in value):
            return _colour_keys(value, where)
        if value:
            return _colour_values(value, where)
    if isinstance(value, list) and value:
        return _list(value, where)
    raise failure(
        where,
        "a JSON palette: colours by name, names by colour, a list of classes, or the "
        "format that gpuseg writes",
        value,
    )


def _list(items: list[object], where: str) -> Draft:
    records = [item for item in items if isinstance(item, JsonObject)]
    if records and len(records) != len(items):
        raise failure(
            where, "all classes as objects", next(i for i in items if not isinstance(i, JsonObject))
        )
    if not records:
        return Draft(
            tuple(
                PaletteClass(i, f"class {i}", parse_colour(item, f"{where}, class {i}"))
                for i, item in enumerate(items)
            )
        )
    key = next((k for k in _INDEX_KEYS if any(k in record for record in records)), None)
    return Draft(tuple(_record(r, i, key, where) for i, r in enumerate(records)))


def _record(record: JsonObject, position: int, index_key: str | None, where: str) -> PaletteClass:
    where = f"{where}, class {position}"
    if "color" not in record and "colour" not in record:
        raise failure(where, 'a "color"', record)
    if index_key is not None and index_key not in record:
        raise failure(where, f'an "{index_key}", as other classes have', record)
    index = position if index_key is None else parse_index(record[index_key], where)
    name = next((record[key] for key in _NAME_KEYS if key in record), f"class {index}")
    colour = parse_colour(record.get("color", record.get("colour")), where)
    return PaletteClass(index, parse_name(name, where), colour)


def _colour_keys(value: JsonObject, where: str) -> Draft:
    """{"#RRGGBB": name}, indices by order; or {"#RRGGBB": index} (a number or its digits)."""
    targets = [target for _, target in value.pairs]
    as_names = any(isinstance(t, str) and not is_decimal(t) for t in targets)
    classes = []
    for position, (key, target) in enumerate(value.pairs):
        place = f"{where}, {key}"
        index = position if as_names else parse_index(target, place)
        name = parse_name(target, place) if as_names else f"class {index}"
        classes.append(PaletteClass(index, name, parse_hex(key, place)))
    return Draft(tuple(classes))


def _colour_values(value: JsonObject, where: str) -> Draft:
    """{name: colour}, indices by order; {"3": colour} if all keys are digits: then indices."""
    as_index = all(is_decimal(key) for key in value)
    classes = []
    for position, (key, colour) in enumerate(value.pairs):
        place = f"{where}, {key[:40]!r}"
        index = parse_index(key, place) if as_index else position
        name = f"class {index}" if as_index else parse_name(key, place)
        classes.append(PaletteClass(index, name, parse_colour(colour, place)))
    return Draft(tuple(classes))


def _datumaro(value: JsonObject, where: str) -> Draft:
    """Colour n belongs to the n-th class id of label_map in ascending order."""
    labels, colours = value.get("label_map"), value["segmentation_colors"]
    if not isinstance(labels, JsonObject) or not isinstance(colours, list):
        raise failure(where, 'a "label_map" object and a "segmentation_colors" list', value)
    if len(labels) != len(colours):
        raise failure(
            where,
            f"one colour for each of the {len(labels)} labels in segmentation_colors",
            f"{len(colours)} colours",
        )
    rows = sorted((parse_index(key, f"{where}: label_map"), name) for key, name in labels.pairs)
    return Draft(
        tuple(
            PaletteClass(
                index,
                parse_name(name, f"{where}: label_map, {index}"),
                parse_colour(colour, f"{where}: segmentation_colors, class {index}"),
            )
            for (index, name), colour in zip(rows, colours, strict=True)
        )
    )
