"""load_palette: what a specification means, which reader gets a file, hostile files."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gpuseg.errors import DuplicateColourError, PaletteError, PaletteFormatError, UsageError
from gpuseg.palette import Palette
from gpuseg.palettes import load
from gpuseg.palettes.load import load_palette, read_draft

DATA = Path(__file__).parents[1] / "data" / "palettes"


def test_palette_is_returned_as_it_is() -> None:
    palette = Palette.from_colours([(0, 0, 0)])
    assert load_palette(palette) is palette


def test_preset_wins_over_a_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "voc").write_text("1 2 3 only\n")
    monkeypatch.chdir(tmp_path)
    assert len(load_palette("voc")) == 22
    assert load_palette(f".{os.sep}voc").classes[0].name == "only"
    assert load_palette(Path("voc")).classes[0].name == "only"


def test_file_without_suffix_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rooms").write_text("1 2 3 floor\n")
    monkeypatch.chdir(tmp_path)
    palette = load_palette("rooms")
    assert (palette.name, len(palette)) == ("rooms", 1)


@pytest.mark.parametrize("spec", ["nothing.csv", "no/such/file", "no.json"])
def test_missing_file_says_so(spec: str) -> None:
    with pytest.raises(PaletteError, match=r"does not exist.*gpuseg palettes"):
        load_palette(spec)


@pytest.mark.parametrize("spec", ["", "x" * 5000, "a\0b", "a\0b/c.csv", "y" * 5000 + ".csv"])
def test_odd_names_are_palette_errors(spec: str) -> None:
    with pytest.raises(PaletteError):
        load_palette(spec)


def test_folder_is_no_palette(tmp_path: Path) -> None:
    with pytest.raises(PaletteFormatError, match="got a folder"):
        load_palette(tmp_path)


@pytest.mark.parametrize("spec", [None, 7, [(0, 0, 0)], b"voc"])
def test_wrong_types(spec: object) -> None:
    with pytest.raises(UsageError, match="a preset name, a path or a Palette"):
        load_palette(spec)  # type: ignore[arg-type]


def test_wrong_on_duplicate() -> None:
    with pytest.raises(UsageError, match="error, first or last"):
        load_palette("voc", on_duplicate="both")  # type: ignore[arg-type]


def test_duplicates_are_an_error_that_names_the_classes() -> None:
    with pytest.raises(DuplicateColourError, match=r"'van' \(25\) and 'train' \(29\)"):
        load_palette(DATA / "viper_classes.csv")


@pytest.mark.parametrize(("choice", "kept", "lost"), [("first", 25, 29), ("last", 29, 25)])
def test_duplicates_can_be_resolved(choice: str, kept: int, lost: int) -> None:
    palette = load_palette(DATA / "viper_classes.csv", on_duplicate=choice)  # type: ignore[arg-type]
    assert len(palette) == 31
    assert kept in palette.indices
    assert [m.index for m in palette.merged] == [lost]


def test_merged_classes_of_a_file_are_kept_beside_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        '{"format": "gpuseg-palette", "version": 1, "classes": ['
        '{"index": 0, "name": "a", "colour": "#000000"},'
        '{"index": 1, "name": "b", "colour": "#000000"}],'
        '"merged": [{"index": -1, "name": "c", "colour": "#000000", "kept": "a"}]}'
    )
    palette = load_palette(path, on_duplicate="first")
    assert [(m.name, m.index, m.kept) for m in palette.merged] == [("c", -1, "a"), ("b", 1, "a")]


def test_more_than_256_classes_load(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text("".join(f"{n >> 8} {n & 255} 0 c{n}\n" for n in range(1000)))
    assert len(load_palette(path)) == 1000


def test_file_of_another_kind_lists_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\nworld\n")
    with pytest.raises(
        PaletteFormatError, match=r"notes\.txt:1: expected a palette: .*got 'hello'"
    ):
        load_palette(path)


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_BYTES", 10)
    path = tmp_path / "p.txt"
    path.write_text("1 2 3 a name\n")
    with pytest.raises(PaletteFormatError, match="at most 10 bytes"):
        load_palette(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(PaletteFormatError, match="device"):
        load_palette(tmp_path / "pipe.csv")


HOSTILE = [
    b"",
    b"   \n\n",
    b"\xef\xbb\xbf",
    b"\0\0\0",
    b"\xff\xfe\x00",
    b"\xe9,1,2,3\n",
    b"# only a comment\n",
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n" + b"\xff" * 64,
    b"GIMP Palette",
    b"GIMP Palette\n1 2\n",
    b"{}",
    b"[]",
    b"[[]]",
    b"[[1,2]]",
    b"[null]",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"classes": 3}',
    b'{"labels": [1]}',
    b'{"a": NaN}',
    b'{"a": [NaN, 1, 2]}',
    b'{"a": [1e999, 1, 2]}',
    b'{"a": [true, 1, 2]}',
    b'{"a": [' + b"9" * 6000 + b", 1, 2]}",
    b'{"a": [' + b"9" * 3000 + b", 1, 2]}",
    b'{"#ff0000": ' + b"9" * 3000 + b"}",
    b'{"#ff0000": -1}',
    b'{"#ff0000": 1.5}',
    b'{"#ff0000": {"a": 1}}',
    b'{"a": "#ff00"}',
    b'{"a": "#ff0000", "a": "#00ff00"}',
    b'{"\\ud800": "#ff0000"}',
    b'{"label_map": [], "segmentation_colors": []}',
    b'{"label_map": {"x": "a"}, "segmentation_colors": [[1,2,3]]}',
    b'{"label_map": {"0": "a"}, "segmentation_colors": []}',
    b'{"format": "gpuseg-palette"}',
    b'{"format": "gpuseg-palette", "version": 2, "classes": []}',
    b'{"format": "gpuseg-palette", "version": 1, "classes": []}',
    b'{"format": "gpuseg-palette", "version": 1, "classes": [3]}',
    b'{"format": "gpuseg-palette", "version": 1, "clases": []}',
    b'{"format": "gpuseg-palette", "version": 1, "name": 3, "classes": []}',
    b'{"format": "gpuseg-palette", "version": 1, "ignore_index": "x", "classes": []}',
    (
        b'{"format": "gpuseg-palette", "version": 1, "classes": [], "merged": [{"index": true,'
        b'"name": "", "colour": "#000000", "kept": ""}]}'
    ),
    b"name,r,g,b\n",
    b"name,r,g,b\na,1,2\n",
    b"name,r,g,b\na,1,2,256\n",
    b"name,r,g,b\na,1,2,-3\n",
    b"name,r,g,b\na,1,2,nan\n",
    b"name,r,g,b\na,0.5,0.5,0.5\n",
    b"index,name,r,g,b\n-1,a,1,2,3\n",
    b"index,name,r,g,b\n70000,a,1,2,3\n",
    b"index,name,r,g,b\n" + b"9" * 9000 + b",a,1,2,3\n",
    b"name,r,g,b\n" + b"a" * 200_000 + b",1,2,3\n",
    b"1,2,3,4\n",
    b"a:b\n",
    b"a:1,2\n",
    b"a:1,2,3:x:y:z\n",
    b"a:1,2,3::\n:4,5,6::\n",
    b"a:::\n",
    b"1 2 3 a\nb\n",
    b"1 2 300\n",
    b"-1 2 3\n",
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: ascii(data[:40]))
def test_hostile_files_are_format_errors(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "p.bin"
    path.write_bytes(data)
    with pytest.raises(PaletteFormatError, match=r"p\.bin.*expected .*, got"):
        load_palette(path)


def only_palette_errors(data: bytes) -> None:
    try:
        read_draft(data, "fuzz")
    except PaletteFormatError as error:
        assert str(error).startswith("fuzz")  # noqa: PT017 - any outcome but this is a failure


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_crash(data: bytes) -> None:
    only_palette_errors(data)


ALPHABET = "0123456789,;:#.-\t \r\n{}[]\"'abrgnG\u00e9\u2028"


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["", "name,r,g,b\n", "GIMP Palette\n", "1 2 3 a\n", "a:1,2,3::\n", '{"a":']),
    st.text(ALPHABET, max_size=200),
)
@example("", '"1,2,3\n')
def test_random_text_never_crashes(start: str, rest: str) -> None:
    only_palette_errors((start + rest).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["#ff0000", "#00FF00", "3"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.text(max_size=4)
        | st.sampled_from(
            ["#ff0000", "0", "classes", "labels", "categories", "color", "name", "id", "index",
             "colour", "label_map", "segmentation_colors", "merged", "ignore_index"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON, st.booleans())
def test_random_json_never_crashes(value: object, own: bool) -> None:
    if own and isinstance(value, dict):
        value = {"format": "gpuseg-palette", "version": 1, **value}
    only_palette_errors(json.dumps(value).encode())


def test_every_class_table_of_the_shared_data_loads(shared: Path) -> None:
    data = shared / "data"
    expected = {
        "quintal_rgba/label_colors.txt": 11,
        "camvid12_train/classes.csv": 12,
        "camvid12_480x360/classes.csv": 12,
        "camvid12_480x360/class_dict_32.csv": 32,
        "dubai_aerial/classes.json": 6,
        "dubai_aerial/classes_true.csv": 6,
        "ecp_facade/classes.csv": 9,
        "suim_bmp/codes.csv": 8,
        "animals_cvat_voc/labelmap.txt": 7,
        "class_tables/viper_classes.csv": 31,
        "class_tables/ccp_class_dict_colorfull.csv": 58,
        "coco_panoptic/panoptic_coco_categories.json": 133,
        "coco_panoptic/panoptic_examples.json": 133,
        "datumaro_tiny/kaggle_dataset/image_mask_with_labelmap/labelmap.csv": 3,
        "datumaro_tiny/mapillary_vistas_dataset/config_v1.2.json": 3,
        "datumaro_tiny/common_semantic_segmentation_dataset/dataset/dataset_meta.json": 6,
    }
    found = {name: len(load_palette(data / name, on_duplicate="first")) for name in expected}
    assert found == expected


def test_tables_without_colours_say_what_is_missing(shared: Path) -> None:
    with pytest.raises(PaletteFormatError, match=r"object150_info\.csv:1: expected a header"):
        load_palette(shared / "data" / "class_tables" / "object150_info.csv")


def test_palettes_of_real_label_maps_load(shared: Path) -> None:
    folder = shared / "data"
    for path in [*sorted((folder / "davis_P").glob("*.png"))[:2],
                 *sorted((folder / "cocostuff_P").glob("*.png"))[:1],
                 *sorted((folder / "labelme" / "semantic").rglob("Segm*/*.png"))]:  # fmt: skip
        assert len(load_palette(path)) >= 4
