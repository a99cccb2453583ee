"""Inputs to start from, made anew each time: no files that could rot."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fuzz import making
from tests.fuzz.supply import Supply


def _inputs() -> list[bytes]:
    noise = random.Random(7)
    found = []
    for target in range(8):
        for size in (3, 20, 60, 150, 400):
            found += [bytes([target]) + noise.randbytes(size) for _ in range(6)]
    for k in range(12):
        content = making.build(Supply(bytes([k, 0]) + noise.randbytes(80))).data
        found.append(bytes([0, k & 1]) + content)
    return found


INPUTS = _inputs()


def write(folder: Path) -> None:
    """Put the inputs into a corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, data in enumerate(INPUTS):
        (folder / f"seed-{k:03}").write_bytes(data)
