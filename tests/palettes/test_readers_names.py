"""Palettes of names alone: the labels.txt of labelme."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from gpuseg.palette import voc_colormap
from gpuseg.palettes.load import load_palette, read_draft


def test_labels_of_labelme_are_classes_in_the_voc_colour_map() -> None:
    draft = read_draft(b"__ignore__\r\n_background_\r\ncar, red\r\n\r\n", "labels.txt")
    voc = [tuple(colour) for colour in voc_colormap(256).tolist()]
    found = [(c.index, c.name, c.rgb) for c in draft.classes]
    assert found == [
        (0, "_background_", voc[0]),
        (1, "car, red", voc[1]),
        (255, "__ignore__", voc[255]),
    ]
    assert draft.ignore_index == 255
    short = read_draft(b"_background_\ncar", "labels.txt")
    assert [(c.index, c.name) for c in short.classes] == [(0, "_background_"), (1, "car")]
    assert short.ignore_index is None


def test_masks_that_labelme_wrote_convert_by_its_labels(shared: Path) -> None:
    folder = shared / "data" / "labelme" / "instance"
    palette = load_palette(folder / "labels.txt")
    with Image.open(folder / "SegmentationClass" / "2011_000003.png") as mask:
        indices = set(mask.tobytes())
        colours = mask.getpalette("RGB")
    assert colours is not None
    assert {0, 255} < indices
    for entry in palette.classes:
        assert list(entry.rgb) == colours[3 * entry.index : 3 * entry.index + 3]
    assert indices <= {entry.index for entry in palette.classes}
