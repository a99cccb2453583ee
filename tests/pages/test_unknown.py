"""Unknown colours: what a page lists, and crops of the right place."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.pages import unknown as module
from gpuseg.pages.classes import Classes
from gpuseg.pages.gathered import gather
from gpuseg.pages.unknown import SIDE, ZOOM, crop_around, unknown_table
from gpuseg.results import UnknownColour
from tests.making import PALETTE, mask
from tests.pages.making import unknown, write_report

ODD = (9, 9, 200)
CLASSES = Classes(PALETTE, 255)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    pixels = mask(90, 120)
    pixels[70, 100] = ODD
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels).save(tmp_path / "outside.png")
    return folder


def table_of(tmp_path: Path, src: Path | None, *sources: str, x: int = 100, y: int = 70):
    rows = [unknown(name, UnknownColour(ODD, 1, x, y)) for name in sources]
    gathered = gather([write_report(tmp_path / "r.jsonl", *rows)])
    with size_limit_is_ours():
        return unknown_table(gathered, str(src) if src else None, CLASSES, 1 << 20)


def test_a_crop_shows_the_surroundings_and_frames_the_pixel(tmp_path: Path, src: Path) -> None:
    (row,) = table_of(tmp_path, src, "a.png").rows
    assert (row.hex, row.pixels, row.files) == ("#0909c8", 1, 1)
    assert row.nearest == ("e", "#070809", pytest.approx((4 + 1 + 191**2) ** 0.5))
    (crop,) = row.crops
    assert crop.picture is not None
    with Image.open(io.BytesIO(crop.picture.data)) as image:
        found = np.array(image.convert("RGB"))
    assert found.shape == (SIDE * ZOOM, SIDE * ZOOM, 3)
    with Image.open(src / "a.png") as image:
        part = image.convert("RGB").crop((72, 42, 120, 90))  # as near as the corner allows
    want = np.array(part.resize((144, 144), Image.Resampling.NEAREST))
    differs = (found != want).any(2)
    y, x = (70 - 42) * ZOOM, (100 - 72) * ZOOM
    assert tuple(found[y, x]) == ODD
    assert not differs[y : y + ZOOM, x : x + ZOOM].any()
    differs[y - 3 : y + ZOOM + 3, x - 3 : x + ZOOM + 3] = False
    assert not differs.any()
    frame = found[y - 3 : y + ZOOM + 3, x - 3 : x + ZOOM + 3]
    assert (frame[0] == 255).all()
    assert (frame[1, 1:-1] == 0).all()
    assert (frame[2, 2:-2] == 255).all()


@pytest.mark.parametrize(("x", "y"), [(0, 0), (59, 0), (0, 49), (59, 49), (30, 25)])
@pytest.mark.parametrize("shape", [(50, 60), (1, 60), (50, 1), (48, 48), (7, 5)])
def test_crops_at_borders_and_of_small_masks(x: int, y: int, shape: tuple[int, int]) -> None:
    pixels = mask(*shape)
    x, y = min(x, shape[1] - 1), min(y, shape[0] - 1)
    pixels[y, x] = ODD
    found = crop_around(pixels, x, y)
    assert found.shape == (min(SIDE, shape[0]) * ZOOM, min(SIDE, shape[1]) * ZOOM, 3)
    assert ((found == ODD).all(2)).sum() == ZOOM * ZOOM


def test_what_cannot_be_shown_says_why(tmp_path: Path, src: Path) -> None:
    (src / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (src / "changed.png").write_bytes((src / "a.png").read_bytes())
    with Image.open(src / "changed.png") as image:
        image.convert("RGB").point(lambda v: v // 2).save(src / "changed.png")
    table = table_of(tmp_path, src, "broken.png", "changed.png", "../outside.png")
    notes = {crop.source: (crop.picture, crop.note) for crop in table.rows[0].crops}
    assert all(picture is None for picture, _ in notes.values())
    assert "is cut off" in notes["broken.png"][1]
    assert "changed since" in notes["changed.png"][1]
    assert "is not there" in notes["../outside.png"][1]
    for x, y in ((10**9, 0), (0, 10**9)):
        (row,) = table_of(tmp_path, src, "a.png", x=x, y=y).rows
        assert "changed since" in row.crops[0].note
    (row,) = table_of(tmp_path, None, "a.png").rows
    assert "--src" in row.crops[0].note


def test_the_table_is_bounded(tmp_path: Path, src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 4)
    monkeypatch.setattr(module, "MAX_CROPPED", 2)
    colours = [UnknownColour((i, 0, 0), 10 - i, 0, 0) for i in range(7)]
    gathered = gather([write_report(tmp_path / "r.jsonl", unknown("a.png", *colours, pixels=60))])
    with size_limit_is_ours():
        table = unknown_table(gathered, str(src), CLASSES, 1 << 20)
    assert [row.pixels for row in table.rows] == [10, 9, 8, 7]
    assert [len(row.crops) for row in table.rows] == [1, 1, 0, 0]
    assert (table.more, table.pixels, table.files) == (3, 60, 1)
    assert table.unlisted == 60 - sum(c.pixels for c in colours)
