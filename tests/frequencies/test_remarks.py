"""What is odd in label maps is told, and what is not is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gpuseg import Palette, PaletteClass, stats
from tests.dumps import save_label_map
from tests.making import PALETTE


def test_indices_that_the_palette_does_not_hold_are_told(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 9, 9, 200]], PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    assert [(c.index, c.pixels) for c in found.unlisted] == [(9, 2), (200, 1)]
    assert found.report.exit_code == 0  # `check` is the judge
    [remark] = found.remarks
    assert "9 (2 px in 1); 200 (1 px in 1)" in remark
    assert found.weights().shape == (6,)
    assert all(c.weights["enet"] == 0 for c in found.unlisted)


def test_files_whose_palettes_differ_are_told(tmp_path: Path) -> None:
    other = Palette.from_colours([(9, 9, 9), *(c.rgb for c in PALETTE.classes[1:])])
    save_label_map(tmp_path / "a.png", [[0, 1]], PALETTE)
    save_label_map(tmp_path / "b.png", [[0, 1]], other)
    save_label_map(tmp_path / "c.png", [[1, 1]], other)
    differing = stats(tmp_path).remarks[1]
    assert "0 is #000000 in 1 and #090909 in 1" in differing
    assert "1 is" not in differing
    [repainted] = stats(tmp_path, palette=PALETTE).remarks
    assert "0 'background' is #000000, #090909 in 1" in repainted


def test_an_ignore_index_that_may_be_a_class_is_told(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 255]])
    assert "nothing but 0 and 255" in stats(tmp_path).remarks[1]
    assert len(stats(tmp_path, ignore_index=7).remarks) == 1
    palette = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(255, "cow", (1, 1, 1))))
    [remark] = stats(tmp_path, palette=palette).remarks
    assert "index 255 is 'cow'" in remark
    void = Palette((PaletteClass(0, "Void", (0, 0, 0)), PaletteClass(1, "b", (1, 1, 1))))
    named, alone = stats(tmp_path, palette=void).remarks
    assert "0 'Void'" in named
    assert "nothing but" in alone


def test_lossy_files_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.jpg")
    assert "1 label maps are JPEG" in stats(tmp_path).remarks[1]


def test_the_usual_ignore_index_of_16_bits_is_told(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 1, 65535]])
    assert any("index 65535 was counted" in remark for remark in stats(tmp_path).remarks)
    found = stats(tmp_path, ignore_index=65535)
    assert not any("was counted" in remark for remark in found.remarks)
    assert found.weights().shape == (2,)
