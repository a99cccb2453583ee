"""The repair of antialiased borders follows its specification, and that does what it promises."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.border import border_sources
from gpuseg.kernels.lut import build_lookup
from gpuseg.kernels.reference_border import border_sources as specified
from gpuseg.kernels.unknown import unknown_pixels
from gpuseg.options import Depth, IndexOptions, Order
from gpuseg.palette import Palette, PaletteClass

LINE = Palette.from_colours([(0, 0, 0), (200, 0, 0)], name="line")
NESTED = Palette.from_colours([(0, 0, 0), (100, 0, 0), (200, 0, 0)], name="nested")
SIDES = st.integers(0, 8)

Jobs = tuple[Palette, NDArray[np.uint8]]


@st.composite
def blurred(draw: st.DrawFn) -> Jobs:
    """A palette whose colours lie on few lines, and a mask with mixes of two or three of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([[0, 2, 4, 8], [0, 64, 128, 255], [0, 1, 127, 128, 200, 255]]))
    colours = np.unique(rng.choice(values, (draw(st.integers(1, 7)), 3)), axis=0)
    rng.shuffle(colours)
    indices = rng.integers(0, draw(st.sampled_from([2, 250])), len(colours))
    rows = zip(indices.tolist(), colours.tolist(), strict=True)
    palette = Palette(tuple(PaletteClass(i, f"class {i}", tuple(rgb)) for i, rgb in rows))
    shape = draw(SIDES), draw(SIDES)
    first, second = (colours[rng.integers(0, len(colours), shape)] for _ in range(2))
    share = rng.choice(draw(st.sampled_from([[0, 0, 0.5], [0, 0.25, 0.5, 0.9]])), (*shape, 1))
    noise = rng.integers(-1, 2, (*shape, 3)) * draw(st.integers(0, 2)) * (share > 0)
    mask = np.rint(first * (1 - share) + second * share + noise).clip(0, 255)
    return palette, mask.astype(np.uint8)


def repaired(
    palette: Palette, mask: NDArray[np.uint8], depth: Depth = 8, order: Order = "rgb"
) -> dict[int, int]:
    """Each unknown pixel -> the one it takes, by the kernel. mask: RGB, whatever the order."""
    lookup = build_lookup(palette, IndexOptions(unknown="border", depth=depth), order)
    pixels = np.ascontiguousarray(mask if order == "rgb" else mask[..., ::-1])
    places = unknown_pixels(pixels, lookup)
    sources = border_sources(pixels, places, lookup.table)
    return dict(zip(places.tolist(), sources.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(job=blurred(), depth=st.sampled_from([8, 16]))
def test_the_kernel_equals_the_specification(job: Jobs, depth: Depth) -> None:
    palette, mask = job
    assert repaired(palette, mask, depth) == specified(mask, palette)


@settings(max_examples=60, deadline=None)
@given(job=blurred())
def test_the_order_of_channels_does_not_matter(job: Jobs) -> None:
    palette, mask = job
    index = {entry.rgb: entry.index for entry in palette.classes}
    colours = [tuple(rgb) for rgb in mask.reshape(-1, 3).tolist()]

    def classes(order: Order) -> list[int | None]:
        found = repaired(palette, mask, order=order).values()
        return [index[colours[source]] if source >= 0 else None for source in found]

    assert classes("bgr") == classes("rgb")


@settings(max_examples=100, deadline=None)
@given(job=blurred())
def test_a_pixel_takes_one_of_two_known_neighbours_that_it_lies_between(job: Jobs) -> None:
    """By floating point and without the kernel's order of choice."""
    palette, mask = job
    known = {entry.rgb for entry in palette.classes}
    width = mask.shape[1]
    for place, source in repaired(palette, mask).items():
        y, x = divmod(place, width)
        assert tuple(mask[y, x].tolist()) not in known
        if source < 0:
            continue
        v, u = divmod(source, width)
        taken = mask[v, u].astype(float)
        assert max(abs(y - v), abs(x - u)) <= 2
        assert tuple(mask[v, u].tolist()) in known
        window = mask[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3)
        others = [np.array(rgb, float) for rgb in {*map(tuple, window.tolist())} & known]
        colour = mask[y, x].astype(float)
        assert any(_lies_between(colour, taken, other) for other in others)


def _lies_between(colour: NDArray[np.float64], near: NDArray[np.float64], far: object) -> bool:
    line = np.asarray(far) - near
    length = line @ line
    if not length:
        return False
    share = (colour - near) @ line / length
    off = np.linalg.norm(colour - near - share * line)
    return bool(0 < share <= 0.5 + 1e-9 and off <= np.sqrt(3) + 1e-9)


def row(*reds: int) -> NDArray[np.uint8]:
    """One row of pixels of these reds."""
    mask = np.zeros((1, len(reds), 3), np.uint8)
    mask[0, :, 0] = reds
    return mask


@pytest.mark.parametrize(
    ("reds", "taken"),
    [
        ((0, 1, 200), [0]),
        ((0, 99, 200), [0]),
        ((0, 101, 200), [2]),
        ((0, 100, 200), [0]),  # as near and as many: the lower index
        ((200, 100, 0), [2]),
        ((0, 201, 200), [-1]),  # ringing
        ((0, 50, 0), [-1]),  # one class
        ((50, 100, 150), [-1, -1, -1]),  # none
        ((0, 70, 130, 200), [0, 3]),  # two pixels wide
        ((0, 50, 100, 150, 200), [-1, 0, -1]),  # three; none is judged by one that was repaired
        ((0, 40, 80, 120, 160, 200), [-1, -1, -1, -1]),
        ((0, 50, 50, 0, 200), [-1, 0]),
        ((50,), [-1]),
    ],
)
def test_one_row(reds: tuple[int, ...], taken: list[int]) -> None:
    mask = row(*reds)
    assert list(repaired(LINE, mask).values()) == taken
    turned = np.ascontiguousarray(mask.transpose(1, 0, 2))
    assert list(repaired(LINE, turned).values()) == taken
    assert list(specified(mask, LINE).values()) == taken


@pytest.mark.parametrize(
    ("colour", "is_between"),
    [
        ((100, 0, 0), True),
        ((90, 1, 1), True),  # √2 from the line
        ((90, 2, 0), False),  # 2
        ((1, 1, 1), True),
        ((0, 1, 0), False),  # beside the end, and not on the way
        ((199, 1, 0), True),
        ((200, 1, 0), False),
    ],
)
def test_how_far_from_the_line(colour: tuple[int, int, int], is_between: bool) -> None:
    mask = row(0, 0, 200)
    mask[0, 1] = colour
    assert (repaired(LINE, mask)[1] >= 0) == is_between


@pytest.mark.parametrize(
    ("colour", "is_between"), [((31, 29, 1), True), ((32, 30, 1), True), ((32, 29, 1), False)]
)
def test_one_step_in_each_channel_and_no_more(
    colour: tuple[int, int, int], is_between: bool
) -> None:
    """On a slanted line: √3 from it, then √3 again, then √5.5."""
    palette = Palette.from_colours([(0, 0, 0), (100, 100, 0)])
    mask = row(0, 0, 0)
    mask[0, 1], mask[0, 2] = colour, (100, 100, 0)
    assert (repaired(palette, mask)[1] >= 0) == is_between


def test_a_class_whose_colour_lies_between_two_others_does_not_draw_their_border() -> None:
    """Beside it there is the class between them, to which the mix is nearer than to either."""
    mask = np.stack([row(0, 130, 200)[0], row(100, 100, 100)[0]])
    assert repaired(NESTED, mask) == {1: 2}
    assert repaired(NESTED, row(100, 130, 200)) == {1: 0}  # of the outer two only one is there


def test_near_pixels_say_more_than_far_ones() -> None:
    """Further off is a pair that is further apart."""
    assert repaired(NESTED, row(0, 100, 140, 200)) == {2: 1}
    assert repaired(NESTED, row(200, 0, 60, 100)) == {2: 3}


def test_at_the_middle_the_class_of_more_pixels_wins() -> None:
    mask = np.concatenate([row(0, 100, 200), row(200, 200, 200)])
    assert repaired(LINE, mask) == {1: 2}
    mask = np.concatenate([row(0, 100, 200), row(0, 0, 0)])
    assert repaired(LINE, mask) == {1: 0}
    mask = np.concatenate([row(200, 100, 0), row(0, 200, 7)])  # as many: the lower index
    assert repaired(LINE, mask)[1] == 2


def test_edges_of_the_image_are_no_neighbours() -> None:
    """The last pixel of a row is none of the first of the next."""
    mask = np.concatenate([row(0, 0, 0, 0, 0, 60), row(200, 200, 200, 200, 200, 0)])
    assert repaired(LINE, mask) == {5: 4}
    mask = np.concatenate([row(60, 0, 0, 200), row(0, 0, 0, 200), row(0, 0, 0, 200)])
    assert repaired(LINE, mask) == {0: -1}


def test_where_three_classes_meet_a_mix_of_all_stays() -> None:
    palette = Palette.from_colours([(255, 0, 0), (0, 255, 0), (0, 0, 255)])
    mask = palette.colours[np.array([[0, 0, 1], [0, 0, 1], [2, 2, 2]])]
    mask[1, 1] = (85, 85, 85)
    assert repaired(palette, mask) == {4: -1}
    for (i, a), (j, b) in combinations(enumerate(palette.colours.astype(int)), 2):
        mask[1, 1] = (0.7 * a + 0.3 * b).astype(np.uint8)
        source = repaired(palette, mask)[4]
        assert tuple(mask.reshape(-1, 3)[source]) == tuple(a), (i, j)


def test_two_colours_of_one_class() -> None:
    palette = Palette((PaletteClass(4, "a", (0, 0, 0)), PaletteClass(4, "b", (200, 0, 0))))
    assert repaired(palette, row(0, 150, 200)) == {1: 2}


@pytest.mark.parametrize(("order", "taken"), [((0, 1, 2, 3), 0), ((3, 2, 1, 0), 5)])
def test_where_two_lines_cross_the_lower_index_wins(order: tuple[int, ...], taken: int) -> None:
    corners = [(0, 0, 0), (200, 200, 0), (200, 0, 0), (0, 200, 0)]
    rows = zip(order, corners, strict=True)
    palette = Palette(tuple(PaletteClass(i, f"class {i}", rgb) for i, rgb in rows))
    first, second, third, fourth = corners
    middle = (100, 100, 0)
    mask = np.array([[first, second, middle], [third, middle, fourth]], np.uint8)
    assert repaired(palette, mask)[4] == taken
    mask[0, 2] = third  # of more pixels
    assert repaired(palette, mask) == {4: 2}
