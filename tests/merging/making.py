"""Reports of shards that tests of merging are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gpuseg.merging.parts import Part, read_parts

STARTED = "2026-11-26T01:00:{:02}.000+00:00"


def row(source: str, status: str = "converted", **fields: Any) -> dict[str, Any]:
    return {"type": "file", "source": source, "status": status, **fields}


def write_run(
    path: Path,
    *rows: dict[str, Any],
    shard: str = "1/1",
    second: int = 0,
    end: bool | dict[str, Any] = True,
    **head: Any,
) -> Path:
    """The report of a run that began in this second. end: fields of its summary, False for none."""
    first = {
        "type": "run", "gpuseg": "1", "verb": "convert", "src": "/s", "dst": "/d", "host": "one",
        "started": STARTED.format(second), "shard": shard, "pattern": None, **head,
    }  # fmt: skip
    files: dict[str, int] = {}
    for each in rows:
        if each["type"] == "file":
            files[each["status"]] = files.get(each["status"], 0) + 1
    last = {"type": "summary", "files": files, "seconds": 2.0, "exit_code": 0, "stopped": ""}
    ends = [] if end is False else [{**last, **(end if isinstance(end, dict) else {})}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in (first, *rows, *ends)))
    return path


def parts_of(*reports: Path) -> list[Part]:
    """Parts as they are once their rows were read."""
    parts = read_parts(reports)
    for part in parts:
        rows = [json.loads(line) for line in part.path.read_text().splitlines()]
        part.rows = sum(each["type"] == "file" for each in rows)
        part.end = next((each for each in rows if each["type"] == "summary"), None)
    return parts
