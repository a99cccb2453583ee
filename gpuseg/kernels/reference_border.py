"""The specification of `unknown="border"`, in plain Python: written to be read.

Antialiasing mixes the colours of the two classes that meet at a border. Such a pixel may take
one of these two classes, and no other. So an unknown pixel of colour c becomes the class of a
neighbour by this rule:

1.  Only pixels whose colour is in the palette count, as they are in the mask: none that was
    repaired. So the order of the pixels does not matter.
2.  Two of their colours, A and B, explain c if c lies between them: its projection on the line
    through A and B falls inside of A to B, and c is at most √3 from that line. √3 is one step in
    each channel: a mix is rounded twice, by half a step each, for images are resized in two
    passes.
3.  A and B are sought among the 3 × 3 pixels around, and where no two of those explain c, among
    5 × 5: antialiased borders are one or two pixels wide.
4.  Of several pairs the one whose colours are furthest apart is taken: else a class whose colour
    lies between two others (or a mix that has the colour of a class by chance) would draw pixels
    of the border between those to itself. Then the pair whose line c is nearest to.
5.  c becomes the nearer of A and B. Where both are as near, and where pairs are still even, it
    becomes the colour of more pixels, then the lower index, then the lower key.

What no two colours explain stays unknown: a corner where three classes meet, a thing too thin to
have a pixel of its own, and what is no mix at all, as the noise of JPEG. Ringing, the colours
beyond A and B that bicubic and Lanczos resizing make, stays too: it is not between.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gpuseg.palette import RGB, Palette

TOLERANCE = 3
"""The largest squared distance from the line, in RGB steps: 1² + 1² + 1²."""


def border_sources(mask: NDArray[np.uint8], palette: Palette) -> dict[int, int]:
    """Each unknown pixel -> the first pixel of the colour that it takes, -1 where it takes none.

    mask: uint8 (H, W, 3), RGB. Pixels are named by row * W + column.
    """
    index_of = {entry.rgb: entry.index for entry in palette.classes}
    height, width = mask.shape[:2]
    colours: list[RGB] = [(r, g, b) for r, g, b in mask.reshape(-1, 3).tolist()]
    sources = {}
    for pixel, colour in enumerate(colours):
        if colour in index_of:
            continue
        sources[pixel] = -1
        for reach in (2, 1):  # what the nearer pixels say holds
            rows = range(max(0, pixel // width - reach), min(height, pixel // width + reach + 1))
            columns = range(max(0, pixel % width - reach), min(width, pixel % width + reach + 1))
            around = [y * width + x for y in rows for x in columns]
            known = [other for other in around if colours[other] in index_of]
            taken = _choose(colour, Counter(colours[other] for other in known), index_of)
            if taken is not None:
                sources[pixel] = next(other for other in known if colours[other] == taken)
    return sources


def _choose(colour: RGB, counts: Counter[RGB], index_of: dict[RGB, int]) -> RGB | None:
    """The colour that an unknown one takes. counts: of the known colours around it."""

    def first(rgb: RGB) -> tuple[int, int, int]:
        """The least wins a tie."""
        return -counts[rgb], index_of[rgb], rgb[0] | rgb[1] << 8 | rgb[2] << 16

    choices = []
    for start, end in combinations(counts, 2):
        line, way = np.subtract(end, start, dtype=object), np.subtract(colour, start, dtype=object)
        length, along = int(line @ line), int(line @ way)
        off = int(way @ way) * length - along * along  # length times the squared distance
        if 0 < along < length and off <= TOLERANCE * length:
            near = min((start, end), key=first)
            if 2 * along != length:
                near = start if 2 * along < length else end
            choices.append((-length, off, first(near), near))
    return min(choices)[-1] if choices else None
