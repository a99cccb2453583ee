"""A page about an evaluation: its parts, put together and rendered."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.evaluation.drawing import draw_evaluation
from gpuseg.evaluation.result import Evaluation
from gpuseg.pages import html
from gpuseg.pages.scores import Legend, score, score_rows, seen, taken_for
from gpuseg.pages.summary import Tile, groups
from gpuseg.pages.worst import IGNORED, WRONG, worst_item
from gpuseg.palette_entries import hex_of

GENERATOR = "gpuseg evaluation"
"""What the page's meta tag of that name says."""

MAX_WORST = 50
"""Most pairs that a page shows; each adds its pictures to the file."""

_TITLES = {
    "miou": "mean IoU",
    "fwiou": "weighted IoU",
    "mean_dice": "mean Dice",
}
"""Of scores that are one number; others are called by their names."""

_STATUSES = {
    "failed": "pairs without a score",
    "missing": "truths without a prediction",
    "extra": "predictions without a truth",
}


def make_page(found: Evaluation, over: str | None) -> bytes:
    """The page as UTF-8. over: a folder of photographs.

    Raises UsageError where jinja2 or matplotlib is missing.
    """
    values = _values(found, over)
    page = html.render("evaluation.html.jinja", "report.css", "evaluation.css", **values)
    return page.encode("utf-8")


def _values(found: Evaluation, over: str | None) -> Mapping[str, Any]:
    legend = Legend.of(found)
    plots = draw_evaluation(found)
    with size_limit_is_ours():
        wrong = [pair for pair in found.worst if pair.accuracy < 1]
        items = [worst_item(found, pair, over, legend) for pair in wrong[:MAX_WORST]]
    folder = os.path.abspath(found.sides.predictions)
    present = seen(found)
    return {
        "generator": GENERATOR,
        "title": os.path.basename(folder) or folder,
        "found": found,
        "tiles": (*_headlines(found), *_counts(found)),
        "facts": tuple(_facts(found)),
        "remarks": tuple(_remarks(found)),
        "classes": score_rows(found, legend),
        "more_classes": max(0, len(present) - len(score_rows(found, legend))),
        "absent": [c for c in found.classes if not (c.truth or c.predicted)],
        "made_up": legend.made_up,
        "taken": taken_for(found, legend),
        "plot": plots["confusion"].svg() if plots else "",
        "items": items,
        "more_items": len(wrong) - len(items),
        "wrong": hex_of(WRONG),
        "ignored": hex_of(IGNORED),
        "has_photographs": over is not None,
        "failed": found.report.failed,
        "failures": groups(found.troubles.failures),
        "warned": sum(kind.count for kind in found.troubles.warnings.values()),
        "warnings": groups(found.troubles.warnings),
    }


def _headlines(found: Evaluation) -> Iterator[Tile]:
    """The scores that are one number."""
    scored = sum(not math.isnan(value) for value in found.scores.iou)
    notes = {
        "miou": f"of {scored:,} class{'' if scored == 1 else 'es'}",
        "fwiou": "by the pixels of a class",
    }
    for name, value in found.scores.means().items():
        yield Tile(_TITLES.get(name, name.replace("_", " ")), score(value), notes.get(name, ""))
    if (near := found.boundaries) is not None:
        theta = "0.75 % of the diagonal" if near.theta == "auto" else f"{near.theta:g} pixels"
        yield Tile("boundary F", score(near.score), f"mean of images, {theta}")
        yield Tile("boundary F", score(near.class_mean), "mean of classes")


def _counts(found: Evaluation) -> Iterator[Tile]:
    """How many pairs there are, and always whether something failed."""
    yield Tile("pairs", f"{found.pairs:,}", "evaluated")
    if found.uncounted:
        yield Tile("uncounted", f"{found.uncounted:,}", "of them, without a pixel that counts")
    for status, note in _STATUSES.items():
        number = found.report.files[status]  # type: ignore[index]  # a status
        if number or status == "failed":
            yield Tile(status, f"{number:,}", note, "bad" if number else "good")


def _facts(found: Evaluation) -> Iterator[tuple[str, str]]:
    yield "Predictions", os.path.abspath(found.sides.predictions)
    yield "Truth", os.path.abspath(found.truths or os.curdir)
    if found.palette:
        yield "Palette", found.palette
    yield "Ignore index", str(found.ignore_index)
    yield "Pixels that count", f"{found.scores.pixels:,}"
    yield "Pixels ignored", f"{found.ignored_pixels:,}"
    yield "The run", found.report.summary()


def _remarks(found: Evaluation) -> Iterator[str]:
    if not found.pairs:
        yield "No pair was evaluated, so there is no score."
    if found.report.stopped:
        yield (
            f"Stopped early ({found.report.stopped}): the remaining pairs were not looked at, and "
            "are not in the scores."
        )
    for remark in found.remarks:
        yield f"{remark[0].upper()}{remark[1:]}."
