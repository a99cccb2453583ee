"""Plots: SVG that any page can hold, whatever the names are."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from gpuseg.plots import MOST, Plot, class_bars, class_plot, heat_map, share_map

matplotlib = pytest.importorskip("matplotlib")

NAMES = [
    "road",
    "$x^2$ $\\frac",
    "<script>alert(1)</script>",
    "a&b \"c\" 'd'",
    "\x1b[31m\x00\ud800",
    "道路",
    "#010203",
]
COLOURS = [(255, 0, 0), (1, 2, 3), (1, 2, 4), None, (255, 255, 255), (0, 0, 0), (9, 9, 9)]
VALUES = [1000, 20, 0, 3, 5_000_000, 7, 1]


def bars(**options: bool) -> str:
    return class_bars(NAMES, COLOURS, VALUES, "Pixels <of> $each$", **options)


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(found.itertext()) for found in root.iter("{http://www.w3.org/2000/svg}text")]


def squares() -> np.ndarray:
    return np.linspace(0, 1, 49).reshape(7, 7)


@pytest.mark.parametrize(
    "svg",
    [bars(), bars(log=True), heat_map(squares(), NAMES, "$t$")],
    ids=["linear", "log", "heat map"],
)
def test_names_are_text_and_nothing_else(svg: str) -> None:
    assert svg.startswith("<svg ")
    assert "<script" not in svg
    found = texts(svg)
    for name in (*NAMES[:2], NAMES[2][:27].rstrip(), NAMES[3], NAMES[5], NAMES[6]):
        assert any(text.startswith(name) for text in found), name
    assert not any(ord(letter) < 32 or "\ud800" <= letter <= "\udfff" for letter in "".join(found))


def test_names_that_look_like_attributes_stay_as_they_are() -> None:
    for name in ('style="x"', 'style="fill: red"', 'style="; "', '<g id="x"'):
        for svg in (class_bars([name], [None], [1], "t"), heat_map(np.ones((1, 1)), [name], "t")):
            assert name in texts(svg)
            assert "style=" not in re.sub(r">[^<]*<", "><", svg)


def test_large_numbers_keep_their_digits() -> None:
    found = texts(class_bars(["a", "b"], [None] * 2, [123_456_789_012_345, 0.5], "t", log=True))
    assert {"123,456,789,012,345", "0.5"} <= set(found)
    assert any(text.endswith("T") for text in found)


def test_a_bar_for_each_value_and_its_number() -> None:
    svg = bars()
    for text in ("1,000", "20", "0", "5,000,000"):
        assert text in texts(svg)
    for colour in ("#ff0000", "#ffffff", "#090909", "#010204"):
        assert f'fill="{colour}"' in svg


@pytest.mark.parametrize("log", [False, True])
def test_bars_are_as_long_as_their_values_say(log: bool) -> None:
    values = [10, 1000, 100_000]
    svg = class_bars(["a", "b", "c"], [(9, 9, k) for k in range(3)], values, "t", log=log)
    lengths = []
    for k in range(3):
        [path] = re.findall(rf'<path d="([^"]*)"[^>]*fill="#09090{k}', svg)
        across = [float(x) for x in re.findall(r"[ML] (\S+)", path)]
        lengths.append(max(across) - min(across))
    start = 10 / 2  # half a decade, or a part of one, before the first
    want = np.log10(np.array(values) / start) if log else np.array(values)
    assert np.allclose(np.array(lengths) / lengths[-1], want / want[-1], atol=1e-4)


@pytest.mark.parametrize(
    "svg", [bars(log=True), heat_map(squares(), NAMES, "t")], ids=["log", "heat map"]
)
def test_text_and_lines_take_the_colour_around_them(svg: str) -> None:
    assert 'fill="currentColor"' in svg
    assert 'stroke="currentColor"' in svg
    assert "#000000" not in re.sub(r'fill="#000000" stroke="currentColor"', "", svg)
    assert "stroke: #" not in svg


def test_the_colour_of_a_class_is_not_taken_for_that_of_text() -> None:
    """Whatever stands for `currentColor` while it is drawn."""
    colours = [(1, 2, 3 + k) for k in range(4)]
    svg = class_bars(["#010207", "b", "c", "d"], colours, [1, 2, 3, 4], "t")
    for k in range(4):
        assert svg.count(f'fill="#01020{3 + k}') == 1
    assert "#010207" in texts(svg)


def test_the_same_data_make_the_same_bytes_under_any_style() -> None:
    first = [bars(log=True), heat_map(squares(), NAMES, "t")]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert [bars(log=True), heat_map(squares(), NAMES, "t")] == first
    assert "date" not in first[0].lower()


def test_nothing_of_matplotlib_is_changed_for_others() -> None:
    before = dict(matplotlib.rcParams)
    bars()
    assert dict(matplotlib.rcParams) == before


def test_several_fit_into_one_page() -> None:
    """No identifier comes twice, and no rule reaches what is not theirs."""
    one, two = (class_bars(NAMES, COLOURS, VALUES, title) for title in ("one", "two"))
    page = one + two + heat_map(squares(), NAMES, "three")
    assert "<style" not in page
    assert "style=" not in page
    found = re.findall(r'\bid="([^"]*)"', page)
    assert len(found) == len(set(found)) >= 3
    assert set(re.findall(r"url\(#([^)]*)\)", page)) <= set(found)


def test_no_classes_and_no_pixels() -> None:
    for svg in (
        class_bars([], [], [], "none", log=True),
        class_bars(["a"], [None], [0], "zero", log=True),
        class_bars(["a"], [None], [0], "zero"),
        heat_map(np.zeros((0, 0)), [], "none"),
    ):
        ET.fromstring(svg)


def test_many_classes_are_cut_to_the_largest_and_the_title_says_so() -> None:
    names = [f"class-{k}" for k in range(200)]
    values = [k % 100 for k in range(200)]
    found = texts(class_bars(names, [None] * 200, values, "Many"))
    assert f"Many (the {MOST} largest of 200)" in found
    assert "class-99" in found
    assert "class-0" not in found
    assert sum(text.startswith("class-") for text in found) == MOST
    found = texts(heat_map(np.eye(200), names, "Many"))
    assert f"Many (the first {MOST} of 200): pale for few, strong for all" in found
    assert sum(text.startswith("class-") for text in found) == 2 * MOST


def test_cells_are_as_strong_as_their_values_and_say_them() -> None:
    matrix = np.array([[1.0, 0.5], [0.001, 0.0]])
    svg = heat_map(matrix, ["a", "b"], "t")
    assert {"100", "50", "<1"} <= set(texts(svg))
    fills = [float(value) for value in re.findall(r'fill="#3b82f5" fill-opacity="([0-9.]+)', svg)]
    assert len(fills) == 3
    assert fills[1] == pytest.approx(fills[0] / 2, rel=0.01)


def test_numbers_of_cells_can_be_read_on_light_and_dark_pages() -> None:
    svg = heat_map(np.ones((1, 1)), ["a"], "t")
    [(cell, strength)] = re.findall(r'fill="(#\w+)" fill-opacity="([0-9.]+)"', svg)
    check_contrast(cell, float(strength))


def check_contrast(cell: str, strength: float) -> None:
    """Text on a cell can be read, on either kind of page."""
    style = (files("gpuseg.pages") / "templates" / "report.css").read_text("utf-8")
    inks, cards = (re.findall(rf"--{name}: (#\w+);", style) for name in ("ink", "card"))
    for ink, card in zip(inks, cards, strict=False):  # that of print has no card
        mixed = strength * rgb(cell) + (1 - strength) * rgb(card)
        dark, light = sorted([luminance(rgb(ink)), luminance(mixed)])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, ink  # WCAG 2.2, 1.4.3, AA
    assert len(cards) == 2


def rgb(colour: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255


def luminance(colour: np.ndarray) -> float:
    parts = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(parts @ [0.2126, 0.7152, 0.0722])


def test_a_long_title_makes_a_plot_no_wider() -> None:
    title = "Of the label maps with the class of a row, those with that of the column, in %"
    long, short = (heat_map(np.eye(12), ["name"] * 12, t) for t in (title, "t"))
    widths = [float(ET.fromstring(svg).attrib["viewBox"].split()[2]) for svg in (long, short)]
    assert widths[0] <= 1.1 * widths[1]
    assert title in " ".join(texts(long))


def confusion(rows: int = 3, columns: int = 4) -> Plot:
    shares = np.full((rows, columns), 0.001)
    np.fill_diagonal(shares, 0.9)
    shares[0, 1] = 0.25
    down = [*NAMES, *map(str, range(rows))][:rows]
    return share_map(shares, down, [*down, "ignored"][:columns], "Taken <for> $x$")


def test_a_confusion_matrix_tells_right_from_wrong_and_its_sides() -> None:
    svg = confusion().svg()
    found = texts(svg)
    assert {"90", "25", "<1", "ignored", "truth", "predicted", "road"} <= set(found)
    assert found.count("ignored") == 1
    assert found.count("road") == 2
    assert svg.count('fill="#3b82f5"') == 3
    strengths = [float(v) for v in re.findall(r'fill="#e86114" fill-opacity="([0-9.]+)"', svg)]
    assert len(strengths) == 9
    assert max(strengths) == pytest.approx(0.6 * 0.25**0.5, abs=0.01)
    assert min(strengths) == pytest.approx(0.6 * 0.001**0.5, abs=0.01)
    assert "$x$, in %" in " ".join(found)


def test_many_classes_of_a_confusion_matrix_bear_no_numbers() -> None:
    found = texts(confusion(40, 41).svg())
    assert "90" not in found
    assert "in %" not in " ".join(found)


def test_numbers_below_a_confusion_matrix_stand_upright() -> None:
    svg = share_map(np.eye(2), ["1", "ab"], ["1", "ab"], "t").svg()
    turned = re.findall(r'<text[^>]*transform="[^"]*rotate\(-90[^>]*>([^<]*)<', svg)
    assert "ab" in turned
    assert "1" not in turned


def test_wrong_cells_can_be_read_on_light_and_dark_pages() -> None:
    svg = share_map(np.array([[0.0, 1.0]]), ["a"], ["a", "b"], "t").svg()
    [(cell, strength)] = re.findall(r'fill="(#\w+)" fill-opacity="([0-9.]+)"', svg)
    check_contrast(cell, float(strength))


def test_shares_are_bars_of_one_whole() -> None:
    svg = class_plot(["a", "b"], [(9, 9, 9), None], [0.5, 1.0], "t", "share").svg()
    assert {"50.0 %", "100.0 %", "0 %", "100 %"} <= set(texts(svg))


@pytest.mark.parametrize("plot", [confusion(), class_plot(NAMES, COLOURS, VALUES, "t", "log")])
def test_a_png_is_dark_on_white_and_shows_the_same(plot: Plot) -> None:
    before = dict(matplotlib.rcParams)
    with Image.open(io.BytesIO(plot.png())) as image:
        pixels = np.array(image.convert("RGB")).astype(int)
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert (pixels[[0, -1]] == 255).all()
    assert (pixels[:, [0, -1]] == 255).all()
    assert (pixels == (0x1B, 0x1C, 0x1F)).all(axis=2).any()
    assert dict(matplotlib.rcParams) == before
    assert plot.svg() == plot.svg()
    box = [float(v) for v in ET.fromstring(plot.svg()).attrib["viewBox"].split()[2:]]
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(box[0] / box[1], rel=0.05)
