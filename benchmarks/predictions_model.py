"""A model whose predictions are saved: what its thread waits for that."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import Table, in_fresh_folder, interleaved
from benchmarks.measured import is_met
from benchmarks.samples import Pixels, blobs, voc_palette
from gpuseg import PredictionWriter
from gpuseg.palette import Palette

QUEUE = 4
"""Batches that may be unfinished."""

BAR_WAIT = "≤ 5"
"""Share of its time that the model's thread waits for room in the queue, in per cent."""

ABOUT_MODEL = (
    "The model's thread from the first batch to the return of the last save, and all of it until "
    "every file is there. In saving: inside `save`, which looks for the largest scores and copies "
    "them, or in argmax and the loop of Pillow. Waiting: the part of it in which `save` waits for "
    f"room, with {QUEUE} batches in the queue. The model has one thread; its scores are moved to "
    "those of drawn label maps, so that what is saved looks like predictions."
)


def names_of(number: int, labels: Sequence[Any]) -> list[str]:
    """A name for each image of a batch."""
    return [f"{number:04d}_{i}.png" for i in range(len(labels))]


def save_by_pillow(batch: Pixels, names: Sequence[str], plte: bytes, folder: Path) -> None:
    """The usual way: one image after the other, with Pillow's defaults."""
    for labels, name in zip(batch, names, strict=True):
        image = Image.fromarray(labels)
        image.putpalette(plte)
        image.save(folder / name)


def load_torch() -> Any:
    """The library on one thread, None where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(1)
    return torch


@dataclass(frozen=True, slots=True)
class Model:
    """What gives scores of so many channels.

    name: what it is. batches: what it is asked for, one after the other, of so many images.
    """

    name: str
    predict: Callable[[int], Any]
    batches: int
    images: int
    channels: int


def _model(args: argparse.Namespace) -> Model:
    """A small network on one thread, or products of matrices that take as long."""
    images, channels, height, width = (2, 5, 24, 32) if args.tiny else (4, 19, 512, 1024)
    count = 3 if args.tiny else args.batches
    drawn = [
        np.stack([blobs(height, width, channels, images * s + i) for i in range(images)])
        for s in range(min(count, 6))
    ]
    towards = [
        np.moveaxis(np.eye(channels, dtype=np.float32)[labels], -1, 1).copy() for labels in drawn
    ]
    torch = load_torch()
    if torch is None:
        rng = np.random.default_rng(0)
        matrix = rng.standard_normal((height, height), np.float32)

        def by_numpy(number: int) -> Any:
            scores = np.matmul(matrix, towards[number % len(towards)]) * np.float32(1e-6)
            return scores + towards[number % len(towards)]

        return Model("products of matrices by NumPy", by_numpy, count, images, channels)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 3, stride=2, padding=1), torch.nn.ReLU(),
        torch.nn.Conv2d(24, 24, 3, padding=1), torch.nn.ReLU(),
        torch.nn.Conv2d(24, channels, 1), torch.nn.Upsample(scale_factor=2.0, mode="bilinear"),
    )  # fmt: skip
    photographs = torch.rand(images, 3, height, width)
    tensors = [torch.from_numpy(each) for each in towards]

    def by_torch(number: int) -> Any:
        with torch.no_grad():
            return network(photographs).mul_(1e-3).add_(tensors[number % len(tensors)])

    return Model("a network of three convolutions by torch", by_torch, count, images, channels)


@dataclass(slots=True)
class Clock:
    """Seconds of one run: of the loop, in saving, waiting, and until every file is there."""

    loop: float = 0.0
    saving: float = 0.0
    waiting: float = 0.0
    whole: float = 0.0


def model_tables(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """What the model's thread does with its time, and the bars of that."""
    model = _model(args)
    palette = voc_palette(model.channels)
    ways: dict[str, Callable[[Path], Clock]] = {
        f"PredictionWriter, {n} worker{'s' * (n > 1)}": partial(_with_ours, model, palette, n)
        for n in (1, 2)
    }
    ways["argmax, then the loop of Pillow"] = partial(_with_pillow, model, palette)
    clocks: dict[str, list[Clock]] = {way: [] for way in ways}
    contenders = {
        way: in_fresh_folder(work, partial(_keep, clocks[way], each)) for way, each in ways.items()
    }
    interleaved(contenders, min(args.repeats, 3), slow=1e9)
    table = Table(f"A model that saves: {model.name}", notes=[ABOUT_MODEL])
    bars = Table("Bars of saving predictions")
    for way, found in clocks.items():
        clock = min(found[1:], key=lambda each: each.loop)  # the first warms up
        table.add(
            way=way,
            batches=model.batches,
            loop__ms_a_batch=1e3 * clock.loop / model.batches,
            in_saving__ms_a_batch=1e3 * clock.saving / model.batches,
            waiting__ms_a_batch=1e3 * clock.waiting / model.batches,
            all__ms_a_batch=1e3 * clock.whole / model.batches,
            in_saving__pct=100 * clock.saving / clock.loop,
            waiting__pct=100 * clock.waiting / clock.loop,
        )
        if way.startswith("PredictionWriter"):
            shares = [100 * each.waiting / each.loop for each in found[1:]]
            least, most = min(shares), max(shares)
            bars.add(
                share=f"waiting of the model's thread (%), {way}",
                least=least,
                most=most,
                bar=BAR_WAIT,
                met=is_met(most, BAR_WAIT),
            )
    yield table
    yield bars


def _keep(clocks: list[Clock], way: Callable[[Path], Clock], folder: Path) -> None:
    clocks.append(way(folder))


def _with_ours(model: Model, palette: Palette, workers: int, folder: Path) -> Clock:
    clock, begun = Clock(), perf_counter()
    with PredictionWriter(folder, palette, workers=workers, queue=QUEUE) as writer:
        for number in range(model.batches):
            scores = model.predict(number)
            saving = perf_counter()
            writer.save(scores, names_of(number, range(model.images)))
            clock.saving += perf_counter() - saving
        clock.loop = perf_counter() - begun
    clock.whole, clock.waiting = perf_counter() - begun, writer.waited
    return clock


def _with_pillow(model: Model, palette: Palette, folder: Path) -> Clock:
    clock, begun, plte = Clock(), perf_counter(), palette.plte()
    for number in range(model.batches):
        scores = model.predict(number)
        saving = perf_counter()
        labels = np.asarray(scores.argmax(1)).astype(np.uint8)
        save_by_pillow(labels, names_of(number, labels), plte, folder)
        clock.saving += perf_counter() - saving
    clock.loop = clock.whole = perf_counter() - begun
    return clock
