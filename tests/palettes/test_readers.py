"""The readers: every format, its oddities, and messages that name the line."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image

from gpuseg.errors import PaletteFormatError
from gpuseg.palette import Palette, voc_colormap
from gpuseg.palettes.load import load_palette, read_draft
from gpuseg.palettes.presets import load_preset
from gpuseg.palettes.readers import image as image_reader

DATA = Path(__file__).parents[1] / "data" / "palettes"
RED_GREEN = [(0, "red", (255, 0, 0)), (1, "green", (0, 255, 0))]


def rows(content: str | bytes) -> list[tuple[int, str, tuple[int, int, int]]]:
    data = content.encode() if isinstance(content, str) else content
    return [(c.index, c.name, c.rgb) for c in read_draft(data, "table").classes]


TWO_CLASSES = {
    "labelmap": "# label:color_rgb:parts:actions\nred:255,0,0::\ngreen:0,255,0::\n",
    "labelmap-short": "red:255,0,0\ngreen: 0, 255, 0:a,b:c\n",
    "labelmap-crlf": "red:255,0,0::\r\n\r\ngreen:0,255,0::",
    "rows-tab": "255 0 0\tred\n0 255 0\tgreen",
    "rows-blanks": "  255   0  0    red\n0 255.0 0 green  \n",
    "rows-old-mac": "255 0 0 red\r0 255 0 green\r",
    "csv": "name,r,g,b\nred,255,0,0\ngreen,0,255,0\n",
    "csv-bom": "\ufeffname,r,g,b\nred,255,0,0\ngreen,0,255,0",
    "csv-odd-header": " Name , R, G , B\nred,255, 0,0.0\ngreen,0.,255.0, 0\n",
    "csv-semicolons": "name;red;green;blue\nred;255;0;0\ngreen;0;255;0\n",
    "csv-tabs": "name\tr\tg\tb\nred\t255\t0\t0\ngreen\t0\t255\t0\n",
    "csv-index": "Index,Name,R,G,B\n0,red,255,0,0\n1,green,0,255,0\n",
    "csv-index-last": "b,g,r,class_name,class-id\n0,0,255,red,0\n0,255,0,green,1.0\n",
    "csv-hex": "name,color\nred,#ff0000\ngreen,00FF00\n",
    "csv-comment": "# a table\n\nname,r,g,b\nred,255,0,0\n,,,\ngreen,0,255,0\n",
    "csv-hash-header": "#name,r,g,b\nred,255,0,0\ngreen,0,255,0\n",
    "csv-no-header": "red,255,0,0\ngreen,0,255,0\n",
    "csv-no-header-colour-first": "255,0,0,red\n0,255,0,green\n",
    "csv-no-header-index": "0,red,255,0,0\n1,green,0,255,0\n",
    "csv-quotes": '"name","r","g","b"\n"red","255","0","0"\n"green","0","255","0"\n',
    "hex-names": '{"#FF0000": "red", "#00ff00": "green"}',
    "name-hex": '{"red": "#FF0000", "green": "#00ff00"}',
    "name-list": '{"red": [255, 0, 0], "green": [0, 255.0, 0]}',
    "supervisely": '{"classes": [{"title": "red", "color": "#FF0000", "shape": "polygon"},'
    '{"title": "green", "color": "#00FF00"}], "tags": []}',
    "mapillary": '{"labels": [{"name": "a--r", "readable": "red", "color": [255, 0, 0]},'
    '{"name": "a--g", "readable": "green", "color": [0, 255, 0]}], "version": "1.1"}',
    "coco": '[{"id": 0, "name": "red", "color": [255, 0, 0], "isthing": 1},'
    '{"id": 1, "name": "green", "color": [0, 255, 0]}]',
    "coco-whole": '{"images": [], "categories": [{"id": 0, "name": "red", "color": [255, 0, 0]},'
    '{"id": 1, "name": "green", "color": [0, 255, 0]}]}',
    "datumaro": '{"label_map": {"1": "green", "0": "red"},'
    '"segmentation_colors": [[255, 0, 0], [0, 255, 0]]}',
    "gimp": "GIMP Palette\nName: two\nColumns: 2\n#\n255   0   0\tred\n  0 255   0\tgreen\n",
    "gimp-short": "GIMP Palette\n255 0 0 red\n0 255 0 green\n",
    "own": '{"format": "gpuseg-palette", "version": 1, "classes": ['
    '{"index": 0, "name": "red", "colour": "#ff0000"},'
    '{"index": 1, "name": "green", "colour": [0, 255, 0]}]}',
}


@pytest.mark.parametrize("content", TWO_CLASSES.values(), ids=TWO_CLASSES.keys())
def test_two_classes_in_every_format(content: str) -> None:
    assert rows(content) == RED_GREEN


UNNAMED = {
    "rows": "255 0 0\n0 255 0\n",
    "csv": "255,0,0\n0,255,0\n",
    "csv-header": "r,g,b\n255,0,0\n0,255,0\n",
    "json": "[[255, 0, 0], [0, 255, 0]]",
    "json-hex": '["#ff0000", "#00ff00"]',
    "json-index": '{"0": "#ff0000", "1": "#00ff00"}',
    "json-hex-index": '{"#ff0000": 0, "#00ff00": 1}',
    "json-hex-digits": '{"#ff0000": "0", "#00ff00": "1"}',
    "gimp": "GIMP Palette\n255 0 0 Untitled\n0 255 0\n",
}


@pytest.mark.parametrize("content", UNNAMED.values(), ids=UNNAMED.keys())
def test_classes_without_names_are_numbered(content: str) -> None:
    assert rows(content) == [(0, "class 0", (255, 0, 0)), (1, "class 1", (0, 255, 0))]


def test_names_may_hold_blanks_and_other_scripts() -> None:
    assert rows("1 2 3 traffic light\n4 5 6 straße 道路\n")[1][1] == "straße 道路"
    assert rows('name,r,g,b\n"a, b",1,2,3\n')[0][1] == "a, b"


def test_sparse_and_repeated_indices_are_kept() -> None:
    found = rows("id,name,r,g,b\n7,a,1,2,3\n255,b,4,5,6\n7,c,7,8,9\n")
    assert [row[0] for row in found] == [7, 255, 7]
    assert rows('{"#000000": 200, "#000001": 3}')[0] == (200, "class 200", (0, 0, 0))


@pytest.mark.parametrize(
    "content",
    [
        "label,name,r,g,b\n7,road,1,2,3\n4,car,4,5,6\n",
        "name,class,r,g,b\nroad,7,1,2,3\ncar,4,4,5,6\n",
        '[{"index":7,"name":"road","color":[1,2,3]},{"index":4,"name":"car","color":[4,5,6]}]',
        '{"labels":[{"id":7,"name":"road","color":"#010203"},{"id":4,"name":"car","color":"040506"}]}',
        '[{"idx":7,"name":"road","color":"#010203"},{"idx":4,"name":"car","color":"#040506"}]',
    ],
)
def test_ids_by_other_words_are_indices(content: str) -> None:
    assert rows(content) == [(7, "road", (1, 2, 3)), (4, "car", (4, 5, 6))]


def test_numbers_as_class_without_names_are_indices() -> None:
    content = "class,r,g,b\n7,1,2,3\n4,4,5,6\n"
    assert rows(content) == [(7, "class 7", (1, 2, 3)), (4, "class 4", (4, 5, 6))]
    content = "class,r,g,b\n7,1,2,3\ncar,4,5,6\n"
    assert rows(content) == [(0, "7", (1, 2, 3)), (1, "car", (4, 5, 6))]


def test_an_id_that_one_class_lacks() -> None:
    content = '[{"id": 7, "name": "a", "color": [1, 2, 3]}, {"name": "b", "color": [4, 5, 6]}]'
    with pytest.raises(PaletteFormatError, match='an "id", as other classes have'):
        rows(content)


def test_a_column_that_is_no_index_is_left_alone() -> None:
    assert [row[0] for row in rows("name,code,r,g,b\nBW,000,0,0,0\nRO,100,255,0,0\n")] == [0, 1]
    assert rows("id,name,r,g,b,trainid\n5,a,1,2,3,0\n")[0][0] == 5


def test_repeated_colours_of_a_hex_dictionary_are_kept_for_the_palette() -> None:
    assert len(rows('{"#ff0000": "a", "#ff0000": "b", "#FF0000": "c"}')) == 3


def test_title_of_a_gimp_palette() -> None:
    assert read_draft(TWO_CLASSES["gimp"].encode(), "x").name == "two"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a:1,2,3::\nb:1,2::\n", r"table:2: expected name:r,g,b:parts:actions .*got 'b:1,2::'"),
        ("a:1,2,3::\nb:c:1,2,3::x\n", r"table:2: expected name:r,g,b"),
        ("a:1,2,3::\n\n# x\nb:1,2,900::\n", r"table:4: expected .*got 'b:1,2,900::'"),
        ("1 2 3 a\n1 2 x b\n", r"table:2: expected `r g b name` .*got '1 2 x b'"),
        ("name,r,g,b\na,1,2,3\nb,1,2,red\n", r"table:3: expected red, green and blue"),
        ("name,r,g,b\na,1,2,3\nb,1\n", r"table:3: expected at least 4 columns, got 'b,1'"),
        ("1,2,3,4\n", r"table:1: expected a header such as name,r,g,b"),
        ("__ignore__\n\n_background_\n", r"table:2: expected a name a line, .*got ''"),
        ("__ignore__\na\na\n", r"table:3: expected a name a line, each once .*got 'a'"),
        ("# x\n__ignore__\na\n", r"table:1: expected a name a line, .*got '# x'"),
        ("_background_\ncar:1,2,3\n", r"table:2: expected a name a line, .*got 'car:1,2,3'"),
        ("__ignore__\n" + "\n".join(map(str, range(256))), r"at most 255 classes, got '256'"),
        ("car\nroad\n", r"table:1: expected a palette: .*labels.txt.*got 'car'"),
        ("a,b,c\n", r"table:1: expected a header"),
        ("id,name,r,g,b\n-1,plate,0,0,142\n", r"table:2: expected an index: .*got '-1'"),
        ('[{"id": -1, "name": "a", "color": [1, 2, 3]}]', r"class 0: expected an index"),
        ('{"a": [1, 2, 256]}', r"table, 'a': expected a colour"),
        ('{"a": "#12345"}', r"table, 'a': expected a colour #RRGGBB, got '#12345'"),
        ('[{"id": 1, "name": "a"}]', r'class 0: expected a "color"'),
        ('{"a": "#000000", "a": "#000001"}', r"each key once in a JSON object, got 'a'"),
        ('{\n"a": }', r"table:2: expected JSON"),
        (
            '{"label_map": {"0": "a", "1": "b"}, "segmentation_colors": [[0, 0, 0]]}',
            r"each of the 2 labels .*got '1 colours'",
        ),
        (
            '{"format": "gpuseg-palette", "version": 9, "classes": []}',
            r'"version": 1 \(a newer gpuseg may read it\), got \'9\'',
        ),
        (
            '{"format": "gpuseg-palette", "version": 1, "ignore": 3, "classes": []}',
            r"expected the keys format, .*got 'ignore'",
        ),
    ],
)
def test_messages_say_where_what_and_what_came(content: str, message: str) -> None:
    with pytest.raises(PaletteFormatError, match=message):
        rows(content)


def test_bytes_that_are_no_utf8_name_the_line() -> None:
    with pytest.raises(
        PaletteFormatError, match=r"table:2: expected UTF-8 text, got the byte 0xe9"
    ):
        rows(b"1 2 3 a\n4 5 6 caf\xe9\n")


def test_tables_as_shipped_by_others() -> None:
    quintal = load_palette(DATA / "quintal_label_colors.txt")
    assert (len(quintal), quintal.classes[-1].name) == (11, "tijolo")
    labelmap = load_palette(DATA / "datumaro_labelmap.csv")
    assert [c.name for c in labelmap.classes] == ["background", "cat", "dog"]
    config = load_palette(DATA / "datumaro_mapillary_config.json")
    assert [c.name for c in config.classes] == ["Bird", "Separator", "Bicycle"]
    meta = load_palette(DATA / "datumaro_dataset_meta.json")
    assert (meta.classes[5].name, meta.classes[5].rgb) == ("Road", (128, 64, 128))
    viper = load_palette(DATA / "viper_classes.csv", on_duplicate="first")
    assert viper.classes == load_preset("viper").classes


def palette_png(colours: bytes, pixels: list[int]) -> bytes:
    image = Image.new("P", (len(pixels), 1))
    image.putdata(pixels)
    image.putpalette(colours)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def test_png_gives_its_palette_by_position() -> None:
    assert rows(palette_png(bytes([255, 0, 0, 0, 255, 0]), [0, 1])) == [
        (0, "class 0", (255, 0, 0)),
        (1, "class 1", (0, 255, 0)),
    ]


def test_png_of_gpuseg_gives_the_palette_back() -> None:
    palette = load_preset("cityscapes")
    used = sorted({entry.index for entry in palette.classes})
    found = read_draft(palette_png(palette.plte(255), used), "x")
    painted = {index: entry.rgb for index, entry in palette.first_by_index().items()}
    assert {c.index: c.rgb for c in found.classes} == painted


def test_png_of_voc_keeps_the_void_border() -> None:
    found = read_draft(palette_png(voc_colormap().tobytes(), [0, 1, 255]), "x")
    assert (found.ignore_index, found.classes[255].name) == (255, "void")
    assert len(found.classes) == 256


def test_png_filler_is_dropped_and_used_repeats_are_duplicates() -> None:
    colours = bytes([0, 0, 0, 9, 9, 9, 0, 0, 0, 9, 9, 9])
    assert [row[0] for row in rows(palette_png(colours, [0, 1]))] == [0, 1]
    assert [row[0] for row in rows(palette_png(colours, [2, 1]))] == [1, 2]
    assert [row[0] for row in rows(palette_png(colours, [0, 2, 1]))] == [0, 1, 2]


def test_png_run_of_one_unused_colour_is_no_class() -> None:
    palette = Palette.from_colours([(1, 1, 1), (2, 2, 2)])
    found = read_draft(palette_png(palette.plte(), [0, 1]), "x")
    assert [(c.index, c.name) for c in found.classes] == [
        (0, "class 0"),
        (1, "class 1"),
        (255, "void"),
    ]
    background = bytes(3) + bytes([1, 1, 1]) + bytes(254 * 3)
    assert [row[0] for row in rows(palette_png(background, [1]))] == [0, 1]


def test_png_without_palette_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, format="PNG")
    with pytest.raises(PaletteFormatError, match=r"a palette PNG .*got 'a PNG of mode RGB'"):
        rows(buffer.getvalue())


def test_broken_png_is_refused() -> None:
    data = palette_png(voc_colormap().tobytes(), list(range(200)))
    for cut in range(8, len(data) - 12, 37):
        with pytest.raises(PaletteFormatError):
            rows(data[:cut])


def test_png_index_beyond_its_palette_is_refused() -> None:
    data = palette_png(voc_colormap().tobytes(), [0, 200])
    at = data.index(b"PLTE")
    chunk = b"PLTE" + bytes(range(6))
    short = (6).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    with pytest.raises(PaletteFormatError, match="indices below 2, the PLTE entries, got '200'"):
        rows(data[: at - 4] + short + data[at + 4 + 768 + 4 :])


def test_huge_png_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_reader, "MAX_PIXELS", 3)
    with pytest.raises(PaletteFormatError, match="at most 3 pixels, got '4 x 1'"):
        rows(palette_png(bytes(6), [0, 0, 1, 1]))


def test_own_format_holds_everything(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        '{"format": "gpuseg-palette", "version": 1, "name": "n", "source": "s", "notes": "t",'
        '"verified": false, "ignore_index": 7, "classes": ['
        '{"index": 3, "name": "a", "colour": "#010203"}]}'
    )
    palette = load_palette(path)
    assert isinstance(palette, Palette)
    assert (palette.name, palette.source, palette.notes) == ("n", "s", "t")
    assert (palette.verified, palette.ignore_index) == (False, 7)
