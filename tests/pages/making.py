"""Reports, and results of a survey, that tests of pages are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gpuseg.frequencies.counts import LabelCounts
from gpuseg.results import FileResult, UnknownColour

HEAD = {"type": "run", "gpuseg": "9.9", "verb": "convert", "src": "S", "dst": "D", "palette": "p"}
END = {"type": "summary", "seconds": 2.0, "exit_code": 0, "files": {"converted": 1}}


def write_report(
    path: Path, *rows: dict[str, Any] | FileResult, end: bool = True, **head: Any
) -> Path:
    """A report with these rows between its head and its end."""
    found = [row.row() if isinstance(row, FileResult) else row for row in rows]
    lines = [{**HEAD, **head}, *found, *([END] if end else [])]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
    return path


def failed(source: str, kind: str = "broken", message: str = "is damaged") -> dict[str, Any]:
    """The row of a file that failed."""
    return {"type": "file", "source": source, "status": "failed", "error": kind, "message": message}


def unknown(source: str, *colours: UnknownColour, pixels: int | None = None) -> FileResult:
    """The result of a file with unknown colours."""
    total = sum(c.pixels for c in colours) if pixels is None else pixels
    return FileResult(
        source=source, status="converted", unknown_pixels=total, unknown_colours=colours
    )


def counted(name: str, pixels: dict[int, int]) -> FileResult:
    """The result of counting one label map, one pixel high."""
    counts = LabelCounts(8, tuple(sorted(pixels)), tuple(pixels[i] for i in sorted(pixels)), b"")
    return FileResult(
        source=name, status="read", width=sum(pixels.values()), height=1, details=counts
    )
