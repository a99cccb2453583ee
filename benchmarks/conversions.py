"""A set converted by gpuseg: how long it takes, what the report says of it, what was written."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import Contender, stopwatch
from benchmarks.samples import MaskSet
from gpuseg.convert import convert_directory
from gpuseg.results import Report


@dataclass(frozen=True, slots=True)
class Run:
    """One conversion. stages: seconds by stage, of all files. wall: seconds of the whole call."""

    stages: Mapping[str, float]
    wall: float
    files: int

    @property
    def rest(self) -> float:
        """Seconds of one worker that are no stage of any file."""
        return self.wall - sum(self.stages.values())


def convert(masks: MaskSet, target: Path, **options: Any) -> Report:
    """Convert a set as its options say; all of it must succeed."""
    chosen = {"device": "cpu", **masks.options, **options}
    report = convert_directory(masks.folder, target, masks.palette, **chosen)
    if report.failed:
        raise SystemExit(f"{masks.name}: {report.summary()}: {report.failures[0].message}")
    return report


def convert_once(masks: MaskSet, parent: Path, **options: Any) -> Run:
    """Convert a set into a folder of its own, which is removed again."""
    target = Path(tempfile.mkdtemp(dir=parent))
    try:
        made: list[Report] = []
        wall = stopwatch(lambda: made.append(convert(masks, target, **options)))()
        return Run(_stages(made[0]), wall, made[0].done)
    finally:
        shutil.rmtree(target)


def _stages(report: Report) -> dict[str, float]:
    stages: Counter[str] = Counter()
    assert report.path is not None
    with report.path.open(encoding="ascii") as lines:
        for row in map(json.loads, lines):
            if row["type"] == "file":
                stages.update(row.get("seconds", {}))
    return dict(stages)


def kept(runs: list[Run], masks: MaskSet, parent: Path, **options: Any) -> Contender:
    """A contender that converts a set and adds what is known of the run to `runs`."""

    def run() -> float:
        runs.append(convert_once(masks, parent, **options))
        return runs[-1].wall

    return run


def equal_labels(masks: MaskSet, labels: Mapping[str, Image.Image], target: Path) -> bool:
    """Whether the label maps below `target` have the same indices."""
    for path, expected in labels.items():
        with Image.open(masks.target(path, target)) as image:
            if not np.array_equal(np.asarray(image), np.asarray(expected)):
                return False
    return True
