"""`scan`: what mixed dumps are: orders of channels, kinds of files, photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.errors import PaletteError
from gpuseg.palettes.load import load_palette
from tests.making import indices, mask, read_indices
from tests.verbs.test_scan import CAMVID, camvid, noise, save


def test_red_and_blue_exchanged(tmp_path: Path) -> None:
    camvid(tmp_path / "rgb")
    for path in (tmp_path / "rgb").iterdir():
        with Image.open(path) as image:
            save(tmp_path / "bgr" / path.name, np.array(image)[..., ::-1].copy())
    found = gpuseg.scan(tmp_path / "bgr")
    assert found.conclusion.code == "convert-bgr"
    assert "camvid12" in found.conclusion.words
    gpuseg.save_palette(found.propose(), tmp_path / "p.json")
    gpuseg.convert_directory(tmp_path / "bgr", tmp_path / "dst", tmp_path / "p.json")
    gpuseg.convert_directory(tmp_path / "rgb", tmp_path / "want", "camvid12")
    for path in (tmp_path / "rgb").iterdir():
        want = read_indices(tmp_path / "want" / path.name)
        assert np.array_equal(read_indices(tmp_path / "dst" / path.name), want)


def test_red_and_blue_exchanged_and_other_colours(tmp_path: Path) -> None:
    """A palette of these would not have the preset's indices, so it is not offered."""
    for path in camvid(tmp_path).iterdir():
        with Image.open(path) as image:
            pixels = np.array(image)[..., ::-1].copy()
        pixels[0, 0] = (1, 2, 3)
        save(path, pixels)
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.code == "convert-bgr"
    assert "--propose" not in found.conclusion.words + found.conclusion.command


def test_red_and_blue_exchanged_in_some_files(tmp_path: Path) -> None:
    """All colours together are voc256's, though no mask is: to convert by it were wrong."""
    for path in list(camvid(tmp_path).iterdir())[:2]:
        with Image.open(path) as image:
            save(path, np.array(image)[..., ::-1].copy())
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.code == "mixed-orders"
    assert found.conclusion.words.startswith("2 colour masks with red and blue exchanged")
    assert not found.conclusion.command
    with pytest.raises(PaletteError, match="save those as RGB"):
        found.propose()


def test_indices_in_one_channel_are_proposed_as_they_are(tmp_path: Path) -> None:
    labels = np.array([[0, 7, 7], [3, 7, 30]], np.uint8)
    for name, channels in (("red", [0]), ("all", [0, 1, 2])):
        pixels = np.zeros((2, 3, 3), np.uint8)
        pixels[..., channels] = labels[..., None]
        save(tmp_path / name / "a.png", pixels)
        found = gpuseg.scan(tmp_path / name)
        assert found.conclusion.code == "id-maps"
        assert "--propose" in found.conclusion.command
        gpuseg.save_palette(found.propose(), tmp_path / f"{name}.csv")
        dst = tmp_path / f"{name}-labels"
        gpuseg.convert_directory(tmp_path / name, dst, tmp_path / f"{name}.csv")
        assert np.array_equal(read_indices(dst / "a.png"), labels)


def test_as_many_masks_as_label_maps(tmp_path: Path) -> None:
    """Whichever file is read first, masks are what there is to do."""
    camvid(tmp_path / "masks", files=2)
    for name in range(2):  # read before the masks
        save(tmp_path / "labels" / f"{name}.png", indices(64, 90, classes=9))
    found = gpuseg.scan(tmp_path, workers=1)
    assert found.conclusion.code == "convert"
    assert found.as_dict()["kinds"][0]["kind"] == "RGB"


def test_photographs_end_in_no_palette(tmp_path: Path) -> None:
    """Nor do they take memory: their colours are nothing that a palette could be made of."""
    for name in range(3):
        save(tmp_path / f"{name}.png", noise(name))
    save(tmp_path / "a.jpg", noise(9))
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.code == "photographs"
    assert not len(found.tally.colours()[0])
    with pytest.raises(PaletteError, match="no file has colours"):
        found.propose()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_photographs_beside_masks_change_nothing(tmp_path: Path, suffix: str) -> None:
    camvid(tmp_path / "masks")
    for name in range(8):
        save(tmp_path / "images" / f"{name}{suffix}", noise(name))
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.words == "colour masks of camvid12, every pixel"
    assert found.propose().classes == CAMVID.classes
    assert any(note.startswith("8 files of another kind") for note in found.notes)


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    src = camvid(tmp_path / "src")
    Image.fromarray(indices(9, 9)).save(src / "grey.png")
    Image.fromarray(mask(9, 9)).save(src / "photo.jpg")
    (src / "empty.png").write_bytes(b"")
    found = gpuseg.scan(src)
    told = "\n".join(found.notes)
    for name in ("grey.png", "photo.jpg", "empty.png"):
        assert f"({name})" in told
    assert found.report.exit_code == 1
    assert found.conclusion.code in ("convert", "convert-unknown")


def test_a_palette_that_fits_either_way(tmp_path: Path) -> None:
    """DeepGlobe's colours with red and blue exchanged are SUIM's: only a person can tell."""
    colours = load_palette("deepglobe").colours[:, ::-1]
    save(tmp_path / "a.png", colours[indices(20, 20, classes=len(colours))])
    found = gpuseg.scan(tmp_path)
    assert any("deepglobe would explain as much" in note for note in found.notes)


def test_values_that_no_label_map_has(tmp_path: Path) -> None:
    """Of TIFF: they are told, and are no other index."""
    save(tmp_path / "a.tif", np.array([[-5, 0, 70000], [3, 3, -5]], np.int32))
    found = gpuseg.scan(tmp_path)
    assert found.tally.indices() == {0: (1, 1), 3: (2, 1)}
    assert any(note.startswith("3 pixels with a value below 0") for note in found.notes)


def test_lossy_masks_are_no_photographs(tmp_path: Path) -> None:
    """However many colours JPEG makes of them."""
    save(tmp_path / "a.jpg", CAMVID.colours[indices(64, 90, classes=len(CAMVID))])
    assert gpuseg.scan(tmp_path).conclusion.code == "lossy"


@pytest.mark.parametrize("moved", [0, 1])
def test_a_table_beside_masks_of_a_preset(tmp_path: Path, moved: int) -> None:
    """Whose indices are theirs is for people to say, where the two do not agree."""
    camvid(tmp_path / "masks", files=1)
    lines = [",".join(map(str, (c.name, c.index + moved, *c.rgb))) for c in CAMVID.classes]
    table = tmp_path / "classes.csv"
    table.write_text("\n".join(["name,index,r,g,b", *lines]))
    found = gpuseg.scan(tmp_path / "masks")
    assert found.conclusion.code == "convert"
    assert [note.startswith(str(table)) for note in found.notes].count(True) == moved
