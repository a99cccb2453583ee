"""load_palette: a preset name or a palette file of any known format -> Palette.

The content decides what a file is, not its suffix:

    PNG                  the PLTE chunk of a palette PNG       readers/image.py
    JSON                 ours, or one of many tools            readers/own.py, records.py
    GIMP Palette         .gpl                                  readers/text.py
    name:r,g,b:…         labelmap.txt (CVAT, Datumaro)         readers/text.py
    r g b [name]         label_colors.txt (CamVid, DIGITS)     readers/text.py
    __ignore__, names    labels.txt (labelme): VOC's colours   readers/text.py
    commas and the like  class_dict.csv                        readers/delimited.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from gpuseg import storage
from gpuseg.errors import PaletteError, PaletteFormatError, UsageError
from gpuseg.options import OnDuplicate
from gpuseg.palette import Palette
from gpuseg.palettes import presets
from gpuseg.palettes.readers import delimited, image, own, records, text
from gpuseg.palettes.readers.fields import Draft, failure

MAX_BYTES = 1 << 26
"""Largest palette file read, 64 MiB (a palette PNG holds its pixels too)."""

FORMATS = (
    "JSON, labelmap.txt (name:r,g,b), label_colors.txt (r g b name), CSV (name,r,g,b), "
    "GIMP .gpl, labelme's labels.txt (which begins with __ignore__) or a palette PNG"
)
_SUFFIXES = frozenset({".json", ".txt", ".csv", ".tsv", ".gpl", ".png", ".bmp", ".yaml", ".py"})


def load_palette(
    spec: str | os.PathLike[str] | Palette, *, on_duplicate: OnDuplicate = "error"
) -> Palette:
    """The palette that `spec` names.

    spec: a preset name (see `presets.preset_names`), the path of a palette file, or a
        Palette, which is returned as it is. A preset wins over a file of the same
        name; write `./voc` for the file.
    on_duplicate: for files that give one colour to several classes: `error`, or keep
        the `first` or `last` of them and list the others in `merged`.

    Raises UsageError for a wrong `on_duplicate` or type of `spec`, PaletteError for an
    unknown preset or a missing file, PaletteFormatError for a file that cannot be
    read, and DuplicateColourError.
    """
    if on_duplicate not in get_args(OnDuplicate):
        raise UsageError(f"on_duplicate must be error, first or last, got {on_duplicate!r}")
    if isinstance(spec, Palette):
        return spec
    if isinstance(spec, str):
        if spec in presets.preset_names():
            return presets.load_preset(spec)
        if not _is_path(spec):
            raise presets.unknown_preset(spec)
    if not isinstance(spec, (str, os.PathLike)):
        raise UsageError(
            f"palette must be a preset name, a path or a Palette, got {type(spec).__name__}"
        )
    path = Path(spec)
    if isinstance(spec, str) and storage.is_url(spec):
        data, where = read_stored(spec, "palette file"), spec
    else:
        data, where = _read_bytes(path), str(path)
    return _resolve(read_draft(data, where), path.stem, on_duplicate)


def read_draft(data: bytes, where: str) -> Draft:
    """What the bytes of a palette file say; `where` is its name in messages.

    Raises PaletteFormatError.
    """
    if data.startswith(image.PNG_MAGIC):
        draft = image.read_image(data, where)
    else:
        draft = _read_text(_decode(data, where), where)
    if not draft.classes:
        raise failure(where, "at least one class", "none")
    return draft


def _read_text(content: str, where: str) -> Draft:
    stripped = content.lstrip()
    if stripped.startswith(("{", "[")):
        value = records.parse_json(content, where)
        if isinstance(value, records.JsonObject) and value.get("format") == own.FORMAT:
            return own.read_own(value, where)
        return records.read_records(value, where)
    number, line = next(text.numbered_lines(content), (1, ""))
    reader = _text_reader(stripped, line)
    if reader is None:
        raise failure(f"{where}:{number}", f"a palette: {FORMATS}", line or "no class")
    return reader(content, where)


def _text_reader(stripped: str, line: str) -> Callable[[str, str], Draft] | None:
    """The reader for a text that begins so and whose first row is `line`."""
    if stripped.startswith(text.GIMP_MAGIC):
        return text.read_gimp
    if text.looks_like_rows(line):
        return text.read_rows
    if text.looks_like_labelmap(line):
        return text.read_labelmap
    if text.looks_like_labels(line):
        return text.read_labels
    if delimited.delimiter_of(line):
        return delimited.read_delimited
    return None


def _decode(data: bytes, where: str) -> str:
    if not data.strip():
        raise failure(where, f"a palette: {FORMATS}", "an empty file")
    if b"\0" in data:
        raise failure(where, f"a palette: {FORMATS}", "a binary file of another kind")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = data.count(b"\n", 0, broken.start) + 1
        raise PaletteFormatError(
            f"{where}:{line}: expected UTF-8 text, got the byte "
            f"0x{data[broken.start]:02x}; save the file as UTF-8"
        ) from broken


def read_stored(url: str, what: str) -> bytes:
    """The bytes of a small file in a storage. what: it is, for messages. Raises PaletteError."""
    try:
        data = storage.read_start(url, MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or error
        raise PaletteError(
            f"the {what} {url} cannot be read: {reason}; mend that, or give another"
        ) from error
    if data is None:
        raise PaletteError(f"the {what} {url} does not exist; give the URL of one")
    if len(data) > MAX_BYTES:
        raise failure(url, f"a {what} of at most {MAX_BYTES} bytes", "more")
    return data


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise PaletteError(
                f"palette file {str(path)!r} does not exist; give the path of a palette file "
                "or a preset name (gpuseg palettes lists them)"
            )
        if not path.is_file():  # a folder, or a pipe or device that may never end
            raise PaletteFormatError(f"{path}: expected a palette file, got a folder or a device")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as broken:  # ValueError: a null byte in the path
        if isinstance(broken, PaletteError):
            raise
        reason = getattr(broken, "strerror", None) or broken
        raise PaletteError(
            f"palette file {str(path)!r} cannot be read: {reason}; mend that, or give another"
        ) from broken
    if len(data) > MAX_BYTES:
        raise failure(str(path), f"a palette file of at most {MAX_BYTES} bytes", "more")
    return data


def _resolve(draft: Draft, stem: str, on_duplicate: OnDuplicate) -> Palette:
    palette = Palette.resolve(
        draft.classes,
        on_duplicate,
        name=draft.name or stem or "palette",
        ignore_index=draft.ignore_index,
        source=draft.source,
        verified=draft.verified,
        notes=draft.notes,
    )
    if not draft.merged:
        return palette
    return replace(palette, merged=draft.merged + palette.merged)


def _is_path(spec: str) -> bool:
    """Whether a text that is no preset name means a file."""
    separators = {"/", os.sep, os.altsep or os.sep}
    if any(mark in spec for mark in separators) or Path(spec).suffix.lower() in _SUFFIXES:
        return True
    try:
        return Path(spec).is_file()
    except (OSError, ValueError):  # too long, or a null byte
        return False
