"""`evaluate`: how good predictions are, by the truth of the same names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Unpack, cast

from gpuseg import storage
from gpuseg.discover import count_sources
from gpuseg.errors import UsageError
from gpuseg.evaluation.evaluating import Evaluating, Sides
from gpuseg.evaluation.options import EvaluateKeywords, EvaluateOptions, unsaid_ignore
from gpuseg.evaluation.pairing import OnePair, Pairs
from gpuseg.evaluation.reading import Colours, Indices, Reader
from gpuseg.evaluation.remarks import other_classes
from gpuseg.evaluation.result import Evaluation, conclude
from gpuseg.evaluation.scores import MOST_CLASSES
from gpuseg.evaluation.tables import image_table
from gpuseg.evaluation.tally import Tally
from gpuseg.evaluation.troubles import Troubles
from gpuseg.finding import is_archive
from gpuseg.folders import check_slashes
from gpuseg.kernels import backend
from gpuseg.options import Shard
from gpuseg.palette import Palette
from gpuseg.palettes.index_table import check_names
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.mapping import IndexMap, Spec, load_mapping
from gpuseg.palettes.of_run import REPORT, palette_of_run, read_head
from gpuseg.results import FileResult
from gpuseg.runs import (
    Begin,
    Flow,
    Progress,
    Running,
    StrPath,
    header,
    report_place,
    run,
    seen_by_all,
)
from gpuseg.verbs.saving import check_distinct

Take = Callable[[FileResult], object]


class Keywords(EvaluateKeywords, total=False):
    """The fields of `EvaluateOptions`, and a table of pairs, as keyword arguments."""

    images: StrPath | None


def evaluate(
    pred: StrPath,
    truth: StrPath,
    *,
    palette: Palette | StrPath | None = None,
    pred_map: Spec | IndexMap | None = None,
    truth_map: Spec | IndexMap | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[Keywords],
) -> Evaluation:
    """Score predictions by the truth: confusion matrix, IoU, Dice, precision, accuracy.

    pred, truth: a folder of each, or one file of each. Files of the same path but for the suffix
        are a pair. A palette or greyscale image is a label map, whose pixel is the index; any
        other is a colour mask, whose colours the palette knows.
    palette: what the indices mean: a Palette, the name of a preset, or a palette file. None takes
        that of `truth_map` or `pred_map`, else the one that a report in TRUTH or PRED names, if
        no map changes its indices; where there is none, all indices that occur are classes,
        called by their numbers.
    pred_map, truth_map: other indices for the label maps of a side, as `remap` takes them.
    report: a file for a row of each pair. progress: as in `convert_directory`.
    options: the fields of `EvaluateOptions`, and
    images: a file for a table of all pairs, CSV, in the order in which they were done; it is
        there once all are.

    What counts are pixels whose truth is a class. A prediction of the ignore index, or of no
    class of the palette, is wrong there, and in favour of no class. A class that is nowhere has no
    score (NaN) and no part in means; an image without a pixel that counts has none.
    Statuses: `read`, `missing` (a truth without a prediction), `extra` (a prediction without a
    truth) and `failed`: sizes that differ, a truth that is no class of the palette, unknown
    colours, damage. Only pairs that were read are in the scores.
    Raises UsageError, PaletteError, OutputError, LabelError for indices that are too many to be
    classes, BackendError and DeviceError for a device, and Interrupted.
    """
    images = options.pop("images", None)
    check_distinct(report, images)
    settings = EvaluateOptions(**cast(EvaluateKeywords, options))
    places = [seen_by_all(os.fspath(path), settings) for path in (pred, truth)]
    pairs = _pairs(places[0], places[1], settings)
    maps = [_plan(pred_map, settings), _plan(truth_map, settings)]
    _check_unmapped(maps, settings)
    table = _palette(palette, maps, places)
    odd = [*_swapped(*places)]
    if palette is None:
        odd += other_classes(*_meanings(maps, places))
    folder = os.path.dirname(places[0]) if isinstance(pairs, OnePair) else places[0]
    sides = _sides(folder, maps, table, settings)
    task, tally = Evaluating(sides, settings), Tally(sides.ignore_index, settings.worst)
    troubles, head = Troubles(), header("evaluate", pairs, places[0])
    begin = _begin(task, settings)
    with image_table(images) as add_row:
        add = _each(tally.add, troubles.add, add_row)
        place = report_place(report)
        done = run(pairs, settings, place, head, begin, progress, add)
    truths = pairs.folder if pairs.folder is not None else ""
    return conclude(done, tally, troubles, table, truths, sides, odd)


def count_pairs(
    pred: str, truth: str, *, pattern: str | None, shard: Shard, pred_suffix: str, truth_suffix: str
) -> int:
    """How many rows an evaluation will have. Raises UsageError."""
    options = EvaluateOptions(pattern=pattern, pred_suffix=pred_suffix, truth_suffix=truth_suffix)
    return count_sources(_pairs(pred, truth, options), shard)


def _swapped(pred: str, truth: str) -> Iterator[str]:
    """A remark where only TRUTH holds what was saved as predictions, by its report."""
    heads = (read_head(os.path.join(place, f"{REPORT}.jsonl")) for place in (pred, truth))
    made = [head["verb"] if head is not None and "verb" in head else None for head in heads]
    if made[1] == "predict" != made[0]:
        yield (
            "TRUTH holds predictions that gpuseg.PredictionWriter saved, and PRED does not: are "
            "the two the wrong way round? PRED comes first"
        )


def _each(*takers: Take) -> Take:
    """Gives a result to all of these."""
    return lambda result: [take(result) for take in takers]


def _sides(
    folder: str, maps: list[IndexMap | None], table: Palette | None, options: EvaluateOptions
) -> Sides:
    """How pairs are read. folder: of the predictions. maps: of predictions and of truths."""
    ignore = _ignore_index(options.ignore_index, table)
    colours = Colours(table, ignore) if table is not None else None
    prediction, truth = (
        Reader(colours, Indices(plan, options.unmapped, ignore), options.max_pixels)
        for plan in maps
    )
    known = _classes(table, ignore)
    return Sides(folder, prediction, truth, ignore, known, options.boundary)


def _begin(task: Evaluating, options: EvaluateOptions) -> Begin:
    """What makes the flow. Raises BackendError for a device that cannot be used."""
    if options.device == "cpu":
        return lambda running: running.flow(task)
    number = backend.select(options.device).numbers[0]

    def begin(running: Running) -> Flow:
        from gpuseg.evaluation.on_device import DeviceFlow

        device, log = backend.open_device(number), running.writer.log
        return DeviceFlow(running.feed, task.sides, options, running.add, device, log)

    return begin


def _pairs(pred: str, truth: str, options: EvaluateOptions) -> Pairs | OnePair:
    """The pairs. Raises UsageError for what cannot be evaluated."""
    if options.column is not None:
        raise UsageError("--column names a column of Parquet files, which evaluate does not read")
    for called, place in (("PRED", pred), ("TRUTH", truth)):
        if storage.is_url(place):
            raise UsageError(f"{called} must be on this machine, got {place}; fetch it first")
        check_slashes(called, place)
        if not os.path.exists(place):
            raise UsageError(f"{called} {place} does not exist; give a folder of images, or one")
        if is_archive(place):
            raise UsageError(f"{called} must be a folder, got {place}, an archive; unpack it first")
    kinds = {os.path.isdir(pred), os.path.isdir(truth)}
    if len(kinds) > 1:
        raise UsageError(f"PRED and TRUTH must both be folders, or both files, got {pred}, {truth}")
    if os.path.samefile(pred, truth):  # by whatever name
        raise UsageError(f"PRED must not be TRUTH ({truth}), which is always right; name another")
    if kinds == {True}:
        return Pairs(
            truth,
            options.pattern,
            skip=os.path.realpath(pred),
            ending=options.truth_suffix,
            predictions=pred,
            prediction_ending=options.pred_suffix,
        )
    if options.pattern is not None or options.pred_suffix or options.truth_suffix:
        raise UsageError("--pattern and suffixes choose files of folders, got one file of each")
    return OnePair([truth], prediction=pred)


def _plan(spec: Spec | IndexMap | None, options: EvaluateOptions) -> IndexMap | None:
    plan = spec if spec is None or isinstance(spec, IndexMap) else load_mapping(spec)
    if plan is not None:
        check_names(plan, options.unmapped)
    return plan


def _check_unmapped(maps: list[IndexMap | None], options: EvaluateOptions) -> None:
    if options.unmapped != "error" and not any(maps):
        raise UsageError(
            f"--unmapped {options.unmapped} is for indices that a map does not name, got no map; "
            "name it with --pred-map or --truth-map, or leave --unmapped out"
        )


def _palette(
    palette: Palette | StrPath | None, maps: list[IndexMap | None], places: list[str]
) -> Palette | None:
    """What the indices mean, once they are mapped; None where nothing tells."""
    if palette is not None:
        return load_palette(palette)
    named = [plan.palette for plan in reversed(maps) if plan is not None and plan.palette]
    if named:
        return named[0]
    return next(filter(None, reversed(_meanings(maps, places))), None)


def _meanings(maps: list[IndexMap | None], places: list[str]) -> list[Palette | None]:
    """What the indices of predictions and of truths mean, once mapped, by their map or report."""
    return [
        # what a report tells is what the indices were before a map
        palette_of_run(place) if plan is None else plan.palette
        for place, plan in zip(places, maps, strict=True)
    ]


def _classes(palette: Palette | None, ignored: int) -> frozenset[int] | None:
    """The indices that are classes; None where all others than the ignore index are."""
    if palette is None:
        return None
    classes = frozenset(palette.label_indices) - {ignored}
    if len(classes) > MOST_CLASSES:
        raise UsageError(
            f"palette {palette.name!r} has {len(classes):,} classes, a confusion matrix "
            f"{MOST_CLASSES:,} at most; make fewer of them (--truth-map, --pred-map)"
        )
    return classes


def _ignore_index(wanted: int | None, palette: Palette | None) -> int:
    """The one of the truth: 255 where nothing else is said. Raises UsageError if it is a class."""
    if wanted is not None:
        return wanted
    if palette is None:
        return 255
    ignored = palette.ignore_for(palette.least_depth)
    if palette.ignore_index is None and palette.is_real_class(ignored):
        raise unsaid_ignore(
            ignored, f"the classes of palette {palette.name!r}", "name another with --ignore-index"
        )
    return ignored
