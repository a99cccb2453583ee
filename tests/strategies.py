"""Palettes, options and masks for property tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, PaletteClass

# few values a channel: ties, neighbours and hits come often
CHANNELS = st.sampled_from([0, 1, 2, 127, 128, 200, 255])
COLOURS = st.tuples(CHANNELS, CHANNELS, CHANNELS)
SIDES = st.one_of(st.integers(0, 3), st.integers(0, 21))


@st.composite
def jobs(draw: st.DrawFn) -> tuple[Palette, IndexOptions]:
    """A palette and a policy that go together; an index may come twice."""
    depth = draw(st.sampled_from([8, 16]))
    ignore = (1 << depth) - 1
    colours = draw(st.lists(COLOURS, min_size=1, max_size=12, unique=True))
    indices = draw(
        st.lists(st.integers(0, ignore - 1), min_size=len(colours), max_size=len(colours))
    )
    palette = Palette(
        tuple(
            PaletteClass(i, f"c{k}", rgb)
            for k, (i, rgb) in enumerate(zip(indices, colours, strict=True))
        )
    )
    unknown = draw(st.sampled_from(["error", "ignore", "nearest"]))
    fields: dict[str, Any] = {"unknown": unknown, "depth": depth}
    if unknown == "nearest":
        fields["tolerance"] = draw(st.sampled_from([None, 0, 1, 1.5, 128, 441]))
    if unknown == "ignore":
        fields["ignore_index"] = draw(st.sampled_from([None, ignore]))
    return palette, IndexOptions(**fields)


@st.composite
def masks(draw: st.DrawFn, palette: Palette) -> list[NDArray[np.uint8]]:
    """Masks of mixed sizes: runs or noise of the palette's colours, some of other colours."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    run = draw(st.sampled_from([1, 2, 9, 50]))
    strange = draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    shapes = draw(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=5))
    made = []
    for height, width in shapes:
        count = height * width
        pixels = palette.colours[rng.integers(0, len(palette), count // run + 1)].repeat(run, 0)
        pixels = pixels[:count]
        other = rng.random(count) < strange
        pixels[other] = rng.choice([0, 1, 2, 3, 127, 128, 129, 254, 255], (other.sum(), 3))
        made.append(pixels.reshape(height, width, 3))
    return made
