"""`check` by its function: label maps with planted faults, and real ones."""

from __future__ import annotations

import json
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg import Palette, check, convert_directory, recolor
from gpuseg.codecs.label_png import write_label
from gpuseg.errors import PaletteSizeError, UsageError
from gpuseg.verbs import check as module
from gpuseg.verbs.check import Rule
from tests.making import PALETTE, indices, save_mask
from tests.pngs import GREY, chunk, lines, pack, png
from tests.pngs import PALETTE as INDEXED
from tests.real import HERE


def rows(folder: Path, palette: Any = PALETTE, **options: Any) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as other:
        path = Path(other) / "r.jsonl"
        report = check(folder, palette, report=path, **options)
        lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    found = {line["source"]: line for line in lines[1:-1]}
    assert len(found) == report.done == len(lines) - 2
    wrong = [row for row in found.values() if row["status"] != "read"]
    assert report.exit_code == (1 if wrong or not found else 0)
    assert all(row["status"] == "failed" and row["error"] != "internal" for row in wrong)
    return found


def one(folder: Path, palette: Any = PALETTE, **options: Any) -> dict[str, Any]:
    [row] = rows(folder, palette, **options).values()
    return row


def save(folder: Path, labels: np.ndarray, plte: bytes | None = None) -> Path:
    path = folder / "a.png"
    if plte is None and labels.dtype == np.uint8:
        plte = PALETTE.plte()
    path.write_bytes(write_label(labels, plte))
    return path


def test_what_was_converted_is_right(tmp_path: Path) -> None:
    save_mask(tmp_path / "src/a.png")
    save_mask(tmp_path / "src/b/c.png", seed=1)
    for options in ({}, {"depth": 16}, {"ignore_index": 7}):
        dst = tmp_path / str(options)
        convert_directory(tmp_path / "src", dst, PALETTE, **options)
        found = rows(dst, **options)
        assert {name: row["status"] for name, row in found.items()} == {
            "a.png": "read",
            "b/c.png": "read",
        }
        assert (found["a.png"]["width"], found["a.png"]["height"]) == (17, 12)
    recolor(tmp_path / "{}", tmp_path / "other", "voc256")
    assert "other colours" in rows(tmp_path / "other")["a.png"]["message"]
    assert rows(tmp_path / "other", any_colours=True)["a.png"]["status"] == "read"


@settings(max_examples=100, deadline=None)
@given(
    data=st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 9, 200, 255]), min_size=1, max_size=40),
    weights=st.sampled_from([(0, 5), (0, 10)]),
    depth=st.sampled_from([8, 16]),
    ignore=st.sampled_from([None, 9]),
)
def test_every_index_is_a_class_or_the_ignore_index(
    data: list[int], weights: tuple[int, int], depth: Any, ignore: int | None
) -> None:
    """Judged by sets; often all indices are classes."""
    data = [index for index in data if index < 6] * (weights[1] == 5) or data
    labels = np.array([data], np.uint8 if depth == 8 else np.uint16)
    allowed = {*range(6), (255 if depth == 8 else 65535) if ignore is None else ignore}
    strange = [index for index in data if index not in allowed]
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), labels, PALETTE.plte(ignore) if depth == 8 else None)
        row = one(Path(folder), ignore_index=ignore, depth=depth)
    assert row["status"] == ("failed" if strange else "read")
    if strange:
        place = data.index(strange[0])
        assert row["error"] == "label"
        assert f"the first, {strange[0]}, at x={place} y=0" in row["message"]
        assert f"{min(strange)} ({strange.count(min(strange))} pixel" in row["message"]


def test_indices_that_are_strange_are_told(tmp_path: Path) -> None:
    labels = indices(8, 9)
    labels[2, 3:5], labels[5, 0] = 77, 6
    save(tmp_path, labels)
    assert one(tmp_path)["message"] == (
        "3 pixels of 72 have an index that is neither a class of palette 'six' nor the ignore "
        "index 255: 6 (1 pixel), 77 (2 pixels); the first, 77, at x=3 y=2"
    )
    save(tmp_path, np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert (
        "6 (1 pixel), 7 (1 pixel), 8 (1 pixel), 9 (1 pixel), 10 (1 pixel), …;"
        in one(tmp_path)["message"]
    )


def test_colours_are_those_of_the_palette(tmp_path: Path) -> None:
    other = bytearray(PALETTE.plte())
    other[3 * 200] = 1
    save(tmp_path, indices(8, 9), bytes(other))
    row = one(tmp_path)
    assert "has other colours (index 200 is #010000, not #000000) than" in row["message"]
    assert "gpuseg recolor" in row["message"]
    assert one(tmp_path, any_colours=True)["status"] == "read"
    save(tmp_path, indices(8, 9), PALETTE.plte(9))
    assert "(index 9 is #e0e0c0, not #000000)" in one(tmp_path)["message"]
    assert one(tmp_path, ignore_index=9)["status"] == "read"


def test_colours_and_indices_are_told_together(tmp_path: Path) -> None:
    labels = indices(8, 9)
    labels[0, 0] = 88
    save(tmp_path, labels, Palette.from_colours([(1, 1, 1)]).plte())
    message = one(tmp_path)["message"]
    assert "other colours (index 0" in message
    assert "; 1 pixel of 72 have an index" in message


def test_greyscale_has_no_colours(tmp_path: Path) -> None:
    labels = indices(8, 9)
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert "is greyscale, without the colours of palette 'six'" in one(tmp_path)["message"]
    assert one(tmp_path, any_colours=True)["status"] == "read"
    labels[7, 8] = 6
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert "the first, 6, at x=8 y=7" in one(tmp_path, any_colours=True)["message"]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_fewer_bits_pass_where_only_indices_count(tmp_path: Path, bits: int) -> None:
    labels = indices(5, 7, classes=2)
    rows_ = lines(*pack(labels, bits).tolist())
    plte = chunk(b"PLTE", PALETTE.plte()[: 3 << bits])
    (tmp_path / "a.png").write_bytes(png(7, 5, bits, INDEXED, rows_, plte))
    assert f"has {bits} bits a pixel, not 8" in one(tmp_path)["message"]
    assert one(tmp_path, any_colours=True)["status"] == "read"
    (tmp_path / "a.png").write_bytes(png(7, 5, bits, GREY, rows_))
    assert one(tmp_path, any_colours=True)["status"] == "read"
    only_one = Palette.from_colours([(1, 2, 3)], ignore_index=0)
    assert "nor the ignore index 0: 1 (" in one(tmp_path, only_one, any_colours=True)["message"]


def test_bits_that_fill_a_row_are_no_pixels(tmp_path: Path) -> None:
    """The last byte of a row of 3 pixels of 4 bits holds half a byte that may be anything."""
    plte = chunk(b"PLTE", PALETTE.plte()[:48])
    (tmp_path / "a.png").write_bytes(png(3, 1, 4, INDEXED, lines([0x12, 0x3F]), plte))
    assert one(tmp_path, any_colours=True)["status"] == "read"


def test_depth(tmp_path: Path) -> None:
    many = Palette.from_colours([(i % 256, i // 256, 0) for i in range(300)])
    save(tmp_path, np.array([[0, 299, 65535]], np.uint16))
    assert one(tmp_path, many)["status"] == "read"
    assert "has 16 bits a pixel, not 8" in one(tmp_path)["message"]
    assert "has 16 bits a pixel, not 8" in one(tmp_path, any_colours=True)["message"]
    save(tmp_path, np.array([[0, 300]], np.uint16))
    assert "300 (1 pixel)" in one(tmp_path, many)["message"]
    save(tmp_path, np.array([[0, 3]], np.uint8))
    assert "has 8 bits a pixel, not 16" in one(tmp_path, many)["message"]
    assert one(tmp_path, many, any_colours=True)["status"] == "read"
    with pytest.raises(PaletteSizeError, match="--depth 16"):
        check(tmp_path, many, depth=8)
    save(tmp_path, np.array([[0, 3, 300]], np.uint16))
    assert one(tmp_path, ignore_index=300)["status"] == "read"  # only 16 bits hold it


def test_what_is_no_label_map(tmp_path: Path) -> None:
    save_mask(tmp_path / "rgb.png")
    Image.new("LA", (3, 3)).save(tmp_path / "la.png")
    Image.fromarray(indices(4, 4)).save(tmp_path / "grey.bmp")
    Image.new("RGB", (3, 3)).save(tmp_path / "photo.jpg")
    (tmp_path / "text.png").write_bytes(b"text")
    save(tmp_path, indices(5, 5))
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-20])
    (tmp_path / "x.txt").write_text("left alone")
    found = rows(tmp_path)
    for name in ("rgb.png", "la.png", "photo.jpg"):
        assert found[name]["error"] == "label"
        assert "gpuseg convert" in found[name]["message"]
    assert found["rgb.png"]["message"].startswith("holds colours, not indices; convert it")
    assert found["la.png"]["message"].startswith("is of mode LA; a label map is a palette or")
    assert "is BMP, a label map is a PNG" in found["grey.bmp"]["message"]
    assert (found["text.png"]["error"], found["cut.png"]["error"]) == ("broken", "broken")
    assert found["a.png"]["status"] == "read"
    assert one(tmp_path / "a.png", max_pixels=24)["error"] == "too-large"


def test_one_file_and_usage(tmp_path: Path) -> None:
    path = save(tmp_path, indices(5, 5))
    assert one(path)["status"] == "read"
    with pytest.raises(UsageError, match="does not exist"):
        check(tmp_path / "none", PALETTE)
    for wrong in (-1, 65536, 2.5, "255"):
        with pytest.raises(UsageError, match="ignore_index must be"):
            check(tmp_path, PALETTE, ignore_index=wrong)
    with pytest.raises(UsageError, match="depth must be one of 8, 16, got 12"):
        check(tmp_path, PALETTE, depth=12)
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "empty", PALETTE).exit_code == 1


def test_a_right_label_map_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, indices(50, 50))
    monkeypatch.delattr(module, "read_label_map")
    assert check(tmp_path, PALETTE).exit_code == 0


def test_the_rule_works_in_another_process() -> None:
    rule = Rule(PALETTE, 8, 255, False)
    assert rule.table.flags.writeable is False  # and now it is cached
    again = pickle.loads(pickle.dumps(rule))
    assert again.table.flags.writeable is False  # else kernels would be compiled once more
    assert np.array_equal(again.table, rule.table)
    assert again == rule


def test_real_label_maps(shared: Path) -> None:
    data = shared / "data"
    found = rows(HERE / "davis_P", "voc256")
    assert {row["status"] for row in found.values()} == {"read"}
    parsing = rows(HERE / "human_parsing_P", "voc256")
    assert "index 7 is #070707, not #808080" in parsing["demo_pascal.png"]["message"]
    assert "index 20 is #141414, not #004080" in parsing["demo_lip.png"]["message"]  # grey ramp
    loose = rows(HERE / "human_parsing_P", "voc256", any_colours=True)
    assert [row["status"] for row in loose.values()] == ["read"] * 3
    assert (
        "184 colours instead of the 256"
        in one(data / "cocostuff_P", data / "cocostuff_P/000000000934.png")["message"]
    )


def test_real_masks_and_indices(shared: Path) -> None:
    data = shared / "data"
    names = data / "camvid12_480x360/classes.csv"
    for row in rows(data / "camvid12_480x360/index_gray", names).values():
        assert "is greyscale" in row["message"]
    for row in rows(data / "camvid12_480x360/index_gray", names, any_colours=True).values():
        assert row["status"] == "read"
    for row in rows(data / "camvid12_480x360/rgb", names).values():
        assert "holds colours" in row["message"]
    tiles = rows(data / "dubai_aerial", data / "dubai_aerial/classes_true.csv")
    assert len(tiles) == 12
    for name, row in tiles.items():  # palette files, whose order differs from file to file
        told = "other colours" if name.startswith(("tile2", "tile4")) else "holds colours"
        assert told in row["message"]


def test_two_kinds_of_one_name_are_two_files(tmp_path: Path) -> None:
    """Nothing is written, so nothing collides."""
    for name in ("a.png", "a.bmp"):
        image = Image.frombytes("P", (5, 4), indices(4, 5).tobytes())
        image.putpalette(PALETTE.plte())
        image.save(tmp_path / name)
    report = check(tmp_path, PALETTE, any_colours=True)
    assert dict(report.files) == {"read": 1, "failed": 1}
    assert report.failures[0].source == "a.bmp"
    assert "BMP" in report.failures[0].message
