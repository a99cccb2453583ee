"""The plots of how often classes occur."""

from __future__ import annotations

import numpy as np

from gpuseg.frequencies.statistics import ClassStats, Stats
from gpuseg.plots import MOST, class_bars, heat_map


def draw_stats(found: Stats) -> dict[str, str]:
    """Plots by name, each the text of an SVG: `pixels`, `images`, `co-occurrence`.

    Of the ignore index nothing is drawn, and without a label map nothing at all. Raises UsageError
    where matplotlib is missing.
    """
    classes = [c for c in found.classes if not c.ignored]
    if not classes:
        return {}
    names, colours = [_called(c) for c in classes], [c.rgb for c in classes]
    pixels, images = [c.pixels for c in classes], [c.images for c in classes]
    return {
        "pixels": class_bars(names, colours, pixels, "Pixels of each class, logarithmic", log=True),
        "images": class_bars(names, colours, images, "Label maps that hold each class"),
        "co-occurrence": _co_occurrence(found),
    }


def _co_occurrence(found: Stats) -> str:
    together, seen = found.co_occurrence, np.diagonal(found.co_occurrence)
    real = [k for k, images in enumerate(seen) if images and not found.classes[k].ignored]
    shown = sorted(sorted(real, key=lambda k: -seen[k])[:MOST])  # the most common, by index
    parts = together[np.ix_(shown, shown)] / seen[shown, None]
    title = "Of the label maps with the class of a row, those with that of the column, in %"
    return heat_map(parts, [_called(found.classes[k]) for k in shown], title)


def _called(entry: ClassStats) -> str:
    return entry.name or f"{entry.index} (unlisted)"
