"""The palette of a run, kept in the head of its report: what label maps in DST mean."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gpuseg import storage
from gpuseg.errors import PaletteError
from gpuseg.names import kind_of
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.palette_entries import rgb_of

REPORT = "gpuseg-report"
"""What the names of reports in DST begin with; they end in .jsonl."""

_IS_CLASS = "ignore_index_is_a_class"

_MAX_LINE = 1 << 24


def describe(palette: Palette, ignore_index: int) -> dict[str, Any]:
    """What the head of a report says of a palette. ignore_index: the one that was written.

    `merged_table` are the classes that were given up for their colour. Where there are none the
    head has no such table: so it equals that of an older version, whose shards are of the same job.
    Where the ignore index is a class, which neither the palette nor, as far as can be told, its
    user made it, the head says so: 255 in a palette of 256 classes.
    """
    unsaid = palette.ignore_index is None and ignore_index == palette.ignore_for(
        palette.least_depth
    )
    return {
        **({_IS_CLASS: True} if unsaid and palette.is_real_class(ignore_index) else {}),
        "palette": palette.name,
        "ignore_index": ignore_index,
        "class_table": [
            {"index": entry.index, "name": entry.name, "colour": entry.hex}
            for entry in palette.classes
        ],
        **_merged_table(palette),
    }


def _merged_table(palette: Palette) -> dict[str, Any]:
    rows = [
        {"index": entry.index, "name": entry.name, "colour": entry.hex, "kept": entry.kept}
        for entry in palette.merged
    ]
    return {"merged_table": rows} if rows else {}


def read_head(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The head of a report, None for a file that is none or is not there."""
    try:
        if isinstance(path, str) and storage.is_url(path):
            return _head(storage.read_start(path, _MAX_LINE) or b"")
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe could wait for ever
            return None
        with open(path, "rb") as file:
            return _head(file.readline(_MAX_LINE))
    except (OSError, ValueError, RecursionError):  # RecursionError: thousands of brackets
        return None


def _head(start: bytes) -> dict[str, Any] | None:
    head = json.loads(start.partition(b"\n")[0])
    return head if isinstance(head, dict) and head.get("type") == "run" else None


def palette_of_run(dst: str | os.PathLike[str]) -> Palette | None:
    """The palette that the label maps in DST were made with, None where no report tells.

    dst: the folder, or one file in it. The palette's ignore index is the one that was written;
    it has none where that is a class, which nobody made it.
    Looks at `gpuseg-report*.jsonl` in the folder, the first by name; for `labels.tar` first at
    `labels.tar.gpuseg-report.jsonl` beside it, then at those of runs to archives of such a name.
    """
    place = os.fspath(dst)
    if storage.is_url(place):
        folder_url = place if kind_of(place) is None else place.rpartition("/")[0]
        reports: list[Path | str] = [*_stored(folder_url)]
    else:
        folder = Path(place) if os.path.isdir(place) else Path(place).parent
        reports = [*sorted(folder.glob(f"{REPORT}*.jsonl"))]
    if kind_of(place) is not None and not os.path.isdir(place):
        beside = f"{place}.{REPORT}.jsonl"
        reports = [beside, *(path for path in reports if _tells_of(path, place))]
    return palette_of_head(head_of_run(reports))


def _tells_of(report: Path | str, archive: str) -> bool:
    """Whether a report is of a run to archives such as this: `a-{0..9}.tar` to `a-3.tar`."""
    dst = (read_head(report) or {}).get("dst")
    if not isinstance(dst, str):
        return False
    pattern = ".*".join(map(re.escape, re.split(r"\{[^{}]*\}", _last(dst))))
    return re.fullmatch(pattern, _last(archive)) is not None


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _stored(dst: str) -> list[str]:
    """The reports in a folder of a storage, none where it cannot be listed."""
    try:
        found = storage.beginning_with(storage.join(dst, REPORT))
    except OSError:
        return []
    return [url for url in found if url.endswith(".jsonl")]


def head_of_run(reports: Iterable[Path | str]) -> dict[str, Any]:
    """The first head that tells of a palette: verbs that look leave reports, too. {}: none."""
    heads = (read_head(path) for path in reports)
    return next((head for head in heads if head is not None and "class_table" in head), {})


def palette_of_head(head: Mapping[str, Any]) -> Palette | None:
    """The palette that the head of a report describes, None where it does not as we write it."""
    try:
        classes = tuple(_class(row) for row in head["class_table"])
        merged = tuple(_merged(row) for row in head.get("merged_table", ()))
        name, ignored = head["palette"], head["ignore_index"]
        if type(name) is not str or type(ignored) is not int:
            return None
        said = None if head.get(_IS_CLASS) is True else ignored
        return Palette(classes, name=name, ignore_index=said, merged=merged)
    except (KeyError, TypeError, ValueError, PaletteError):  # not as we write it
        return None


def _class(row: Mapping[str, Any]) -> PaletteClass:
    """An entry of the class table; what has another type than ours writes raises TypeError."""
    index, name, colour = row["index"], row["name"], row["colour"]
    if type(index) is not int or type(name) is not str or type(colour) is not str:
        raise TypeError("a class is an index, a name and a colour")
    return PaletteClass(index, name, rgb_of(colour))


def _merged(row: Mapping[str, Any]) -> Merged:
    """The same of those that were given up for their colour."""
    entry, kept = _class(row), row["kept"]
    if type(kept) is not str:
        raise TypeError("what a class was given up for is a name")
    return Merged(entry.name, entry.index, kept, entry.rgb)
