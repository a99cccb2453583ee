"""Pairs of label maps that `evaluate` is measured on, and what it is measured against."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import gpuseg
from benchmarks.samples import DRAWN_SMALL, blobs, voc_palette
from gpuseg.discover import Source
from gpuseg.evaluation.evaluating import Sides
from gpuseg.evaluation.options import EvaluateOptions
from gpuseg.results import FileResult
from gpuseg.task import row_of

DRAWN = "small-480x360"

REAL = {
    "camvid12_train": ["camvid12_train/index_gray/*.png"],
    "all sets in equal parts": [
        "camvid12_train/index_gray/*.png",
        "labelme/*/SegmentationClass/*.png",
        "davis_P/*.png",
        "cocostuff_P/*.png",
        "laneseg_P/*.png",
        "human_parsing_P/*.png",
        "ade20k/*_challenge.png",
    ],
}
"""Real label maps, as they stand, a glob a set. The first are small, and their runs are short."""

CLASSES = 256

ERRORS = (
    "Truths as they stand in their sets; predictions are the truths as a network may err (coarse "
    "and shifted borders, areas of another class), written by gpuseg."
)


@dataclass(frozen=True, slots=True)
class PairSet:
    """Folders of truths and predictions of the same names. real: not drawn by us."""

    name: str
    truth: Path
    pred: Path
    pixels: int
    real: bool

    def names(self) -> list[str]:
        """Of the files, in order."""
        return sorted(os.listdir(self.truth))


@dataclass(frozen=True)
class Decoding:
    """Reads both sides of a pair, and does nothing with them.

    Here, for worker processes know no task of a main module.
    """

    sides: Sides
    options: EvaluateOptions

    def run(self, source: Source) -> FileResult:
        """Read a pair."""
        return row_of(source, self._read, self.options.max_pixels)

    def _read(self, source: Source) -> FileResult:
        truth, _ = self.sides.read(source)
        height, width = truth.labels.shape
        return FileResult(
            source=source.relative, target=source.target, status="read", width=width, height=height,
            format=truth.format, codec=truth.codec,
        )  # fmt: skip


def pair_sets(args: argparse.Namespace, work: Path) -> Iterator[PairSet]:
    """The set that is drawn here, then the real ones that there are."""
    if args.only in (None, DRAWN):
        yield make_pairs(DRAWN, draw(args, work / "drawn"), args.pairs, work)
    for name, globs in REAL.items() if args.shared is not None else ():
        if args.only not in (None, name):
            continue
        sets = [files for glob in globs if (files := sorted(args.shared.glob(glob)))]
        if sets:
            each = -(-args.pairs // len(sets))
            files = [path for files in sets for path in islice(cycle(files), each)]
            yield make_pairs(name, files[: args.pairs], args.pairs, work)


def draw(args: argparse.Namespace, folder: Path) -> list[Path]:
    """Label maps of blobs, written by gpuseg."""
    count, height, width = (4, 24, 32) if args.tiny else DRAWN_SMALL
    folder.mkdir()
    for i in range(min(count, args.pairs)):
        labels = blobs(height, width, 12, seed=i)
        gpuseg.save_label(folder / f"{i:04d}.png", labels, palette=voc_palette(12))
    return sorted(folder.iterdir())


def make_pairs(name: str, files: Sequence[Path], count: int, work: Path) -> PairSet:
    """So many pairs: copies of label maps, and what a network might have made of each."""
    folder = work / name.replace(" ", "-")
    truth, pred = folder / "truth", folder / "pred"
    truth.mkdir(parents=True)
    pred.mkdir()
    palette, pixels = voc_palette(CLASSES), 0
    made: dict[Path, tuple[Path, int]] = {}
    for i, path in enumerate(islice(cycle(files), count)):
        target = pred / f"{i:05d}.png"
        shutil.copyfile(path, truth / target.name)
        if path in made:
            shutil.copyfile(made[path][0], target)
        else:
            with Image.open(path) as image:
                labels = np.asarray(image)
            gpuseg.save_label(target, mistaken(labels, i), palette=palette)
            made[path] = target, labels.size
        pixels += made[path][1]
    return PairSet(name, truth, pred, pixels, name in REAL)


def mistaken(labels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """A prediction of labels, uint8 (H, W): borders are coarse and off, areas another class."""
    height, width = labels.shape
    coarse = labels[::2, ::2].repeat(2, 0).repeat(2, 1)[:height, :width]
    image = Image.fromarray(np.roll(coarse, (1, 2), (0, 1)))
    rng = np.random.default_rng(seed)
    for index in rng.choice(np.unique(labels), 3).tolist():
        centre = rng.uniform(0, 1, 2) * [width, height]
        size = rng.uniform(0.02, 0.1, 2) * [width, height]
        ImageDraw.Draw(image).ellipse([*(centre - size), *(centre + size)], fill=index)
    return np.array(image)


def count_all(files: Sequence[tuple[str, str]]) -> Any:
    """The confusion matrix of some pairs, int64 (256, 256), as a script counts it."""
    total = np.zeros(CLASSES * CLASSES, np.int64)
    for truth_path, pred_path in files:
        with Image.open(truth_path) as image:
            truth = np.asarray(image)
        with Image.open(pred_path) as image:
            prediction = np.asarray(image)
        counts = truth != 255
        keys = CLASSES * truth[counts].astype(np.int64) + prediction[counts]
        total += np.bincount(keys, minlength=CLASSES * CLASSES)
    return total.reshape(CLASSES, CLASSES)
