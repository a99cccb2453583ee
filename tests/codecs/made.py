"""PNGs of every kind, whole, with the pixels they hold."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels import reference
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette
from tests.pngs import (
    CHANNELS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    assemble,
    chunk,
    filtered,
    idats,
    ihdr,
    interlaced,
    rows_of,
    zlib_stream,
)

DIRECT_KINDS = [(RGB, 8), (RGBA, 8), *((PALETTE, bits) for bits in (1, 2, 4, 8))]
OTHER_KINDS = [*((GREY, bits) for bits in (1, 2, 4, 8)), (GREY_ALPHA, 8)]
CUTS = st.lists(st.integers(0, 200), max_size=5)
ASIDE = (
    chunk(b"tEXt", b"Comment\0made by hand"),
    chunk(b"gAMA", b"\0\0\xb1\x8f"),
    chunk(b"tIME", bytes([7, 228, 1, 1, 0, 0, 0])),
    chunk(b"prIv", b"whatever"),
)


@dataclass(frozen=True)
class Made:
    """A file, its colours as uint8 (H, W, 3), and whether the direct path is to read it."""

    png: bytes
    colours: NDArray[np.uint8]
    direct: bool


@st.composite
def made_pngs(draw: st.DrawFn, palette: Palette, strange: float) -> Made:
    """Files in the palette's colours, a share `strange` of their pixels in any other."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind, bits = draw(st.sampled_from(DIRECT_KINDS * 2 + OTHER_KINDS))
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 40))
    pixels, colours, plte = _content(rng, kind, bits, shape, palette, strange)
    woven = draw(st.integers(0, 7)) == 7
    rows, step = rows_of(pixels, bits)
    data = interlaced(pixels, bits) if woven else filtered(rows, step, rng.integers(0, 5, shape[0]))
    compressed = zlib_stream(
        data,
        draw(st.sampled_from([0, 1, 6, 9])),
        draw(st.integers(9, 15)),
        draw(st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_RLE])),
    )
    before, between, after = (
        draw(st.lists(st.sampled_from(ASIDE), max_size=2, unique=True)) for _ in range(3)
    )
    middle = [chunk(b"PLTE", plte)] if plte else []
    header = ihdr(shape[1], shape[0], bits, kind, 0, 0, int(woven))
    body = idats(compressed, draw(CUTS))
    png = assemble(header, *before, *middle, *between, *body, *after)
    return Made(png, colours, (kind, bits) in DIRECT_KINDS and not woven)


def _content(
    rng: np.random.Generator,
    kind: int,
    bits: int,
    shape: tuple[int, int],
    palette: Palette,
    strange: float,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], bytes]:
    """What a file stores, (H, W, channels), the colours that mean, (H, W, 3), and its PLTE."""
    run = int(rng.choice([1, 3, 20]))
    classes = rng.integers(0, len(palette), shape[0] * shape[1] // run + 1).repeat(run)
    classes = classes[: shape[0] * shape[1]].reshape(shape)
    if kind == PALETTE:
        entries = int(rng.integers(1, (1 << bits) + 1))
        table = rng.permutation(palette.colours)[:entries]
        table[rng.random(len(table)) < strange] = (3, 1, 2)
        positions = (classes % len(table)).astype(np.uint8)
        return positions[..., None], table[positions], table.tobytes()
    if kind in (GREY, GREY_ALPHA):
        values = (classes % min(1 << bits, 7)).astype(np.uint8)
        grey = values if bits == 8 else values * np.uint8(255 // ((1 << bits) - 1))
        pixels = values[..., None]
    else:
        colours = palette.colours[classes]
        colours[rng.random(shape) < strange] = (3, 1, 2)
        pixels = colours
    if CHANNELS[kind] in (2, 4):
        pixels = np.dstack([pixels, np.full(shape, 255, np.uint8)])
    if kind in (GREY, GREY_ALPHA):
        return pixels, np.repeat(grey[..., None], 3, axis=2), b""
    suggested = palette.colours[:5].tobytes() if rng.random() < 0.2 else b""
    return pixels, colours, suggested


def expected_labels(made: Made, palette: Palette, **options: Any) -> NDArray[np.uint8]:
    labels, _ = reference.rgb_to_index(made.colours, palette, IndexOptions(**options))
    return labels
