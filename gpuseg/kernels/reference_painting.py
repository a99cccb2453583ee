"""The specification of coloured label maps, in plain NumPy; see `reference`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SUB, UP, PAETH = 1, 2, 4


def filtered_colours(labels: NDArray[np.uint8], colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scanlines of the colours of a label map: uint8 (H, W) -> uint8 (H, 1 + 3 * W).

    colours: uint8 (256, 3). Each row has the filter that leaves the fewest pixels, as far as
    labels tell: Up those that differ from the one above, Sub from the left one, Paeth those that
    neither rule of the kernel explains; the first pixel of a row does not count. Of several the
    first in that order; the first row has Sub.
    """
    height, width = labels.shape
    pixels = colours[labels].astype(int)
    lines: NDArray[np.uint8] = np.empty((height, 1 + 3 * width), np.uint8)
    for y in range(height):
        above = pixels[y - 1] if y else np.zeros((width, 3), int)
        left = np.vstack([np.zeros((1, 3), int), pixels[y, :-1]])
        corner = np.vstack([np.zeros((1, 3), int), above[:-1]])
        guess = left + above - corner
        distances = np.abs(np.stack([guess - left, guess - above, guess - corner]))
        nearest = np.choose(distances.argmin(axis=0), [left, above, corner])  # the first of equals
        kind = _filter_of(labels, y)
        lines[y, 0] = kind
        residuals = pixels[y] - {SUB: left, UP: above, PAETH: nearest}[kind]
        lines[y, 1:] = (residuals % 256).reshape(-1)
    return lines


def _filter_of(labels: NDArray[np.uint8], y: int) -> int:
    if y == 0:
        return SUB
    row, above = labels[y], labels[y - 1]
    x, a, b, c = row[1:], row[:-1], above[1:], above[:-1]
    explained = ((b == c) & (x == a)) | ((a == c) & (x == b))
    counts = [(x != b).sum(), (x != a).sum(), (~explained).sum()]
    return (UP, SUB, PAETH)[int(np.argmin(counts))]


def blended(
    photograph: NDArray[np.uint8], colours: NDArray[np.uint8], alpha: float
) -> NDArray[np.uint8]:
    """Colours laid over a photograph, both uint8 (H, W, 3): (1 - alpha) * photograph + alpha *
    colour of each channel in float64, rounded to the nearest, halves up.
    """
    mixed = (1 - alpha) * photograph.astype(np.float64) + alpha * colours.astype(np.float64)
    return np.floor(mixed + 0.5).astype(np.uint8)
