"""matplotlib as the toolkits of Scalabel and BDD100K use it, to judge what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


def painted_by_matplotlib(
    points: NDArray[np.float64], width: int, height: int, types: str = ""
) -> NDArray[np.bool_]:
    """The pixels of a polygon with the letters of a poly2d, bool (H, W); skips without matplotlib.

    By `poly_to_patch` and `frame_to_masks` in scalabel/label/transforms.py: a closed path without
    a stroke and without smoothing, its points on whole pixels.
    """
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = [Path.CURVE4 if kind == "C" else Path.LINETO for kind in types or "L" * len(points)]
    path = Path([*points, points[0]], [Path.MOVETO, *codes[1:], Path.LINETO])
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="0")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.invert_yaxis()
    axes.add_patch(PathPatch(path, facecolor="1", lw=0, antialiased=False, snap=True))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:height, :width, 0] > 0
