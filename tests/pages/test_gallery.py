"""Items of the gallery: source, label map and overlay of the right pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.codecs.thumbnails import Picture
from gpuseg.labels import save_label
from gpuseg.pages.classes import Classes
from gpuseg.pages.gallery import LARGE, SMALL, Folders, Item, make_item
from tests.making import PALETTE, indices

CLASSES = Classes(PALETTE, 255)


def pixels_of(picture: Picture) -> np.ndarray:
    with Image.open(io.BytesIO(picture.data)) as image:
        return np.array(image.convert("RGB"))


class Room:
    """Folders with one label map, its source and its photograph."""

    def __init__(self, root: Path, height: int = 60, width: int = 90) -> None:
        self.root = root
        for name in ("dst/sub", "src/sub", "over/sub"):
            (root / name).mkdir(parents=True)
        self.labels = indices(height, width)
        self.labels[:3] = 255
        save_label(root / "dst/sub/a.png", self.labels, PALETTE)
        self.colours = np.array([*PALETTE.colours], np.uint8)
        self.source = self.colours[np.minimum(self.labels, 5)]
        Image.fromarray(self.source).save(root / "src/sub/a.bmp")
        self.photo = np.full((height, width, 3), 100, np.uint8)
        Image.fromarray(self.photo).save(root / "over/sub/a.tiff")

    def item(
        self, over: bool = False, classes: Classes = CLASSES, source: str | None = None
    ) -> Item:
        folders = Folders(
            str(self.root / "dst"),
            str(self.root / "src"),
            str(self.root / "over") if over else None,
        )
        sources = {"sub/a.png": source} if source else {}
        with size_limit_is_ours():
            return make_item("sub/a.png", sources, folders, classes, 1 << 22)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_small_files_are_shown_as_they_are(room: Room) -> None:
    item = room.item(source="sub/a.bmp")
    assert [view.title for view in item.views] == ["Source", "Label map", "Overlay"]
    assert all(view.small is view.large for view in item.views)
    assert (item.width, item.height, item.notes) == (90, 60, ())
    assert np.array_equal(pixels_of(item.views[0].small), room.source)
    want = room.source.copy()
    want[:3] = (224, 224, 192)
    assert np.array_equal(pixels_of(item.views[1].small), want)


def test_the_source_is_found_by_its_stem_without_a_report(room: Room) -> None:
    assert room.item().views[0].title == "Source"
    assert "is not there" in room.item(source="../sub/a.bmp").notes[0]


def test_overlays_lie_on_the_photograph_and_leave_the_ignore_index_free(room: Room) -> None:
    item = room.item(over=True)
    found = pixels_of(item.views[2].small).astype(int)
    want = (room.photo.astype(int) + room.source + 1) // 2
    want[:3] = 100
    inner = np.s_[20:23, 31:34]  # within a block: JPEG blurs at borders
    assert np.abs(found[inner] - want[inner]).max() < 24
    assert np.abs(found[0, 40:44] - 100).max() < 24
    assert item.notes == ()


def test_large_files_are_made_small_twice_without_new_colours(tmp_path: Path) -> None:
    item = Room(tmp_path, 700, 1400).item(over=True)
    for view in item.views:
        assert max(view.small.width, view.small.height) == SMALL
        assert max(view.large.width, view.large.height) == LARGE
    colours = {tuple(c) for c in pixels_of(item.views[1].small).reshape(-1, 3).tolist()}
    assert colours <= {tuple(rgb) for rgb in PALETTE.colours.tolist()} | {(224, 224, 192)}


def test_the_legend_names_the_classes_of_the_file(room: Room) -> None:
    legend = room.item().legend
    counts = np.bincount(room.labels.reshape(-1), minlength=256)
    assert [part.share for part in legend] == sorted((part.share for part in legend), reverse=True)
    assert {part.name: part.share for part in legend} == pytest.approx(
        {CLASSES.name(i): counts[i] / room.labels.size for i in np.flatnonzero(counts).tolist()}
    )


def test_without_palette_the_colours_are_the_files(room: Room) -> None:
    item = room.item(classes=Classes(None, 255))
    assert np.array_equal(pixels_of(item.views[1].small)[3:], room.source[3:])
    assert {part.name for part in item.legend} == {
        *(f"index {i}" for i in range(6)),
        "ignore index",
    }


def test_what_cannot_be_shown_says_why(room: Room) -> None:
    Image.fromarray(room.photo[:9]).save(room.root / "over/sub/a.tiff")
    Image.fromarray(room.source[:, :9]).save(room.root / "src/sub/a.bmp")
    item = room.item(over=True)
    assert [view.title for view in item.views] == ["Label map"]
    assert "another size: 9 × 60" in item.notes[0]
    assert "another size: 90 × 9" in item.notes[1]
    (room.root / "over/sub/a.tiff").write_bytes(b"none")
    (room.root / "src/sub/a.bmp").write_bytes(b"none")
    assert [note[:10] for note in room.item(over=True).notes] == ["The source", "The photog"]
    (room.root / "over/sub/a.tiff").unlink()
    assert "no photograph" in room.item(over=True).notes[1]


def test_a_photograph_that_is_cut_off_is_told(room: Room) -> None:
    path = room.root / "over/sub/a.tiff"
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    path.unlink()
    path = path.with_suffix(".jpg")
    Image.fromarray(noise).save(path, quality=95)
    path.write_bytes(path.read_bytes()[:3000])
    item = room.item(over=True)
    assert "photograph is damaged" in item.notes[0]
    assert [view.title for view in item.views] == ["Source", "Label map", "Overlay"]


def test_a_label_map_that_is_gone_or_broken_is_told(room: Room) -> None:
    (room.root / "dst/sub/a.png").write_bytes(b"none")
    item = room.item()
    assert item.views == ()
    assert item.notes[0].startswith("The label map ")
    (room.root / "dst/sub/a.png").unlink()
    assert "not there any more" in room.item().notes[0]


def test_sixteen_bits(room: Room) -> None:
    labels = room.labels.astype(np.uint16)
    labels[labels == 255] = 65535
    labels[10, 10] = 5000
    save_label(room.root / "dst/sub/a.png", np.where(labels == 5000, 5, labels), PALETTE, depth=16)
    item = room.item(classes=Classes(PALETTE, 65535))
    want = room.source.copy()
    want[:3] = (224, 224, 192)
    want[10, 10] = PALETTE.colours[5]
    assert np.array_equal(pixels_of(item.views[1].small), want)
