"""The palette of a run, kept in the head of its report: what label maps in DST mean."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpuseg.errors import PaletteError
from gpuseg.palette import Palette, PaletteClass

REPORT = "gpuseg-report"
"""What the names of reports in DST begin with; they end in .jsonl."""

_MAX_LINE = 1 << 24


def describe(palette: Palette, ignore_index: int) -> dict[str, Any]:
    """What the head of a report says of a palette. ignore_index: the one that was written."""
    return {
        "palette": palette.name,
        "ignore_index": ignore_index,
        "class_table": [
            {"index": entry.index, "name": entry.name, "colour": entry.hex}
            for entry in palette.classes
        ],
    }


def read_head(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The head of a report, None for a file that is none or is not there."""
    try:
        with open(path, "rb") as file:
            head = json.loads(file.readline(_MAX_LINE))
    except (OSError, ValueError):
        return None
    return head if isinstance(head, dict) and head.get("type") == "run" else None


def palette_of_run(dst: str | os.PathLike[str]) -> Palette | None:
    """The palette that the label maps in DST were made with, None where no report tells.

    Its ignore index is the one that was written. Looks at `gpuseg-report*.jsonl` in DST, the
    first by name.
    """
    for path in sorted(Path(dst).glob(f"{REPORT}*.jsonl")):
        head = read_head(path)
        if head is not None and "class_table" in head:
            return palette_of_head(head)
    return None


def palette_of_head(head: Mapping[str, Any]) -> Palette | None:
    """The palette that the head of a report describes, None where it does not as we write it."""
    try:
        classes = tuple(
            PaletteClass(row["index"], row["name"], tuple(bytes.fromhex(row["colour"][1:])))  # type: ignore[arg-type]  # Palette checks the length
            for row in head["class_table"]
        )
        return Palette(classes, name=head["palette"], ignore_index=head["ignore_index"])
    except (KeyError, TypeError, ValueError, PaletteError):  # not as we write it
        return None
