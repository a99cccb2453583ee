"""Saving predictions: against the usual loop of Pillow, and what a model waits for it."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import (
    Contender,
    Script,
    Table,
    Times,
    in_fresh_folder,
    interleaved,
    positive,
    stopwatch,
)
from benchmarks.conversions import convert
from benchmarks.measured import is_met
from benchmarks.predictions_model import (
    QUEUE,
    load_torch,
    model_tables,
    names_of,
    save_by_pillow,
)
from benchmarks.real_sets import real_sets
from benchmarks.samples import DRAWN_LARGE, DRAWN_SMALL, MaskSet, blobs, enough_copies, voc_palette
from gpuseg import PredictionWriter, load_label
from gpuseg.kernels.argmax import argmax_channels
from gpuseg.palette import Palette

Labels = NDArray[np.uint8]

OURS, LOOP = "PredictionWriter, 1 worker", "fromarray, putpalette, save"

BAR_LOOP = "≥ 5"
"""Time of the loop of Pillow by ours."""

BATCH = 8
"""Label maps of a batch, at most."""

MOST = 64
"""Label maps that are taken of a set."""

ABOUT_SAVING = (
    f"Batches of up to {BATCH} label maps in memory, uint8, to the last file on disk and the end "
    "of the report; sets are repeated under other names as in `end_to_end`. The loop saves each "
    "with Pillow's defaults. Ours has one thread that writes; who hands in copies meanwhile."
)


@dataclass(frozen=True, slots=True)
class Maps:
    """Label maps in batches of one size."""

    name: str
    batches: Sequence[Labels]
    palette: Palette

    @property
    def files(self) -> int:
        """How many label maps there are."""
        return sum(map(len, self.batches))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks, see real_sets.py")
    parser.add_argument(
        "--batches", type=positive, default=24, help="batches of the model (default: 24)"
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times of saving, of the largest scores, and of a model that saves."""
    saving = Table("Saving label maps", notes=[ABOUT_SAVING])
    for maps in _all_maps(args, work):
        contenders = {
            OURS: in_fresh_folder(work, partial(_save, maps)),
            LOOP: in_fresh_folder(work, partial(_loop, maps)),
        }
        _add_saving(saving, maps, interleaved(contenders, args.repeats))
    yield saving
    yield _largest_scores(args)
    yield from model_tables(args, work)


def _all_maps(args: argparse.Namespace, work: Path) -> Iterator[Maps]:
    """The drawn sets, then the real ones."""
    drawn = (("blobs-2mpx", DRAWN_LARGE, 20, 4), ("small-480x360", DRAWN_SMALL, 12, 8))
    for name, (_, *shape), classes, batches in drawn:
        height, width = (24, 32) if args.tiny else shape
        seeds = np.arange(batches * BATCH).reshape(batches, BATCH)[: 1 if args.tiny else None]
        stacks = [np.stack([blobs(height, width, classes, int(s)) for s in row]) for row in seeds]
        yield Maps(name, _repeated(stacks, args), voc_palette(classes))
    found = real_sets(args.shared, work, tiny=True) if args.shared is not None else iter(())
    yield from (_real_maps(masks, work, args) for masks in found if not masks.aside)


def _real_maps(masks: MaskSet, work: Path, args: argparse.Namespace) -> Maps:
    """The first label maps of a set, batches of one size each."""
    folder = work / f"{masks.name}-labels"
    convert(masks, folder)
    by_size: dict[tuple[int, ...], list[Labels]] = defaultdict(list)
    for path in masks.paths()[:MOST]:
        labels = load_label(masks.target(path, folder)).astype(np.uint8)
        by_size[labels.shape].append(labels)
    stacks = chain.from_iterable(
        (np.stack(found[i : i + BATCH]) for i in range(0, len(found), BATCH))
        for found in by_size.values()
    )
    return Maps(masks.name, _repeated(list(stacks), args), masks.palette)


def _repeated(batches: Sequence[Labels], args: argparse.Namespace) -> Sequence[Labels]:
    """The batches, until there are enough of them to be timed; they take no more memory."""
    sizes = [labels.size for batch in batches for labels in batch]
    return [*batches] * (1 if args.tiny else enough_copies(sizes))


def _save(maps: Maps, folder: Path) -> None:
    with PredictionWriter(folder / "dst", maps.palette, workers=1, queue=QUEUE) as writer:
        for number, labels in enumerate(maps.batches):
            writer.save(labels, names_of(number, labels))


def _loop(maps: Maps, folder: Path) -> None:
    plte = maps.palette.plte()
    for number, batch in enumerate(maps.batches):
        save_by_pillow(batch, names_of(number, batch), plte, folder)


def _add_saving(table: Table, maps: Maps, times: dict[str, Times]) -> None:
    ours, loop = times[OURS], times[LOOP]
    table.add(
        set=maps.name,
        files=maps.files,
        Mpx_a_file=sum(batch.size for batch in maps.batches) / maps.files / 1e6,
        ours__ms_a_file=1e3 * ours.best / maps.files,
        Pillow__ms_a_file=1e3 * loop.best / maps.files,
        of_the_best=loop.best / ours.best,
        of_the_medians=loop.median / ours.median,
        bar=BAR_LOOP,
        met=is_met(loop.best / ours.best, BAR_LOOP),
    )


def _largest_scores(args: argparse.Namespace) -> Table:
    """The channel of the largest score: scores in memory to labels in memory, one thread."""
    images, channels, height, width = (1, 5, 24, 32) if args.tiny else (2, 20, 512, 1024)
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((images, channels, height, width), np.float32)
    last = np.ascontiguousarray(scores.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    labels = np.empty((images, height, width), np.uint8)
    kinds = {"float32": scores, "float16": scores.astype(np.float16), "channels last": last}
    about = (
        f"{images} images of {width}×{height}, {channels} channels, one thread: scores in memory "
        "to the channel of the largest in memory. numpy and torch give int64."
    )
    table = Table("The largest scores", notes=[about])
    torch = load_torch()
    for kind, array in kinds.items():
        ways: dict[str, Contender] = {
            "gpuseg": stopwatch(partial(argmax_channels, array, labels)),
            "numpy": stopwatch(partial(array.argmax, 1)),
        }
        if torch is not None:
            ways["torch"] = stopwatch(partial(torch.from_numpy(array).argmax, 1))
        times = interleaved(ways, args.repeats)
        table.add(
            scores=kind, **{f"{way}__ms_a_Mpx": _ms_a_mpx(t, labels) for way, t in times.items()}
        )
    return table


def _ms_a_mpx(times: Times, labels: Labels) -> float:
    return 1e3 * times.best / (labels.size / 1e6)


SCRIPT = Script("predictions", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    raise SystemExit(SCRIPT.main())
