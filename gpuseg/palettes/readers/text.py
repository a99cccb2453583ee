"""Line-based tables: labelmap.txt, label_colors.txt, labels.txt, GIMP palettes, `r g b` lines.

Lines that are empty or begin with # are skipped, but in labels.txt. The order gives the indices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpuseg.palette import VOID_COLOUR, PaletteClass, voc_colormap
from gpuseg.palettes.readers.fields import Draft, failure, parse_channels

GIMP_MAGIC = "GIMP Palette"

IGNORED, BACKGROUND = "__ignore__", "_background_"
"""The labels that a labels.txt begins with: labelme's for no class, and for no thing."""

_COLOUR_CELL = re.compile(r"[\s\d.,-]*", re.ASCII)
_THREE_NUMBERS = re.compile(r"-?\d+(\.\d*)?\s+-?\d+(\.\d*)?\s+-?\d+(\.\d*)?(\s|$)", re.ASCII)


def split_lines(text: str) -> list[str]:
    """Lines, ended by LF, CR LF or CR only: names may hold other Unicode separators."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number from 1, stripped line) of the lines that are neither empty nor comments."""
    for number, line in enumerate(split_lines(text), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def looks_like_labelmap(line: str) -> bool:
    """Whether a line has the form `name:r,g,b…`, its colour perhaps damaged."""
    name, colon, rest = line.partition(":")
    return bool(colon and name) and bool(_COLOUR_CELL.fullmatch(rest.partition(":")[0]))


def looks_like_rows(line: str) -> bool:
    """Whether a line begins with three numbers between blanks."""
    return bool(_THREE_NUMBERS.match(line))


def looks_like_labels(line: str) -> bool:
    """Whether a first line is one of those that only a labels.txt begins with."""
    return line in (IGNORED, BACKGROUND)


def read_labels(text: str, where: str) -> Draft:
    """The `labels.txt` of labelme: a name a line, the first `__ignore__`, the next `_background_`.

    By labelme's `labelme2voc.py` (in its examples): indices are line numbers, that of
    `__ignore__` is -1, which becomes 255, and colours are those of the VOC colour map (imgviz
    `label_colormap`). So masks that labelme wrote convert by this palette, while those in other
    colours have unknown ones. Raises PaletteFormatError naming the line.
    """
    lines = [line.strip() for line in split_lines(text.rstrip())]
    first = 1 if lines[0] == IGNORED else 0
    colours = voc_colormap(256)[:255].tolist()
    if len(lines) - first > len(colours):
        raise failure(where, f"at most {len(colours)} classes", f"{len(lines) - first}")
    seen = set[str]()
    for number, line in enumerate(lines, 1):
        coloured = looks_like_labelmap(line) or looks_like_rows(line)
        if not line or line.startswith("#") or line in seen or coloured:
            raise failure(
                f"{where}:{number}", "a name a line, each once (lines number the classes)", line
            )
        seen.add(line)
    classes = [
        PaletteClass(index, name, (red, green, blue))
        for index, (name, (red, green, blue)) in enumerate(
            zip(lines[first:], colours, strict=False)
        )
    ]
    notes = "The file has no colours: these are the VOC colour map's, as labelme writes masks."
    if not first:
        return Draft(tuple(classes), notes=notes)
    void = PaletteClass(255, IGNORED, VOID_COLOUR)
    return Draft((*classes, void), ignore_index=255, notes=notes)


def read_labelmap(text: str, where: str) -> Draft:
    """CVAT and Datumaro `labelmap.txt`: `name:r,g,b:parts:actions`.

    Raises PaletteFormatError naming the line.
    """
    classes: list[PaletteClass] = []
    expected = "name:r,g,b:parts:actions with channels 0 to 255"
    for number, line in numbered_lines(text):
        place = f"{where}:{number}"
        cells = line.split(":")
        if not 2 <= len(cells) <= 4 or not cells[0].strip():
            raise failure(place, f"{expected} (and no ':' in the name)", line)
        rgb = parse_channels(cells[1].split(","), place, expected, line)
        classes.append(PaletteClass(len(classes), cells[0].strip(), rgb))
    return Draft(tuple(classes))


def read_rows(text: str, where: str) -> Draft:
    """CamVid `label_colors.txt` (`r g b name`) or plain `r g b` lines.

    Raises PaletteFormatError naming the line.
    """
    classes: list[PaletteClass] = []
    for number, line in numbered_lines(text):
        classes.append(_row(line, len(classes), f"{where}:{number}"))
    return Draft(tuple(classes))


def read_gimp(text: str, where: str) -> Draft:
    """A GIMP palette (.gpl). Raises PaletteFormatError naming the line."""
    classes: list[PaletteClass] = []
    title = ""
    for number, line in numbered_lines(text):
        key, colon, value = line.partition(":")
        if line == GIMP_MAGIC or (colon and not classes and key in ("Name", "Columns")):
            title = value.strip() if key == "Name" else title
            continue
        entry = _row(line, len(classes), f"{where}:{number}")
        if entry.name == "Untitled":  # GIMP's word for no name
            entry = PaletteClass(entry.index, f"class {entry.index}", entry.rgb)
        classes.append(entry)
    return Draft(tuple(classes), name=title)


def _row(line: str, index: int, where: str) -> PaletteClass:
    cells = line.split(None, 3)
    rgb = parse_channels(cells[:3], where, "`r g b name` with channels 0 to 255", line)
    name = cells[3].strip() if len(cells) == 4 else f"class {index}"
    return PaletteClass(index, name, rgb)
