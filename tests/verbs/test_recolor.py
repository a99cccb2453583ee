"""`recolor` over folders: colours change, indices do not, what is no label map is a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.errors import PaletteError, UsageError
from gpuseg.palette import Palette
from gpuseg.palettes.of_run import palette_of_run
from tests.helpers import REPORT, read_report, tree
from tests.making import PALETTE, indices, read_indices, save_mask

OTHER = Palette.from_colours([(9, 8, 7), (1, 2, 3), (4, 5, 6)], ["x", "y", "z"], name="other")


def save_labels(path: Path, seed: int = 0, mode: str = "P") -> np.ndarray:
    labels = indices(12, 17, seed)
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette(PALETTE.plte())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return labels


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save_labels(tmp_path / "src" / "a.png")
    save_labels(tmp_path / "src" / "sub" / "b.png", 1, "L")
    return tmp_path / "src"


def test_a_folder(src: Path) -> None:
    dst = src.parent / "dst"
    report = gpuseg.recolor(src, dst, OTHER, ignore_index=200)
    assert (report.files["converted"], report.exit_code) == (2, 0)
    assert report.pixels == 2 * 12 * 17
    assert tree(dst) == ["a.png", "sub/b.png"]
    for seed, name in enumerate(tree(dst)):
        assert np.array_equal(read_indices(dst / name), indices(12, 17, seed))
        with Image.open(dst / name) as image:
            colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
        want = np.zeros((256, 3), np.uint8)
        want[:3], want[200] = OTHER.colours, (224, 224, 192)
        assert np.array_equal(colours, want)
    row = read_report(dst / REPORT).files["a.png"]
    assert (row["width"], row["height"], row["format"], row["codec"]) == (17, 12, "PNG", "png")
    found = palette_of_run(dst)  # the label maps mean the new palette now
    assert found is not None
    assert (found.classes, found.ignore_index) == (OTHER.classes, 200)


def test_resume_knows_the_palette(src: Path) -> None:
    dst = src.parent / "dst"
    gpuseg.recolor(src, dst, OTHER)
    assert gpuseg.recolor(src, dst, OTHER).files["unchanged"] == 2
    assert gpuseg.recolor(src, dst, PALETTE).files["converted"] == 2
    assert gpuseg.recolor(src, dst, PALETTE, ignore_index=77).files["converted"] == 2


def test_what_is_no_label_map_is_a_row_and_stops_nothing(src: Path) -> None:
    save_mask(src / "colours.png")
    for suffix in ("gif", "bmp", "tif"):
        save_labels(src / f"as_{suffix}.{suffix}")
    Image.fromarray(indices(4, 5).astype(np.uint16) * 300).save(src / "deep.png")
    (src / "broken.png").write_bytes((src / "a.png").read_bytes()[:-20])
    dst = src.parent / "dst"
    report = gpuseg.recolor(src, dst, OTHER)
    assert dict(report.files) == {"converted": 2, "failed": 6}
    rows = read_report(dst / REPORT)
    bad = ["as_bmp.bmp", "as_gif.gif", "as_tif.tif", "broken.png", "colours.png", "deep.png"]
    assert rows.failed() == bad
    assert "save it as a palette PNG" in rows.files["as_gif.gif"]["message"]
    assert "gpuseg convert" in rows.files["colours.png"]["message"]
    assert "gpuseg remap" in rows.files["deep.png"]["message"]
    assert rows.files["broken.png"]["error"] == "broken"
    assert tree(dst) == ["a.png", "sub/b.png"]


def test_a_palette_too_large_or_wrong_stops_before_anything_is_written(src: Path) -> None:
    dst = src.parent / "dst"
    large = Palette.from_colours([(i // 256, i % 256, 0) for i in range(300)])
    with pytest.raises(PaletteError, match="300 colours"):
        gpuseg.recolor(src, dst, large)
    with pytest.raises(PaletteError, match="ignore index 256"):
        gpuseg.recolor(src, dst, OTHER, ignore_index=256)
    with pytest.raises(UsageError, match="DST must not be SRC"):
        gpuseg.recolor(src, src, OTHER)
    assert not dst.exists()
