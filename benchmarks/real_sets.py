"""Masks that people made, in a folder that holds one folder a dataset: how each is converted.

The folder is not part of this repository, for most of its licences do not allow that; the
names are those of the datasets. Sets that are absent are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.common import Table
from benchmarks.samples import MaskSet, enough_copies, image_size, repeat_files
from gpuseg import load_palette
from gpuseg.palette import Palette

INDEXED = "finished label maps (palette files), no colour masks"
BMP = "BMP: there is no PNG to decode"

OWN_COLOURS = ""
"""In place of a palette: all colours of the files are classes."""


@dataclass(frozen=True, slots=True)
class RealSet:
    """Masks of one dataset.

    files: globs. palette: a file of the folder, a preset, or OWN_COLOURS. options: for
    gpuseg. aside: why the bars are not for this set, if so.
    """

    name: str
    files: Sequence[str]
    palette: str
    options: Mapping[str, Any] = field(default_factory=dict)
    aside: str = ""


SETS = (
    RealSet("camvid12_480x360", ["camvid12_480x360/rgb/*.png"], "camvid12_480x360/classes.csv"),
    RealSet("camvid12_train", ["camvid12_train/rgb/*.png"], "camvid12_train/classes.csv"),
    RealSet(  # black in some files, for which there is no class
        "dubai_aerial",
        ["dubai_aerial/*.png"],
        "dubai_aerial/classes_true.csv",
        {"unknown": "ignore"},
    ),
    RealSet("quintal_rgba", ["quintal_rgba/*.png"], "quintal_rgba/label_colors.txt"),
    RealSet(
        "animals_cvat_voc",
        ["animals_cvat_voc/*/SegmentationClass/*.png"],
        "animals_cvat_voc/labelmap.txt",
    ),
    RealSet("animals_cvat_objects", ["animals_cvat_voc/*/SegmentationObject/*.png"], "voc256"),
    RealSet("urban_cvat_rle", ["urban_cvat_rle/*_mask.jpg"], OWN_COLOURS),
    RealSet("ecp_facade", ["ecp_facade/*.png"], "ecp_facade/classes.csv"),
    RealSet("coco_panoptic", ["coco_panoptic/*/*.png"], OWN_COLOURS),
    RealSet(
        "ade20k",
        ["ade20k/*_raw.png", "ade20k/*_seg.png", "ade20k/*_parts_*.png"],
        OWN_COLOURS,
    ),
    RealSet(
        "deeplab2_maps",
        [
            f"deeplab2_maps/{name}.png"
            for name in ("cat_gt", "dummy_gt_for_vps", "team_gt_instance")
        ],
        OWN_COLOURS,
    ),
    RealSet("suim_bmp", ["suim_bmp/*.bmp"], "suim_bmp/codes.csv", aside=BMP),
    RealSet("davis_P", ["davis_P/*.png"], "voc256", aside=INDEXED),
    RealSet("human_parsing_P", ["human_parsing_P/*.png"], "voc256", aside=INDEXED),
    RealSet("labelme", ["labelme/*/Segmentation*/*.png"], "voc256", aside=INDEXED),
    RealSet("laneseg_P", ["laneseg_P/*.png"], "laneseg_P/3.png", aside=INDEXED),
    RealSet("cocostuff_P", ["cocostuff_P/*.png"], "cocostuff_P/000000000934.png", aside=INDEXED),
)

LEFT_OUT = {
    "bdd100k": "RGBA with data in alpha and greyscale indices, both refused; one label map",
    "mseg_misc": "greyscale indices; one image of 4 pixels; one of 391 colours, for 16 bits only",
    "datumaro_tiny": "images of 5 to 200 pixels, which time nothing but the file system",
    "pngsuite": "test images of all PNG kinds, no masks",
    "class_tables": "no images",
}
"""Folders that no set is made of, and why."""


def real_sets(shared: Path, work: Path, *, tiny: bool = False) -> Iterator[MaskSet]:
    """The sets that there are, each copied into `work`, its files repeated to be timed well."""
    for described in SETS:
        files = sorted(path for glob in described.files for path in shared.glob(glob))
        if files:
            copies = 1 if tiny else enough_copies([image_size(path) for path in files])
            folder = repeat_files(files, copies, work / described.name)
            palette = _palette(described, shared, files)
            yield MaskSet(
                described.name, folder, palette, described.options, real=True, aside=described.aside
            )


def _palette(described: RealSet, shared: Path, files: Sequence[Path]) -> Palette:
    if described.palette == OWN_COLOURS:
        return own_colours(files)
    beside = shared / described.palette
    return load_palette(beside if beside.exists() else described.palette)


def own_colours(files: Sequence[Path]) -> Palette:
    """A palette of all colours that some images hold, 256 at most."""
    colours: set[Any] = set()
    for path in files:
        with Image.open(path) as image:
            found = image.convert("RGB").getcolors(1 << 12) or []
            colours.update(colour for _, colour in found)
    return Palette.from_colours(sorted(colours), name="own colours")


def left_out(shared: Path) -> Table:
    """The folders that no set is made of, and why."""
    table = Table("Sets that are left out")
    used = {glob.partition("/")[0] for described in SETS for glob in described.files}
    for folder in sorted(path.name for path in shared.iterdir() if path.is_dir()):
        if folder not in used:
            table.add(folder=folder, why=LEFT_OUT.get(folder, "unknown to benchmarks/real_sets.py"))
    return table
