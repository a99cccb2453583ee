"""Presets: complete, consistent, and equal to the tables they were taken from."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from gpuseg.errors import PaletteError
from gpuseg.palette import Palette, voc_colormap
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.presets import load_preset, preset_names

# preset -> table of the collection in the shared folder
TABLES = {
    "ade20k": "ade20k150",
    "apolloscape-lanemark": "apolloscape_lanemark",
    "bdd100k-ids": "bdd100k41",
    "bdd100k-toml": "bdd100k19_toml",
    "camvid12": "camvid12_segnet",
    "camvid32": "camvid32",
    "camvid32-alphabetical": "camvid32_mseg",
    "carla13": "carla_early13",
    "carla23": "carla_23",
    "cityscapes-ids": "cityscapes34",
    "coco-panoptic": "coco_panoptic133",
    "coco-stuff": "cocostuff171",
    "comma10k": "comma10k5",
    "deepglobe": "deepglobe7",
    "dfc2022": "dfc2022_16",
    "floodnet": "floodnet10",
    "freiburg-forest": "freiburg_forest",
    "gta5": "gta5_35",
    "idd": "idd40",
    "isaid": "isaid16",
    "kitti": "kitti34_datumaro",
    "landcover-ai": "landcoverai5",
    "lip": "lip20",
    "loveda": "loveda7",
    "loveda-ids": "loveda8_orig",
    "mapillary-v1": "mapillary_v1_2",
    "mapillary-v2": "mapillary_v2_0",
    "pascal-context59": "pascal_context59",
    "pascal-context60": "pascal_context60",
    "potsdam": "potsdam6",
    "potsdam-torchgeo": "potsdam6_torchgeo",
    "rellis3d": "rellis3d20",
    "scannet-nyu40": "scannet_nyu40",
    "semantic-drone": "semantic_drone24",
    "suim": "suim8",
    "synapse": "synapse9",
    "synthia-al": "synthia_al",
    "synthia-rand": "synthia_rand",
    "synthia-sf": "synthia_sf",
    "uavid": "uavid8",
    "vaihingen": "vaihingen6",
    "viper": "viper32",
    "voc": "voc21",
    "voc256": "voc256",
}
# presets made from the train ids of a table
TRAIN_TABLES = {"cityscapes": "cityscapes34", "bdd100k": "bdd100k41"}
# presets read from their owner's documentation, which the collection does not hold
ELSEWHERE = {"carla29"}
# tables that are the same as a preset under another name
TWINS = {
    "cityscapes19": "cityscapes",
    "cityscapes19_mmseg": "cityscapes",
    "bdd100k19_mmseg": "bdd100k",
    "bdd_mseg": "bdd100k",
    "mapillary66_mseg": "mapillary-v1",
}
LEFT_OUT = {"kitti34_mseg", "ade20k150_mseg", "mapillary66_tfmodels"}
README = Path(__file__).parents[2] / "gpuseg" / "palettes" / "presets" / "README.md"

Row = tuple[int, str, tuple[int, int, int]]


def rows(palette: Palette) -> set[Row]:
    return {(c.index, c.name, c.rgb) for c in palette.classes}


def merged_rows(palette: Palette) -> set[Row]:
    return {(m.index, m.name, m.rgb) for m in palette.merged}


def read_table(shared: Path, name: str) -> list[dict[str, object]]:
    return json.loads((shared / "palettes" / f"{name}.json").read_text("utf-8"))["classes"]


def table_rows(shared: Path, name: str) -> set[Row]:
    return {(c["index"], c["name"].strip(), tuple(c["rgb"])) for c in read_table(shared, name)}


def test_every_preset_is_known_to_these_tests() -> None:
    assert set(preset_names()) == TABLES.keys() | TRAIN_TABLES.keys() | ELSEWHERE


@pytest.mark.parametrize("name", preset_names())
def test_preset_is_complete(name: str) -> None:
    palette = load_palette(name)
    assert palette.name == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert palette.source
    assert palette.ignore_index is not None
    assert not palette.is_real_class(palette.ignore_index)
    assert palette.verified or palette.notes
    assert all(entry.name.strip() == entry.name != "" for entry in palette.classes)
    palette.check_depth(8)


@pytest.mark.parametrize("name", preset_names())
def test_merged_classes_name_the_class_that_has_their_colour(name: str) -> None:
    palette = load_preset(name)
    by_colour = {entry.rgb: entry.name for entry in palette.classes}
    for lost in palette.merged:
        assert by_colour[lost.rgb] == lost.kept
        assert lost.name != lost.kept
    assert not rows(palette) & merged_rows(palette)


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_preset_is_the_table_it_was_taken_from(shared: Path, name: str, table: str) -> None:
    palette = load_preset(name)
    added = {(4, "Pavement", (0, 0, 192))} if name == "camvid12" else set()
    assert rows(palette) | merged_rows(palette) == table_rows(shared, table) | added
    if name != "camvid12":
        assert len(palette) + len(palette.merged) == len(read_table(shared, table))


@pytest.mark.parametrize(("name", "table"), TRAIN_TABLES.items())
def test_train_id_presets_know_every_colour_of_the_id_table(
    shared: Path, name: str, table: str
) -> None:
    palette = load_preset(name)
    by_colour = {entry.rgb: entry for entry in palette.classes}
    for entry in read_table(shared, table):
        found = by_colour[tuple(entry["rgb"])]
        if 0 <= entry["trainId"] < 255:
            assert (found.index, found.name) == (entry["trainId"], entry["name"])
        elif found.name == entry["name"]:
            assert found.index == 255
        else:
            assert any(m.name == entry["name"] and m.kept == found.name for m in palette.merged)
    assert {entry.index for entry in palette.classes} == {*range(19), 255}


@pytest.mark.parametrize(("table", "name"), TWINS.items())
def test_tables_left_out_as_twins_are_in_the_preset(shared: Path, table: str, name: str) -> None:
    def plain(found: set[Row]) -> set[tuple[int, tuple[int, int, int]]]:
        return {(index, rgb) for index, _, rgb in found}

    assert plain(table_rows(shared, table)) <= plain(rows(load_preset(name)))


def test_no_table_was_forgotten(shared: Path) -> None:
    tables = {path.stem for path in (shared / "palettes").glob("*.json")} - {"_index"}
    assert tables == {*TABLES.values(), *TRAIN_TABLES.values(), *TWINS, *LEFT_OUT}


def test_voc_is_the_formula() -> None:
    palette = load_preset("voc")
    assert palette.indices.tolist() == [*range(21), 255]
    assert (palette.colours == voc_colormap()[palette.indices]).all()
    assert (load_preset("voc256").colours == voc_colormap()).all()


def test_cityscapes_keeps_car_and_pole_and_paints_void_black() -> None:
    palette = load_preset("cityscapes")
    names = {entry.rgb: (entry.index, entry.name) for entry in palette.classes}
    assert names[(0, 0, 142)] == (13, "car")
    assert names[(153, 153, 153)] == (5, "pole")
    assert palette.first_by_index()[255].rgb == (0, 0, 0)
    assert palette.ignore_index == 255
    assert ("license plate", -1, "car") in [(m.name, m.index, m.kept) for m in palette.merged]


@pytest.mark.parametrize(
    ("name", "rgb", "kept"),
    [
        ("bdd100k-ids", (220, 20, 60), "person"),
        ("bdd100k", (220, 20, 60), "person"),
        ("ade20k", (140, 140, 140), "road"),
        ("viper", (0, 80, 100), "van"),
        ("gta5", (0, 0, 142), "car"),
        ("idd", (153, 153, 153), "pole"),
        ("kitti", (0, 0, 142), "car"),
        ("mapillary-v2", (0, 0, 142), "Car"),
        ("mapillary-v2", (110, 110, 110), "Service Lane"),
        ("mapillary-v2", (192, 192, 192), "Traffic Sign (Back)"),
    ],
)
def test_canonical_choices(name: str, rgb: tuple[int, int, int], kept: str) -> None:
    assert next(entry.name for entry in load_preset(name).classes if entry.rgb == rgb) == kept


def test_carla29_is_the_table_of_its_documentation() -> None:
    names = (
        "Unlabeled Roads SideWalks Building Wall Fence Pole TrafficLight TrafficSign Vegetation "
        "Terrain Sky Pedestrian Rider Car Truck Bus Train Motorcycle Bicycle Static Dynamic Other "
        "Water RoadLine Ground Bridge RailTrack GuardRail"
    )
    palette = load_preset("carla29")
    assert [entry.name for entry in palette.classes] == names.split()
    assert palette.indices.tolist() == list(range(29))
    cityscapes = {
        entry.name.replace(" ", ""): entry.rgb for entry in load_preset("cityscapes").classes
    }
    shared_names = [e for e in palette.classes if e.name.lower() in cityscapes]
    assert len(shared_names) >= 15
    differ = {e.name for e in shared_names if e.rgb != cityscapes[e.name.lower()]}
    assert differ == {"Static", "Dynamic"} & {e.name for e in shared_names}


def test_freiburg_maps_two_colours_to_one_index() -> None:
    palette = load_preset("freiburg-forest")
    assert [entry.name for entry in palette.classes if entry.index == 3] == ["Vegetation", "Tree"]


def test_cityscapes_is_the_table_of_the_scripts(shared: Path) -> None:
    text = (shared / "data" / "class_tables" / "cityscapes_labels.py.txt").read_text("utf-8")
    pattern = r"Label\(\s*'([^']+)'\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,.*\(\s*(\d+),\s*(\d+),\s*(\d+)\)"
    found = [(n, int(i), int(t), (int(r), int(g), int(b))) for n, i, t, r, g, b in
             re.findall(pattern, text)]  # fmt: skip
    assert len(found) == 35
    ids, trains = load_preset("cityscapes-ids"), load_preset("cityscapes")
    assert rows(ids) | merged_rows(ids) == {(i, n, rgb) for n, i, _, rgb in found}
    assert rows(trains) | merged_rows(trains) == {(t, n, rgb) for n, _, t, rgb in found}


def test_presets_agree_with_tables_as_shipped(shared: Path) -> None:
    data = shared / "data"
    viper = load_palette(data / "class_tables" / "viper_classes.csv", on_duplicate="first")
    assert rows(viper) == rows(load_preset("viper"))
    coco = load_palette(data / "coco_panoptic" / "panoptic_coco_categories.json")
    assert rows(coco) == rows(load_preset("coco-panoptic"))
    camvid = load_palette(data / "camvid12_480x360" / "class_dict_32.csv")
    assert rows(camvid) == rows(load_preset("camvid32-alphabetical"))


def test_camvid12_knows_every_colour_of_real_masks(shared: Path) -> None:
    masks = sorted((shared / "data" / "camvid12_480x360" / "rgb").glob("*.png"))[:5]
    assert masks
    known = {entry.rgb for entry in load_preset("camvid12").classes}
    for path in masks:
        with Image.open(path) as image:
            found = image.convert("RGB").getcolors(256)
        assert found is not None
        assert {rgb for _, rgb in found} <= known


def test_readme_tabulates_every_preset() -> None:
    table = {}
    for line in README.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6:
            table[cells[0]] = cells[1:]
    for name in preset_names():
        p = load_preset(name)
        verified = "yes" if p.verified else "no"
        expected = [str(len(p)), str(p.ignore_index), str(len(p.merged)), verified, p.source]
        assert table[name] == expected


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("voc21", "voc"),
        ("cityscape", "cityscapes"),
        ("ADE20K", "ade20k"),
        ("camvid_12", "camvid12"),
    ],
)
def test_unknown_preset_suggests_close_names(name: str, close: str) -> None:
    with pytest.raises(PaletteError, match=rf"did you mean .*\b{close}\b.*gpuseg palettes"):
        load_palette(name)


def test_unknown_preset_without_close_names() -> None:
    with pytest.raises(PaletteError, match=r"'qqqq', which is neither; `gpuseg palettes`"):
        load_preset("qqqq")
