"""`repair`: masks of palette colours only, or a row that says why not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.errors import PaletteError, UsageError
from gpuseg.palette import Palette, PaletteClass
from gpuseg.results import Report
from tests.blurring import blurred, indices_of, label_map, save, specified
from tests.helpers import marks, read_report, tree
from tests.making import PALETTE, mask, read_indices, save_mask
from tests.pngs import chunk, png

MASK = blurred(label_map())
REPAIRED, COUNT, _left = specified(MASK)


def spoilt() -> np.ndarray:
    """The mask with three pixels that lie between no two classes."""
    pixels = MASK.copy()
    pixels[25, 30:33] = (9, 200, 77)
    return pixels


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save(MASK, tmp_path / "src" / "sub" / "a.png")
    save_mask(tmp_path / "src" / "clean.png")
    return tmp_path / "src"


def run(src: Path, palette: Palette = PALETTE, **options: Any) -> tuple[Report, dict[str, Any]]:
    report = gpuseg.repair(src, src.parent / "dst", palette, **options)
    if report.path is None:
        return report, {}
    return report, read_report(report.path).files


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.array(image)


def test_borders_are_repaired_and_nothing_else(src: Path) -> None:
    report, rows = run(src)
    dst = src.parent / "dst"
    assert tree(dst) == ["clean.png", "sub/a.png"]
    assert np.array_equal(pixels_of(dst / "sub" / "a.png"), REPAIRED)
    assert np.array_equal(pixels_of(dst / "clean.png"), mask(12, 17))
    row = rows[os.path.join("sub", "a.png")]
    assert row["unknown_pixels"] == report.unknown_pixels == COUNT
    assert row["unknown_colours"]
    assert "unknown_pixels" not in rows["clean.png"]
    assert report.exit_code == 0
    head = json.loads(report.path.read_text("ascii").splitlines()[0])
    assert head["verb"] == "repair"
    assert "class_table" not in head  # DST holds no label maps


def test_what_was_repaired_converts_by_error(src: Path, tmp_path: Path) -> None:
    run(src)
    report = gpuseg.convert_directory(tmp_path / "dst", tmp_path / "labels", PALETTE, device="cpu")
    assert (report.files["converted"], report.failed) == (2, 0)
    assert np.array_equal(read_indices(tmp_path / "labels/sub/a.png"), indices_of(REPAIRED))


@pytest.mark.parametrize("name", ["b.png", "b.bmp", "b.tif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_masks_of_all_kinds_become_rgb_pngs(src: Path, name: str, mode: str) -> None:
    save(MASK, src / name, mode)
    run(src)
    assert np.array_equal(pixels_of(src.parent / "dst" / "b.png"), REPAIRED)


def test_a_mask_in_which_colours_are_left_fails(src: Path) -> None:
    save(spoilt(), src / "b.png")
    report, rows = run(src)
    assert not (src.parent / "dst" / "b.png").exists()
    row = rows["b.png"]
    assert (row["status"], row["unknown_pixels"]) == ("failed", 3)
    assert row["unknown_colours"] == [{"hex": "#09c84d", "pixels": 3, "x": 30, "y": 25}]
    assert f"({COUNT} others could be repaired)" in row["message"]
    assert row["message"].endswith("--keep-unrepaired")
    assert (report.exit_code, report.unknown_pixels) == (1, COUNT)


def test_it_is_written_with_a_warning_if_asked_for(src: Path) -> None:
    save(spoilt(), src / "b.png")
    report, rows = run(src, keep_unrepaired=True)
    assert np.array_equal(pixels_of(src.parent / "dst" / "b.png"), specified(spoilt())[0])
    row = rows["b.png"]
    assert (row["unknown_pixels"], row["left_unknown"]) == (COUNT, 3)
    assert row["warnings"] == [
        "left as they were: 3 pixels of unknown colour: #09c84d 3 px, first at x=30 y=25"
    ]
    assert (report.exit_code, report.files_with_warnings) == (0, 1)


def test_the_noise_of_jpeg_is_not_repaired(src: Path) -> None:
    Image.fromarray(MASK).save(src / "b.jpg", quality=90)
    assert run(src)[1]["b.jpg"]["status"] == "failed"


def test_a_second_run_keeps_files_and_counts(src: Path) -> None:
    run(src)
    before = marks(src.parent / "dst")
    report, rows = run(src)
    assert {row["status"] for row in rows.values()} == {"unchanged"}
    assert report.unknown_pixels == COUNT
    assert marks(src.parent / "dst") == before
    fewer = Palette(PALETTE.classes[:-1])
    for change in ({"palette": fewer}, {"keep_unrepaired": True}, {"resume": False}):
        report, rows = run(src, **change)
        assert "unchanged" not in {row["status"] for row in rows.values()}, change
        run(src)


def test_a_dry_run_writes_nothing(src: Path) -> None:
    save(spoilt(), src / "b.png")
    report, _ = run(src, dry_run=True)
    assert (report.files["planned"], report.failed, report.unknown_pixels) == (2, 1, COUNT)
    assert not (src.parent / "dst").exists()


def test_files_that_were_not_written_by_gpuseg_are_kept(src: Path) -> None:
    save_mask(src.parent / "dst" / "clean.png", seed=5)
    assert run(src)[1]["clean.png"]["error"] == "output"
    assert np.array_equal(pixels_of(src.parent / "dst" / "clean.png"), mask(12, 17, seed=5))
    assert run(src, overwrite=True)[1]["clean.png"]["status"] == "converted"


def test_what_is_no_mask_stops_no_other(src: Path) -> None:
    (src / "no.png").write_bytes(b"no image")
    (src / "odd.png").write_bytes(png(3, 1, 8, 3, bytes([0, 0, 1, 9]), chunk(b"PLTE", bytes(6))))
    Image.fromarray(np.array([[0, 1, 2, 1]], np.uint8)).save(src / "grey.png")
    report, rows = run(src)
    kinds = {name: rows[name]["error"] for name in ("no.png", "odd.png", "grey.png")}
    assert kinds == {"no.png": "broken", "odd.png": "broken", "grey.png": "unsupported"}
    assert "palette entry 9" in rows["odd.png"]["message"]
    assert report.files["converted"] == 2
    assert run(src, max_pixels=100)[1]["clean.png"]["status"] == "unchanged"
    assert run(src, max_pixels=100, resume=False)[1]["clean.png"]["error"] == "too-large"


def test_grey_masks_if_asked_for(tmp_path: Path) -> None:
    two = Palette.from_colours([(0, 0, 0), (255, 255, 255)])
    grey = np.array([[0, 0, 90, 255, 255, 190, 0]], np.uint8)
    (tmp_path / "src").mkdir()
    Image.fromarray(grey).save(tmp_path / "src" / "a.png")
    assert run(tmp_path / "src", two)[1]["a.png"]["error"] == "unsupported"
    assert run(tmp_path / "src", two, grey="colours")[1]["a.png"]["unknown_pixels"] == 2
    found = pixels_of(tmp_path / "dst" / "a.png")
    assert found[..., 1].tolist() == [[0, 0, 0, 255, 255, 255, 0]]


def test_indices_above_255(src: Path) -> None:
    wide = Palette(
        tuple(PaletteClass(1000 * c.index, c.name, c.rgb) for c in PALETTE.classes),
        ignore_index=65535,
    )
    assert run(src, wide)[0].exit_code == 0
    assert np.array_equal(pixels_of(src.parent / "dst/sub/a.png"), REPAIRED)


def test_one_file(src: Path, tmp_path: Path) -> None:
    gpuseg.repair(src / "sub" / "a.png", tmp_path / "one", PALETTE)
    assert np.array_equal(pixels_of(tmp_path / "one" / "a.png"), REPAIRED)


def test_wrong_arguments(src: Path) -> None:
    with pytest.raises(UsageError, match="grey must be one of"):
        run(src, grey="no")
    with pytest.raises(UsageError):
        gpuseg.repair(src, src, PALETTE)
    with pytest.raises(PaletteError):
        gpuseg.repair(src, src.parent / "dst", "no-such-palette")
