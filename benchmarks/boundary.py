"""What the boundary F-score costs beside reading both label maps of a pair, one thread."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Script, Table, interleaved, stopwatch
from benchmarks.conversions import convert
from benchmarks.real_sets import INDEXED, real_sets
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.batch import Labels
from gpuseg.evaluation.boundary import image_boundaries, radius
from gpuseg.evaluation.reading import Indices, Reader
from gpuseg.kernels.boundary import boundary_matches
from gpuseg.kernels.confusion import count_cells
from gpuseg.kernels.reference_boundary import boundary
from gpuseg.labels import load_label, save_label
from gpuseg.options import DEFAULT_MAX_PIXELS
from gpuseg.scratch import Scratch

SAMPLE = 40
"""Files of a set that are looked at, spread over it."""

BY_SCIPY = 2
"""Pairs of a set that SciPy judges: it takes some hundred times as long."""

IGNORED = 255
STRIDE = 8

NOTE = (
    "Best of all rounds, ms a Mpx of one image of a pair. read: both files, as `evaluate` reads "
    "them; cells: those of the confusion matrix; boundary: kernel and scores, θ being 0.75 % of "
    f"the diagonal. Predictions are the truths on a grid of {STRIDE} pixels, repeated: borders as "
    f"those of a network that ends at a stride of {STRIDE}. mirrored: with those turned left to "
    "right, so that little matches."
)

JUDGE = (
    f"SciPy: two Euclidean distance transforms a class, one run, of the first {BY_SCIPY} pairs; "
    "equal: whether it counts the same pixels."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A truth and its prediction, as files and read; and that prediction turned round."""

    paths: tuple[Path, Path]
    truth: Labels
    prediction: Labels
    mirrored: Labels

    @property
    def radius(self) -> float:
        """In pixels."""
        return radius(self.truth.shape, None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks (real_sets.py)")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table: a row a set."""
    table = Table("The boundary F-score, one thread")
    sets = list(mask_sets(args, work))
    if args.shared is not None:
        sets += real_sets(args.shared, work / "shared", tiny=True)
    for masks in sets:
        _add(table, masks, _pairs(masks, work), args.repeats)
    table.notes += [NOTE, JUDGE]
    yield table


def _pairs(masks: MaskSet, work: Path) -> list[Pair]:
    """Label maps of a set and predictions made from them."""
    folder, predicted = masks.folder, work / "predicted" / masks.name
    if masks.aside != INDEXED:
        folder = work / "labels" / masks.name
        convert(masks, folder)
    predicted.mkdir(parents=True)
    paths, pairs = sorted(folder.rglob("*.png")), []
    for i, path in enumerate(paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]):
        truth, target = load_label(path), predicted / f"{i}.png"
        prediction = _coarse(truth)
        save_label(target, prediction, "voc256")
        mirrored = np.ascontiguousarray(prediction[:, ::-1])
        pairs.append(Pair((path, target), truth, prediction, mirrored))
    return pairs


def _coarse(truth: Labels) -> Labels:
    rows, columns = (
        np.minimum(np.arange(side) // STRIDE * STRIDE + STRIDE // 2, side - 1)
        for side in truth.shape
    )
    return np.ascontiguousarray(truth[rows[:, None], columns])


def _add(table: Table, masks: MaskSet, pairs: Sequence[Pair], repeats: int) -> None:
    reader = Reader(None, Indices(), DEFAULT_MAX_PIXELS)
    work: dict[str, Callable[[Pair], object]] = {
        "read": partial(_read, reader, (Scratch(), Scratch())),
        "cells": lambda pair: count_cells(pair.truth, pair.prediction),
        "boundary": lambda pair: image_boundaries(pair.truth, pair.prediction, IGNORED),
        "mirrored": lambda pair: image_boundaries(pair.truth, pair.mirrored, IGNORED),
    }
    each = {name: stopwatch(partial(_each, one, pairs)) for name, one in work.items()}
    times = interleaved(each, repeats)
    pixels = sum(pair.truth.size for pair in pairs)
    ms = {name: 1e9 * taken.best / pixels for name, taken in times.items()}
    matched, found = _totals(pairs)
    scipy_ms, equal = _scipy(pairs[:BY_SCIPY])
    table.add(
        set=masks.name,
        pairs=len(pairs),
        Mpx=pixels / len(pairs) / 1e6,
        on_boundaries__pct=100 * found / (2 * pixels),
        matched__pct=100 * matched / found if found else None,
        **ms,
        boundary__times_read=ms["boundary"] / ms["read"],
        SciPy=scipy_ms,
        equal=equal,
    )


def _each(work: Callable[[Pair], object], pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        work(pair)


def _read(reader: Reader, memory: tuple[Scratch, Scratch], pair: Pair) -> None:
    for path, scratch in zip(pair.paths, memory, strict=True):
        reader.read(str(path), scratch.take)


def _totals(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Pixels that are matched, and all on boundaries, of truths and predictions."""
    matched = found = 0
    for pair in pairs:
        counts = boundary_matches(pair.truth, pair.prediction, pair.radius, IGNORED)[1]
        matched += int(counts[:, 1::2].sum())
        found += int(counts[:, ::2].sum())
    return matched, found


def _scipy(pairs: Sequence[Pair]) -> tuple[float | None, bool | None]:
    """Its ms a Mpx, and whether all counts are ours; None without SciPy."""
    try:
        transform = importlib.import_module("scipy.ndimage").distance_transform_edt
    except ImportError:
        return None, None
    found: list[list[list[int]]] = []
    seconds = stopwatch(lambda: found.extend(_transformed(pair, transform) for pair in pairs))()
    ours = [boundary_matches(p.truth, p.prediction, p.radius, IGNORED)[1].tolist() for p in pairs]
    return 1e9 * seconds / sum(pair.truth.size for pair in pairs), found == ours


def _transformed(pair: Pair, transform: Callable[..., Any]) -> list[list[int]]:
    """Counts as the kernel gives them."""
    counted = pair.truth != IGNORED
    edges = [(labels, boundary(labels, counted)) for labels in (pair.prediction, pair.truth)]
    rows = []
    for label in np.unique(np.concatenate([labels[edge] for labels, edge in edges])):
        predicted, true = (edge & (labels == label) for labels, edge in edges)
        row = []
        for own, other in ((predicted, true), (true, predicted)):
            near = transform(~other) <= pair.radius if other.any() else other
            row += [int(own.sum()), int((own & near).sum())]
        rows.append(row)
    return rows


SCRIPT = Script("boundary", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
