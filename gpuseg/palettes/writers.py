"""save_palette: Palette -> file, in the format its suffix names.

.json   ours: everything, also ignore index, merged classes, source and notes
.csv    index,name,r,g,b
.txt    labelmap.txt: name:r,g,b:: (indices 0, 1, 2 … in order)
.gpl    GIMP palette               (indices 0, 1, 2 … in order)
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gpuseg.errors import PaletteError, UsageError
from gpuseg.output import write_atomically
from gpuseg.palette import Palette, PaletteClass
from gpuseg.palettes.load import read_draft
from gpuseg.palettes.readers.own import FORMAT, VERSION
from gpuseg.palettes.readers.text import GIMP_MAGIC


def save_palette(palette: Palette, path: str | os.PathLike[str]) -> None:
    """Write a palette; the suffix of `path` chooses the format. Replaces an existing file.

    What was rendered is read back before it is written, so a file that exists holds
    exactly these classes. Formats other than .json hold no ignore index, merged
    classes, source or notes.

    Raises UsageError for an unknown suffix, PaletteError when the format cannot hold
    the indices or a name, and OutputError when the file cannot be written.
    """
    write_atomically(os.fspath(path), render_palette(palette, Path(path).suffix))


def render_palette(palette: Palette, suffix: str) -> bytes:
    """The bytes of a palette file (UTF-8, lines end in LF). Errors as for save_palette."""
    suffix = suffix.lower()
    if suffix not in _RENDERERS:
        raise UsageError(
            f"a palette file must end in {', '.join(_RENDERERS)}, got {suffix or 'no suffix'!r}"
        )
    if suffix in (".txt", ".gpl"):
        _need_plain_indices(palette, suffix)
    try:
        data = _encode(palette, suffix)
    except UnicodeEncodeError as broken:
        raise PaletteError(
            f"palette {palette.name!r}: names must be whole Unicode characters, "
            f"got {broken.object[broken.start : broken.end]!a}"
        ) from broken
    _check_read_back(palette, data, suffix)
    return data


def _need_plain_indices(palette: Palette, suffix: str) -> None:
    wrong = next((n for n, entry in enumerate(palette.classes) if entry.index != n), None)
    if wrong is not None:
        entry = palette.classes[wrong]
        raise PaletteError(
            f"a {suffix} palette needs the indices 0, 1, 2 … in order, got {entry.index} for "
            f"{entry.name!r} at place {wrong} of palette {palette.name!r}; use .json or .csv"
        )


def _check_read_back(palette: Palette, data: bytes, suffix: str) -> None:
    """Raise PaletteError unless reading `data` gives the classes of `palette`."""
    if _holds(palette, data):
        return
    alone = (Palette((replace(entry, index=0),)) for entry in palette.classes)
    suspects = (n for n, one in enumerate(alone) if not _holds(one, _encode(one, suffix)))
    lost = palette.classes[next(suspects, 0)]
    raise PaletteError(
        f"a {suffix} palette needs names that its format can hold, got {lost.name!r} "
        f"(index {lost.index}) in palette {palette.name!r}; use .json or another name"
    )


def _holds(palette: Palette, data: bytes) -> bool:
    try:
        return read_draft(data, palette.name).classes == palette.classes
    except PaletteError:
        return False


def _encode(palette: Palette, suffix: str) -> bytes:
    return _RENDERERS[suffix](palette).encode("utf-8")


def _json(palette: Palette) -> str:
    head = {
        "format": FORMAT,
        "version": VERSION,
        "name": palette.name,
        "source": palette.source,
        "verified": palette.verified,
        "notes": palette.notes,
        "ignore_index": palette.ignore_index,
    }
    lines = [f"  {_dump(key)}: {_dump(value)}" for key, value in head.items()]
    lines.append(_json_rows("classes", [_json_class(entry) for entry in palette.classes]))
    if palette.merged:
        rows = [
            {**_json_class(PaletteClass(m.index, m.name, m.rgb)), "kept": m.kept}
            for m in palette.merged
        ]
        lines.append(_json_rows("merged", rows))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json_class(entry: PaletteClass) -> dict[str, object]:
    return {"index": entry.index, "name": entry.name, "colour": entry.hex}


def _json_rows(key: str, rows: list[dict[str, object]]) -> str:
    return f"  {_dump(key)}: [\n" + ",\n".join(f"    {_dump(row)}" for row in rows) + "\n  ]"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv(palette: Palette) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("index", "name", "r", "g", "b"))
    writer.writerows((entry.index, entry.name, *entry.rgb) for entry in palette.classes)
    return text.getvalue()


def _labelmap(palette: Palette) -> str:
    rows = ["{}:{},{},{}::\n".format(entry.name, *entry.rgb) for entry in palette.classes]
    return "# label:color_rgb:parts:actions\n" + "".join(rows)


def _gimp(palette: Palette) -> str:
    title = " ".join(palette.name.split())
    rows = ["{:3} {:3} {:3}\t{}\n".format(*e.rgb, e.name) for e in palette.classes]
    return f"{GIMP_MAGIC}\nName: {title}\nColumns: 16\n#\n" + "".join(rows)


_RENDERERS: dict[str, Callable[[Palette], str]] = {
    ".json": _json,
    ".csv": _csv,
    ".txt": _labelmap,
    ".gpl": _gimp,
}
