"""Folders of predictions and truths for tests of what an evaluation leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

import gpuseg
from gpuseg.evaluation.result import Evaluation
from gpuseg.palette import Palette
from tests.making import PALETTE, indices


def save(path: Path, labels: np.ndarray, palette: Palette | None = PALETTE) -> Path:
    """A label map as a file: of the palette, or without one a greyscale image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if palette is None:
        Image.fromarray(labels).save(path)
    else:
        gpuseg.save_label(path, labels, palette)
    return path


def save_pair(
    root: Path,
    name: str,
    truth: np.ndarray,
    prediction: np.ndarray | None = None,
    palette: Palette | None = PALETTE,
) -> None:
    """A truth and its prediction, which is right if none is given."""
    save(root / "truth" / name, truth, palette)
    save(root / "pred" / name, truth if prediction is None else prediction, palette)


def evaluated(root: Path, palette: Palette | None = PALETTE, **options: object) -> Evaluation:
    """The evaluation of what `save_pair` saved."""
    return gpuseg.evaluate(root / "pred", root / "truth", palette=palette, workers=1, **options)


def six(root: Path) -> Path:
    """Pairs of six classes of which the top third is wrong, and all that can go wrong besides.

    sub/0.png to sub/3.png, of 24 x 30 pixels, the first four rows of which do not count; right.png
    is right; void.png does not count at all; size.png, broken.png, lonely.png and extra.png.
    """
    for i in range(4):
        truth = indices(24, 30, i)
        prediction = truth.copy()
        prediction[:8] = (truth[:8] + 1) % 6
        truth[:4] = 255
        save_pair(root, f"sub/{i}.png", truth, prediction)
    save_pair(root, "right.png", indices(24, 30, 9))
    save_pair(root, "void.png", np.full((5, 6), 255, np.uint8), np.zeros((5, 6), np.uint8))
    save_pair(root, "size.png", indices(9, 9), indices(9, 8))
    save_pair(root, "broken.png", indices(9, 9))
    (root / "pred/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    save(root / "truth/lonely.png", indices(9, 9))
    save(root / "pred/extra.png", indices(9, 9))
    return root


def of_matrix(root: Path, cells: Mapping[tuple[int, int], int], **options: object) -> Evaluation:
    """The evaluation of one pair that has these cells: (truth, prediction) -> pixels."""
    truth = [t for (t, _), pixels in cells.items() for _ in range(pixels)]
    prediction = [p for (_, p), pixels in cells.items() for _ in range(pixels)]
    kind = np.uint8 if max([*truth, *prediction]) < 256 else np.uint16
    rows = [np.array([values], kind) for values in (truth, prediction)]
    save_pair(root, "one.png", *rows, palette=None)
    return evaluated(root, **{"palette": None, **options})
