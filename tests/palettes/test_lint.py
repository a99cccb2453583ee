"""Lint: each finding appears when it should, and the tolerance keeps its promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.palette import Merged, Palette, PaletteClass, voc_colormap
from gpuseg.palettes.lint import (
    MAX_DISTANCE,
    Finding,
    lint_entries,
    lint_palette,
    unambiguous_tolerance,
)
from gpuseg.palettes.presets import load_preset, preset_names

CHANNEL = st.integers(0, 255)
COLOURS = st.lists(st.tuples(CHANNEL, CHANNEL, CHANNEL), min_size=2, max_size=30, unique=True)


def finding(palette: Palette, code: str, depth: int = 8) -> Finding | None:
    found = [f for f in lint_palette(palette, depth) if f.code == code]  # type: ignore[arg-type]
    assert len(found) <= 1
    return found[0] if found else None


def colours(*rows: tuple[int, int, int]) -> Palette:
    return Palette.from_colours(rows)


@pytest.mark.parametrize("name", preset_names())
def test_presets_have_no_errors(name: str) -> None:
    found = lint_palette(load_preset(name))
    assert not [f for f in found if f.severity == "error"]
    assert [f.severity for f in found] == sorted(
        (f.severity for f in found), key=["error", "warning", "info"].index
    )


@settings(max_examples=60, deadline=None)
@given(COLOURS)
def test_tolerance_is_just_below_half_the_least_distance(rows: list[tuple[int, int, int]]) -> None:
    least = min(math.dist(a, b) for n, a in enumerate(rows) for b in rows[:n])
    tolerance = unambiguous_tolerance(Palette.from_colours(rows))
    assert tolerance < least / 2
    assert tolerance == pytest.approx(least / 2)


@settings(max_examples=30, deadline=None)
@given(COLOURS, st.lists(st.tuples(CHANNEL, CHANNEL, CHANNEL), min_size=1, max_size=50))
def test_no_colour_is_within_tolerance_of_two(
    rows: list[tuple[int, int, int]], others: list[tuple[int, int, int]]
) -> None:
    tolerance = unambiguous_tolerance(Palette.from_colours(rows))
    middles = [tuple((x + y) // 2 for x, y in zip(a, b, strict=True)) for a in rows for b in rows]
    for colour in [*others, *middles]:
        if colour not in rows:
            assert sum(math.dist(colour, row) <= tolerance for row in rows) <= 1


@pytest.mark.parametrize("steps", [2, 4, 6, 100])
def test_the_very_middle_of_two_colours_is_ambiguous_and_outside(steps: int) -> None:
    tolerance = unambiguous_tolerance(colours((0, 0, 0), (steps, 0, 0)))
    assert (steps // 2) ** 2 > tolerance**2


def test_tolerance_of_known_palettes() -> None:
    assert unambiguous_tolerance(Palette.from_colours(voc_colormap(21))) == pytest.approx(32)
    assert unambiguous_tolerance(load_preset("mapillary-v1")) == pytest.approx(math.sqrt(3) / 2)
    assert unambiguous_tolerance(colours((1, 2, 3))) == MAX_DISTANCE


def test_tolerance_of_many_colours_crosses_blocks() -> None:
    rows = [(n % 40 * 6, n // 40 * 6, 0) for n in range(1500)]
    rows[1400] = (rows[3][0] + 2, rows[3][1], 0)
    assert unambiguous_tolerance(Palette.from_colours(rows)) == pytest.approx(1)


def test_near_colours_name_both_classes() -> None:
    found = finding(load_preset("mapillary-v1"), "near-colours")
    assert found is not None
    assert "'Mailbox' (40) #212121 and 'Car Mount' (63) #202020 (1.7)" in found.message
    assert finding(colours((0, 0, 0), (6, 0, 0)), "near-colours") is None


def test_near_colours_of_one_class_do_not_matter() -> None:
    palette = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(0, "b", (1, 0, 0))))
    assert finding(palette, "near-colours") is None
    assert finding(palette, "shared-index") is not None


def test_bgr_look_alikes() -> None:
    found = finding(colours((9, 0, 7), (7, 0, 9), (5, 5, 5), (1, 2, 3)), "bgr")
    assert found is not None
    assert "'class 1' (1) and 'class 0' (0)" in found.message
    assert finding(colours((5, 5, 5), (1, 2, 3)), "bgr") is None


def test_index_gaps() -> None:
    palette = Palette(
        tuple(PaletteClass(i, f"c{i}", (i, 0, 99)) for i in (1, 4, 5, 9, 255)), ignore_index=255
    )
    found = finding(palette, "index-gap")
    assert found is not None
    assert "0, 2-3, 6-8;" in found.message
    assert "10 outputs for 4 classes" in found.message
    assert finding(load_preset("voc"), "index-gap") is None


def test_index_gaps_pass_over_the_ignore_index() -> None:
    classes = tuple(PaletteClass(i, f"c{i}", (i, 0, 99)) for i in (1, 2))
    assert finding(Palette(classes, ignore_index=0), "index-gap") is None
    assert finding(Palette(classes[:1], ignore_index=1), "index-gap") is None


def test_a_merged_class_of_its_own_index_is_no_gap() -> None:
    assert finding(load_preset("ade20k"), "index-gap") is None  # 48 has the colour of another


def test_real_class_at_255() -> None:
    grey = np.repeat(np.arange(256), 3).reshape(256, 3)
    palette = Palette.from_colours(grey)
    found = finding(palette, "reserved-index")
    assert found is not None
    assert "'class 255' (255)" in found.message
    assert finding(palette, "reserved-index", depth=16) is None
    assert finding(load_preset("voc"), "reserved-index") is None


def test_indices_beyond_the_depth_are_an_error() -> None:
    palette = Palette((PaletteClass(300, "a", (0, 0, 0)),))
    found = finding(palette, "depth")
    assert found is not None
    assert found.severity == "error"
    assert "--depth 16" in found.message
    assert finding(palette, "depth", depth=16) is None


def test_merged_and_unverified() -> None:
    palette = Palette(
        (PaletteClass(0, "car", (0, 0, 142)),),
        merged=(Merged("plate", -1, "car", (0, 0, 142)),),
        verified=False,
    )
    merged = finding(palette, "merged")
    assert merged is not None
    assert "'plate' reads as 'car'" in merged.message
    assert finding(palette, "unverified") is not None


def test_duplicates_of_raw_entries() -> None:
    entries = [PaletteClass(0, "a", (1, 2, 3)), PaletteClass(4, "b", (1, 2, 3))]
    assert lint_entries(entries) == [
        Finding("duplicate", "error", "#010203 is one colour of 2 classes: 'a' (0), 'b' (4)")
    ]
    assert lint_entries(entries[:1]) == []
