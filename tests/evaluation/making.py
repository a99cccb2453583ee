"""Predictions and truths that tests are made of, and what they score, counted pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpuseg import Palette, evaluate
from gpuseg.evaluation.cells import Cells, cells_of
from gpuseg.evaluation.evaluating import Sides
from gpuseg.evaluation.reading import Colours, Indices, Reader
from gpuseg.evaluation.result import Evaluation
from gpuseg.kernels.reference_confusion import count_cells
from gpuseg.results import FileResult
from tests.dumps import save_label_map
from tests.helpers import Lines, read_report
from tests.making import PALETTE, indices

Pair = tuple[np.ndarray, np.ndarray]


def err(truth: np.ndarray, seed: int = 0) -> np.ndarray:
    """A prediction as a network might err: shifted, and some blocks of another class."""
    rng = np.random.default_rng(seed)
    made = np.roll(truth, (seed % 3, 2), (0, 1))
    y, x = (int(rng.integers(0, size)) for size in truth.shape)
    made[y : y + 3, x : x + 4] = int(rng.integers(0, 5))
    return made


def made_pairs(count: int = 6) -> dict[str, Pair]:
    """Truth and prediction by name, some in a sub-folder; class 5 is in no truth of the first."""
    pairs = {}
    for i in range(count):
        truth = indices(9 + i, 14, seed=i, classes=2 + i % 4)
        prediction = err(truth, i)
        truth[:2, : i % 5] = 255
        pairs[f"{'sub/' if i % 2 else ''}{i}.png"] = (truth, prediction)
    return pairs


def save_pairs(root: Path, pairs: dict[str, Pair], palette: Palette | None = PALETTE) -> None:
    """Write `truth` and `pred` below a folder, as label maps."""
    for name, (truth, prediction) in pairs.items():
        save_label_map(root / "truth" / name, truth, palette)
        save_label_map(root / "pred" / name, prediction, palette)


def confusion(
    pairs: Sequence[Pair], classes: Sequence[int], ignore: int = 255
) -> np.ndarray[Any, Any]:
    """The confusion matrix, int64 (C, C + 2), one pixel after the other."""
    places = {index: k for k, index in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes) + 2), np.int64)
    for truth, prediction in pairs:
        for t, p in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
            if t != ignore:
                behind = len(classes) + (p != ignore)
                matrix[places[t], behind if p == ignore else places.get(p, behind)] += 1
    return matrix


def cells(truth: Any, prediction: Any, ignore: int = 255, classes: Any = range(6)) -> Cells:
    """The cells of two label maps. classes: None for all."""
    keys, pixels = count_cells(np.array(truth, np.uint16), np.array(prediction, np.uint16))
    known = None if classes is None else frozenset(classes)
    return cells_of(keys, pixels, ignore, known)


def read(name: str, found: Cells) -> FileResult:
    """The row of a pair that was read."""
    return FileResult(source=name, target=name, status="read", details=found)


def reader(palette: Palette | None = PALETTE, plan: Any = None, unmapped: Any = "error") -> Reader:
    colours = None if palette is None else Colours(palette, 255)
    return Reader(colours, Indices(plan, unmapped, 255), 1 << 20)


def sides(predictions: Path, palette: Palette | None = PALETTE) -> Sides:
    """Both sides read alike."""
    classes = None if palette is None else frozenset(palette.indices.tolist())
    return Sides(str(predictions), reader(palette), reader(palette), 255, classes)


def evaluated(folder: Path, **options: Any) -> Evaluation:
    return evaluate(folder / "pred", folder / "truth", **{"palette": PALETTE, **options})


def rows(folder: Path, **options: Any) -> tuple[Evaluation, Lines]:
    """The evaluation and its report: an input has one row."""
    found = evaluated(folder, report=folder / "evaluate.jsonl", **options)
    lines = read_report(folder / "evaluate.jsonl")
    assert len(lines.files) == found.report.done
    assert lines.summary["exit_code"] == found.report.exit_code
    return found, lines


def statuses(folder: Path, **options: Any) -> dict[str, str]:
    return {name: row["status"] for name, row in rows(folder, **options)[1].files.items()}
