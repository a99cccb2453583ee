"""Swatches: every colour is in the picture, and no name breaks it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.errors import OutputError, UsageError
from gpuseg.palette import Palette, PaletteClass
from gpuseg.palettes.presets import load_preset
from gpuseg.swatch import draw_swatch, save_swatch


def colours_of(image: Image.Image) -> set[tuple[int, ...]]:
    wide = np.asarray(image).astype(np.uint32)
    keys = np.unique(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]).tolist()
    return {(key >> 16, key >> 8 & 255, key & 255) for key in keys}


@pytest.mark.parametrize("name", ["voc", "cityscapes", "ade20k", "voc256"])
def test_every_colour_is_shown(name: str) -> None:
    palette = load_preset(name)
    image = draw_swatch(palette)
    assert image.mode == "RGB"
    assert {entry.rgb for entry in palette.classes} <= colours_of(image)


@pytest.mark.parametrize("count", [1, 2, 21, 33, 256, 700])
def test_size_stays_sensible(count: int) -> None:
    palette = Palette.from_colours([(n >> 8, n & 255, 99) for n in range(count)])
    width, height = draw_swatch(palette).size
    assert 200 <= width <= 4000
    assert 100 <= height <= 3000


def test_more_classes_than_are_drawn() -> None:
    palette = Palette.from_colours([(n >> 8, n & 255, 99) for n in range(1100)])
    shown = colours_of(draw_swatch(palette))
    assert palette.classes[1023].rgb in shown
    assert palette.classes[1024].rgb not in shown


@pytest.mark.parametrize(
    "name",
    ["", "道路", "مركبة", "🚗👩‍👩‍👧", "a\nb\tc\0", "\ud800", "e\u0301" * 50, "W" * 5000, "‮abc"],
    ids=ascii,
)
def test_odd_names_do_not_break_it(name: str) -> None:
    palette = Palette.from_colours([(1, 2, 3), (4, 5, 6)], [name, "b"], name=name)
    image = draw_swatch(palette)
    assert image.width < 1000
    assert {(1, 2, 3), (4, 5, 6)} <= colours_of(image)


def test_facts_that_widen_the_picture() -> None:
    entry = PaletteClass(65535, "x", (9, 8, 7))
    assert draw_swatch(Palette((entry,), ignore_index=65535, verified=False)).width >= 288


def test_save_writes_a_png(tmp_path: Path) -> None:
    save_swatch(load_preset("voc"), tmp_path / "voc.png")
    with Image.open(tmp_path / "voc.png") as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), np.asarray(draw_swatch(load_preset("voc"))))
    assert [p.name for p in tmp_path.iterdir()] == ["voc.png"]


def test_save_reports_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_swatch(load_preset("voc"), tmp_path / "none" / "voc.png")


def test_a_name_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.png, got .*voc\.jpg"):
        save_swatch(load_preset("voc"), tmp_path / "voc.jpg")
    assert list(tmp_path.iterdir()) == []
