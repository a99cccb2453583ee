"""Runs a benchmark script as from the command line."""

import json
from pathlib import Path

from benchmarks.common import Script


def results(script: Script, folder: Path, *flags: str) -> dict[str, list[dict]]:
    """Rows of each table that a script saves, by title."""
    path = folder / "results.json"
    assert script.main(["--tiny", "--work", str(folder), "--json", str(path), *flags]) == 0
    data = json.loads(path.read_text(encoding="utf-8"))
    facts = {"processor", "python", "numpy", "zlib under Pillow", "file system of the work folder"}
    assert facts <= set(data["machine"])
    assert data["benchmark"] == script.name
    return {table["title"]: table["rows"] for table in data["tables"]}
