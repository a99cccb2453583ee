"""Which presets explain colours, and whose palette chunk a file has."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.census.presets import (
    ORDERS,
    Explaining,
    all_presets,
    find_luma,
    is_swapped,
    match_palette,
    names_of,
)
from gpuseg.palette import Palette, voc_colormap
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.presets import preset_names
from tests.strategies import COLOURS


def keys_of(colours: np.ndarray) -> np.ndarray:
    wide = np.asarray(colours, np.int64).reshape(-1, 3)
    return np.unique(wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16)


rows = st.lists(COLOURS, min_size=1, max_size=6, unique=True)


@settings(max_examples=80, deadline=None)
@given(palettes=st.lists(rows, min_size=1, max_size=4), colours=rows, data=st.data())
def test_bits_and_pixels_against_sets(
    palettes: list[list[tuple[int, int, int]]],
    colours: list[tuple[int, int, int]],
    data: st.DataObject,
) -> None:
    made = [Palette.from_colours(row, name=str(n)) for n, row in enumerate(palettes)]
    explaining = pickle.loads(pickle.dumps(Explaining(made)))
    keys = keys_of(np.array(colours))
    counts = np.array(
        data.draw(st.lists(st.integers(1, 99), min_size=len(keys), max_size=len(keys)))
    )
    held = explaining.pixels(keys, counts)
    triples = [(k & 255, k >> 8 & 255, k >> 16) for k in keys.tolist()]
    for order in ORDERS:
        found = {p.name for p in explaining.ranked(explaining.bits(keys), order)}
        for number, row in enumerate(palettes):
            have = {c if order == "rgb" else c[::-1] for c in row}
            inside = [n for n, colour in enumerate(triples) if colour in have]
            assert (str(number) in found) == (len(inside) == len(keys))
            place = held[number, ORDERS.index(order)]
            assert place.tolist() == [sum(counts[inside].tolist()), len(inside)]


def test_the_nearest_palette_and_what_it_lacks() -> None:
    small = Palette.from_colours([(1, 0, 0), (2, 0, 0)], name="small")
    large = Palette.from_colours([(1, 0, 0), (2, 0, 0), (9, 9, 9)], name="large")
    keys, counts = np.array([1, 2, 7, 8]), np.array([10, 20, 3, 5])
    best, pixels, lacking = Explaining([large, small]).nearest(keys, counts)
    assert (best.name, pixels, lacking.tolist()) == ("small", 30, [8, 7])


@pytest.mark.parametrize("name", preset_names())
def test_what_gpuseg_writes_is_the_palette_it_was_written_with(name: str) -> None:
    palette = load_palette(name)
    if palette.max_index > 255 or palette.ignore_for(8) > 255:
        pytest.skip("no palette of 8 bits")
    match = match_palette(palette.plte())
    assert match is not None
    assert match.relation == "equals"
    assert name in match.names
    for other in match.names:  # they are the same, index by index
        table = load_palette(other).first_by_index()
        shared = set(table) & set(palette.first_by_index()) - {255}
        assert all(table[i].rgb == palette.first_by_index()[i].rgb for i in shared)


@pytest.mark.parametrize("filler", ["nothing", "black", "ramp"])
def test_the_beginning_of_a_palette(filler: str) -> None:
    """As programs write it: cut, or filled up to 256 with black or a ramp of greys."""
    colours = voc_colormap(7)
    rest = np.repeat(np.arange(7, 256, dtype=np.uint8)[:, None], 3, axis=1)
    if filler == "black":
        rest[:] = 0
    table = colours if filler == "nothing" else np.concatenate([colours, rest])
    match = match_palette(table.tobytes())
    assert match is not None
    assert match.relation == "beginning of"
    assert {"voc", "voc256"} <= set(match.names)
    assert str(match).startswith("the beginning of ")


def test_a_palette_and_more() -> None:
    table = np.frombuffer(load_palette("camvid12").plte(), np.uint8).reshape(-1, 3).copy()
    table[20:30] = (3, 77, 200)
    match = match_palette(table.tobytes())
    assert match is not None
    assert (match.relation, match.names) == ("holds", ("camvid12",))


def test_palettes_of_no_preset() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    assert str(match_palette(ramp.tobytes())) == "a grey ramp"
    moved = voc_colormap(22)[1:]
    assert match_palette(moved.tobytes()) is None
    assert match_palette(bytes(768)) is None
    assert match_palette(bytes(voc_colormap(2).tobytes())) is None  # two colours tell nothing


def test_luma_is_what_pillow_makes_of_colours() -> None:
    colours = load_palette("voc").colours[None, :21]
    grey = np.array(Image.fromarray(colours, "RGB").convert("L"))
    values = np.unique(grey)
    found = find_luma(values)
    assert found is not None
    mine = np.array(Image.fromarray(found.colours[None], "RGB").convert("L"))
    assert set(values.tolist()) <= set(np.unique(mine).tolist()) | {0, 255}
    assert find_luma(np.array([0, 38])) is None  # too few to tell
    assert find_luma(np.array([0, 1, 2, 3, 4, 255])) is None


def test_a_palette_of_all_shades_explains_anything() -> None:
    generic, real = load_palette("voc256"), load_palette("camvid12")
    assert is_swapped(generic, real, 12)
    assert not is_swapped(load_palette("voc"), load_palette("uavid"), 4)
    assert not is_swapped(generic, generic, 12)


def test_names_in_a_row() -> None:
    palettes = [Palette.from_colours([(0, 0, 0)], name=c) for c in "abcde"]
    assert names_of(palettes[:2]) == "a, b"
    assert names_of(palettes, 3) == "a, b, c and 2 more"
    assert len(all_presets().palettes) == len(preset_names())
