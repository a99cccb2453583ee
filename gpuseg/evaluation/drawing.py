"""The plots of an evaluation: its confusion matrix, and the IoU of its classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gpuseg.evaluation.result import Evaluation
from gpuseg.evaluation.scores import IGNORED, OUTSIDE, Counts
from gpuseg.plots import MOST, Plot, class_plot, share_map


def draw_evaluation(found: Evaluation) -> dict[str, Plot]:
    """Plots by name: `confusion`, `iou`. Without a class that occurs there is none."""
    if not ((found.scores.truth + found.scores.predicted) > 0).any():
        return {}
    return {"confusion": confusion_plot(found), "iou": iou_plot(found)}


def confusion_plot(found: Evaluation) -> Plot:
    """The confusion matrix, each row of which is divided by the pixels of its class.

    Classes that are in neither truth nor predictions are left out. Of more than 64, those with
    most wrong pixels are drawn, and what is predicted as any other is a column, so that rows
    still sum to 1.
    """
    scores = found.scores
    seen = np.flatnonzero(scores.truth + scores.predicted)
    wrong = scores.truth + scores.predicted - 2 * scores.hits
    order = np.argsort(-wrong[seen], kind="stable")[:MOST]
    shown = seen[np.sort(order)]
    columns = [scores.confusion[np.ix_(shown, shown)]]
    names = [found.classes[k].name for k in shown]
    across = list(names)
    for name, pixels in _behind(found, shown):
        columns.append(pixels[:, None])
        across.append(name)
    cells = np.concatenate(columns, axis=1)
    whole = cells.sum(axis=1, keepdims=True)
    shares = np.divide(cells, whole, out=np.zeros(cells.shape), where=whole > 0)
    title = "Of the pixels of each class, what they are predicted as"
    if len(shown) < len(seen):
        title += f" (the {MOST} of {len(seen):,} classes with most wrong pixels)"
    return share_map(shares, names, across, title)


def _behind(found: Evaluation, shown: NDArray[np.intp]) -> Iterator[tuple[str, Counts]]:
    """Columns behind those of the R classes that are shown, if not empty. Pixels: int64 (R,)."""
    matrix, classes = found.scores.confusion[shown], len(found.classes)
    others = np.setdiff1d(np.arange(classes), shown)
    columns = (
        ("other classes", matrix[:, others].sum(axis=1)),
        ("ignored", matrix[:, classes + IGNORED]),
        ("no class", matrix[:, classes + OUTSIDE]),
    )
    return ((name, pixels) for name, pixels in columns if pixels.any())


def iou_plot(found: Evaluation) -> Plot:
    """A bar for each class that has an IoU, the best above; of more than 64, for the worst."""
    order = np.argsort(found.scores.iou, kind="stable")  # those without one come last
    scored = [int(k) for k in order if not np.isnan(found.scores.iou[k])]
    title = "IoU of each class"
    if len(scored) > MOST:
        title += f" (the {MOST} lowest of {len(scored):,})"
    shown = [found.classes[k] for k in reversed(scored[:MOST])]
    names, colours = [c.name for c in shown], [c.rgb for c in shown]
    return class_plot(names, colours, [c.iou for c in shown], title, "share")
