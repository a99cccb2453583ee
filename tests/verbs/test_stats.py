"""stats: what label maps hold, against NumPy and Pillow."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, convert_directory, load_palette, stats
from gpuseg.errors import OutputError, PaletteError, UsageError
from gpuseg.frequencies.counts import TOGETHER
from gpuseg.palettes.writers import save_palette
from gpuseg.verbs.stats import check_outputs, save_csv, save_plots
from tests.dumps import by_index, label_maps, save_label_map
from tests.making import PALETTE, indices, save_mask


@pytest.mark.parametrize("workers", [1, 3])
def test_counts_are_those_of_numpy(tmp_path: Path, workers: int) -> None:
    maps = label_maps(tmp_path)
    found = stats(tmp_path, palette=PALETTE, workers=workers)
    assert (found.report.files["read"], found.report.exit_code) == (9, 0)
    assert found.images == 9
    every = np.concatenate([labels.ravel() for labels in maps])
    counts = np.bincount(every, minlength=256)
    assert found.ignored_pixels == counts[255] > 0
    assert found.pixels == every.size - counts[255]
    for entry in found.classes:
        holding = sum((labels == entry.index).any() for labels in maps)
        assert (entry.pixels, entry.images) == (counts[entry.index], holding)
        assert entry.image_share == pytest.approx(holding / 9)
        if not entry.ignored:
            assert entry.share == pytest.approx(counts[entry.index] / found.pixels)
    assert [entry.index for entry in found.classes] == [0, 1, 2, 3, 4, 5, 255]
    assert [entry.name for entry in found.classes[:6]] == [c.name for c in PALETTE.classes]
    assert by_index(found)[255].ignored
    assert by_index(found)[255].share == 0
    assert found.sizes == Counter((labels.shape[1], labels.shape[0]) for labels in maps)
    assert found.formats == {"PNG, 8-bit": 9}
    assert [entry.index for entry in found.missing] == [5]
    assert found.remarks == ()


def test_co_occurrence(tmp_path: Path) -> None:
    held = [set(labels.ravel().tolist()) for labels in label_maps(tmp_path)]
    found = stats(tmp_path, palette=PALETTE)
    order = [entry.index for entry in found.classes]
    want = [[sum({a, b} <= one for one in held) for b in order] for a in order]
    assert found.co_occurrence.tolist() == want
    assert np.diagonal(found.co_occurrence).tolist() == [c.images for c in found.classes]


def test_the_palette_of_the_run_names_the_classes(tmp_path: Path) -> None:
    for i in range(3):
        save_mask(tmp_path / "src" / f"{i}.png", seed=i)
    convert_directory(tmp_path / "src", tmp_path / "dst", PALETTE, device="cpu")
    found = stats(tmp_path / "dst")
    assert found.palette == "six"
    assert [entry.name for entry in found.classes] == [c.name for c in PALETTE.classes]
    assert stats(tmp_path / "dst" / "0.png").palette == "six"
    other = load_palette("voc")
    assert stats(tmp_path / "dst", palette=other).palette == other.name


def test_without_a_palette_files_tell_the_colours(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 1]], PALETTE)
    save_label_map(tmp_path / "b.png", [[0, 7]])
    found = stats(tmp_path)
    assert found.palette == ""
    assert [(c.index, c.name, c.colour) for c in found.classes] == [
        (0, "0", PALETTE.classes[0].hex),
        (1, "1", PALETTE.classes[1].hex),
        (7, "7", ""),
    ]
    assert by_index(found)[1].rgb == PALETTE.classes[1].rgb
    assert by_index(found)[7].rgb is None
    assert found.weights().shape == (8,)
    assert "no palette is known" in found.remarks[0]


def test_greyscale_16_bits_and_packed_bits(tmp_path: Path) -> None:
    save_label_map(tmp_path / "wide.png", [[0, 300, 300, 65535]])
    Image.fromarray(np.array([[0, 1, 0]], bool)).save(tmp_path / "one.png")
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([9, 9, 9, 8, 8, 8, 7, 7, 7])
    image.save(tmp_path / "two.png", bits=2)
    found = stats(tmp_path)
    assert {c.index: c.pixels for c in found.classes} == {0: 4, 1: 2, 2: 1, 300: 2, 65535: 1}
    assert found.formats == {"PNG, 16-bit": 1, "PNG, 1-bit": 1, "PNG, 2-bit": 1}
    assert by_index(found)[2].colour == "#070707"
    kept = [c.index for c in found.classes if c.index < TOGETHER]
    assert found.co_occurrence.shape == (len(kept), len(kept))
    assert any("left out of the co-occurrence" in remark for remark in found.remarks)


def test_colour_masks_are_no_label_maps(tmp_path: Path) -> None:
    save_mask(tmp_path / "mask.png")
    save_label_map(tmp_path / "good.png", [[1]])
    found = stats(tmp_path, report=tmp_path / "r.jsonl")
    assert (found.images, found.report.failed, found.report.exit_code) == (1, 1, 1)
    lines = (tmp_path / "r.jsonl").read_text("utf-8").splitlines()
    rows = {row.get("source"): row for row in map(json.loads, lines)}
    assert rows["mask.png"]["error"] == "unsupported"
    assert "first: gpuseg convert" in rows["mask.png"]["message"]
    assert rows["good.png"]["indices"] == {"1": 1}
    assert rows["good.png"]["bits"] == 8


def test_damage_is_a_row_and_counts_nothing(tmp_path: Path) -> None:
    labels = save_label_map(tmp_path / "good.png", indices(30, 30), PALETTE)
    data = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:-30])
    (tmp_path / "flipped.png").write_bytes(data[:-40] + bytes([data[-40] ^ 8]) + data[-39:])
    (tmp_path / "empty.png").write_bytes(b"")
    save_label_map(tmp_path / "huge.png", np.zeros((40, 40), int))
    found = stats(tmp_path, max_pixels=1000)
    assert (found.images, found.report.failed) == (1, 4)
    assert found.pixels == labels.size


def test_ignore_index(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 0, 1, 255]], PALETTE)
    assert stats(tmp_path, palette=PALETTE).pixels == 3
    found = stats(tmp_path, palette=PALETTE, ignore_index=0)
    assert (found.ignore_index, found.ignored_pixels, found.pixels) == (0, 2, 2)
    assert [c.index for c in found.unlisted] == [255]
    assert found.weights("inverse")[0] == 0
    own = Palette(PALETTE.classes, ignore_index=1)
    assert stats(tmp_path, palette=own).ignore_index == 1
    for wrong in (-1, 65536, 1.0, True):
        with pytest.raises(UsageError, match="0 to 65535"):
            stats(tmp_path, ignore_index=wrong)


def test_an_empty_folder_and_what_is_not_there(tmp_path: Path) -> None:
    found = stats(tmp_path, palette=PALETTE)
    assert (found.images, found.pixels, found.report.exit_code) == (0, 0, 1)
    assert (found.largest, found.rare, found.remarks) == (None, (), ())
    assert found.weights("enet").tolist() == [0] * 6
    assert stats(tmp_path).weights().shape == (0,)
    with pytest.raises(UsageError, match="does not exist"):
        stats(tmp_path / "none")
    with pytest.raises(PaletteError):
        stats(tmp_path, palette="no-such-preset")


def test_label_maps_of_one_stem_are_counted_each(tmp_path: Path) -> None:
    """Nothing is made of them that could get one name."""
    for name, labels in (("a.png", [[0, 1]]), ("a.bmp", [[1, 1]])):
        Image.fromarray(np.array(labels, np.uint8)).save(tmp_path / name)
    found = stats(tmp_path)
    assert (found.images, found.report.failed) == (2, 0)
    assert [c.pixels for c in found.classes] == [1, 3]


def test_csv(tmp_path: Path) -> None:
    names = ['a,"b"', "line\nbreak", "=1+1", "d", "e", "\ud800"]
    palette = Palette.from_colours([c.rgb for c in PALETTE.classes], names)
    label_maps(tmp_path / "maps")
    found = stats(tmp_path / "maps", palette=palette)
    save_csv(found, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows[:5]] == names[:5]
    assert [int(row["pixels"]) for row in rows] == [c.pixels for c in found.classes]
    assert [float(row["weight_enet"]) for row in rows] == [c.weights["enet"] for c in found.classes]
    assert [row["kind"] for row in rows] == ["class"] * 6 + ["ignored"]
    with pytest.raises(OutputError):
        save_csv(found, tmp_path / "none" / "t.csv")


def test_a_table_replaces_tables_only(tmp_path: Path) -> None:
    """Neither a label map, nor the palette, nor a pipe that nobody reads."""
    label_maps(tmp_path / "maps")
    found = stats(tmp_path / "maps", palette=PALETTE)
    save_csv(found, tmp_path / "t.csv")
    check_outputs(tmp_path / "t.csv", None)
    save_csv(found, tmp_path / "t.csv")
    inputs = [next((tmp_path / "maps").glob("*.png")), tmp_path / "palette.csv"]
    save_palette(PALETTE, inputs[1])
    before = [path.read_bytes() for path in inputs]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        inputs.append(tmp_path / "pipe")
    for path in inputs:
        with pytest.raises(OutputError, match="--csv must name a new file"):
            check_outputs(path, None)
        with pytest.raises(OutputError, match="--csv must name a new file"):
            save_csv(found, path)
    assert [path.read_bytes() for path in inputs[:2]] == before


def test_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    label_maps(tmp_path / "maps")
    save_label_map(tmp_path / "maps" / "odd.png", [[77, 0]])
    found = stats(tmp_path / "maps", palette=PALETTE)
    check_outputs(None, tmp_path / "a" / "plots")
    paths = save_plots(found, tmp_path / "a" / "plots")
    assert [Path(path).name for path in paths] == ["pixels.svg", "images.svg", "co-occurrence.svg"]
    for path in map(Path, paths):
        text = path.read_text("utf-8")
        assert ">background</text>" in text
        assert "77 (unlisted)" in text
    assert ">e</text>" in Path(paths[0]).read_text("utf-8")
    assert ">e</text>" not in Path(paths[2]).read_text("utf-8")  # it is never there


def test_outputs_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for table in (tmp_path, tmp_path / "none" / "t.csv"):
        with pytest.raises(OutputError, match="in a folder that exists"):
            check_outputs(table, None)
    pytest.importorskip("matplotlib")
    with pytest.raises(OutputError, match="cannot be made"):
        check_outputs(None, tmp_path / "file")


def test_real_label_maps_are_counted_as_pillow_reads_them(shared: Path) -> None:
    """Every set: 1 to 16 bits, greyscale and palette, PNG and BMP; the others fail."""
    kinds: set[str] = set()
    for folder in sorted(path for path in (shared / "data").iterdir() if path.is_dir()):
        pattern = "0001TP_00[67]*" if folder.name == "camvid12_train" else None
        found = stats(folder, pattern=pattern, workers=1)
        want, images = Counter[int](), 0
        for path in sorted(folder.rglob(pattern or "*")):
            if path.suffix not in (".png", ".bmp", ".jpg") or path.stat().st_size > 1 << 20:
                continue
            with Image.open(path) as image:
                if image.mode in ("P", "L", "1", "I;16"):
                    values, pixels = np.unique(np.array(image).astype(int), return_counts=True)
                    want.update(dict(zip(values.tolist(), pixels.tolist(), strict=True)))
                    images += 1
        assert {c.index: c.pixels for c in found.classes} == dict(want), folder.name
        assert found.images == images
        kinds.update(found.formats)
    assert {"PNG, 2-bit", "PNG, 4-bit", "PNG, 8-bit", "PNG, 16-bit", "BMP, 8-bit"} <= kinds
