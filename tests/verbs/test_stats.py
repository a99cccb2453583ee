"""stats: what label maps hold, against NumPy and Pillow."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, PaletteClass, Stats, convert_directory, load_palette, stats
from gpuseg.counts import TOGETHER
from gpuseg.errors import OutputError, PaletteError, UsageError
from gpuseg.verbs.stats import check_outputs, save_csv, save_plots
from gpuseg.weights import WEIGHTINGS
from tests.making import PALETTE, indices, save_mask


def save(path: Path, labels: Any, palette: Palette | None = None) -> np.ndarray:
    """A label map, by Pillow: of a palette, or greyscale of 8 or 16 bits."""
    pixels = np.array(labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels.astype(np.uint16 if pixels.max() > 255 else np.uint8))
    if palette is not None:
        image = Image.frombytes("P", image.size, pixels.astype(np.uint8).tobytes())
        image.putpalette(palette.plte())
    image.save(path)
    return pixels


def dump(folder: Path, count: int = 9) -> list[np.ndarray]:
    """Label maps of PALETTE, some pixels ignored; class 5 is in none."""
    made = []
    for i in range(count):
        labels = indices(9 + i, 14, seed=i, classes=2 + i % 4)
        labels[:2, : i % 5] = 255
        made.append(save(folder / ("sub" if i % 2 else "") / f"{i}.png", labels, PALETTE))
    return made


def by_index(found: Stats) -> dict[int, Any]:
    return {entry.index: entry for entry in found.classes}


@pytest.mark.parametrize("workers", [1, 3])
def test_counts_are_those_of_numpy(tmp_path: Path, workers: int) -> None:
    maps = dump(tmp_path)
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
    assert found.formats == {"PNG, 8 bits": 9}
    assert [entry.index for entry in found.missing] == [5]
    assert found.remarks == ()


def test_co_occurrence(tmp_path: Path) -> None:
    held = [set(labels.ravel().tolist()) for labels in dump(tmp_path)]
    found = stats(tmp_path, palette=PALETTE)
    order = [entry.index for entry in found.classes]
    want = [[sum({a, b} <= one for one in held) for b in order] for a in order]
    assert found.co_occurrence.tolist() == want
    assert np.diagonal(found.co_occurrence).tolist() == [c.images for c in found.classes]


def test_weights_are_dense_and_ready_for_a_loss(tmp_path: Path) -> None:
    palette = Palette((PaletteClass(1, "a", (1, 1, 1)), PaletteClass(4, "b", (2, 2, 2))))
    save(tmp_path / "1.png", [[1, 1, 1, 4], [255, 255, 255, 255]])
    save(tmp_path / "2.png", [[1, 1, 1, 1]])
    found = stats(tmp_path, palette=palette)
    assert found.weights("inverse").tolist() == pytest.approx([0, 8 / 14, 0, 0, 8 / 2])
    middle = (7 / 8 + 1 / 4) / 2
    assert found.weights().tolist() == pytest.approx([0, middle * 8 / 7, 0, 0, middle * 4])
    enet = [0, 1 / np.log(1.02 + 7 / 8), 0, 0, 1 / np.log(1.02 + 1 / 8)]
    assert found.weights("enet").tolist() == pytest.approx(enet)
    for weighting in WEIGHTINGS:
        assert found.weights(weighting).dtype == np.float32
    with pytest.raises(UsageError, match="weighting must be one of"):
        found.weights("balanced")


def test_classes_that_never_occur_have_weight_zero(tmp_path: Path) -> None:
    save(tmp_path / "1.png", [[0, 0, 1]], PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    for weighting in WEIGHTINGS:
        weights = found.weights(weighting)
        assert weights.shape == (6,)
        assert (weights[:2] > 0).all()
        assert weights[2:].tolist() == [0, 0, 0, 0]


@pytest.mark.torch
def test_weights_in_a_loss_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    dump(tmp_path)
    found = stats(tmp_path, palette=PALETTE)
    target = torch.from_numpy(np.array(Image.open(tmp_path / "0.png")).astype(np.int64))[None]
    scores = torch.randn(1, 6, *target.shape[1:], generator=torch.Generator().manual_seed(0))
    for weighting in WEIGHTINGS:
        weight = torch.from_numpy(found.weights(weighting))
        loss = torch.nn.CrossEntropyLoss(weight=weight, ignore_index=255)(scores, target)
        plain = torch.nn.functional.cross_entropy(
            scores, target, ignore_index=255, reduction="none"
        )
        each = weight[target.clamp(max=5)] * (target != 255)
        assert loss.item() == pytest.approx(((plain * each).sum() / each.sum()).item(), rel=1e-5)


def test_largest_smallest_and_rare(tmp_path: Path) -> None:
    labels = np.zeros((100, 100), int)
    labels[0, :4], labels[1:16] = 2, 1
    save(tmp_path / "a.png", labels, PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    assert found.largest is not None
    assert found.smallest is not None
    assert (found.largest.name, found.smallest.name) == ("background", "b")
    assert [entry.name for entry in found.rare] == ["b"]


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
    save(tmp_path / "a.png", [[0, 1]], PALETTE)
    save(tmp_path / "b.png", [[0, 7]])
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
    save(tmp_path / "wide.png", [[0, 300, 300, 65535]])
    Image.fromarray(np.array([[0, 1, 0]], bool)).save(tmp_path / "one.png")
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([9, 9, 9, 8, 8, 8, 7, 7, 7])
    image.save(tmp_path / "two.png", bits=2)
    found = stats(tmp_path)
    assert {c.index: c.pixels for c in found.classes} == {0: 4, 1: 2, 2: 1, 300: 2, 65535: 1}
    assert found.formats == {"PNG, 16 bits": 1, "PNG, 1 bits": 1, "PNG, 2 bits": 1}
    assert by_index(found)[2].colour == "#070707"
    kept = [c.index for c in found.classes if c.index < TOGETHER]
    assert found.co_occurrence.shape == (len(kept), len(kept))
    assert any("left out of the co-occurrence" in remark for remark in found.remarks)


def test_colour_masks_are_no_label_maps(tmp_path: Path) -> None:
    save_mask(tmp_path / "mask.png")
    save(tmp_path / "good.png", [[1]])
    found = stats(tmp_path, report=tmp_path / "r.jsonl")
    assert (found.images, found.report.failed, found.report.exit_code) == (1, 1, 1)
    lines = (tmp_path / "r.jsonl").read_text("utf-8").splitlines()
    rows = {row.get("source"): row for row in map(json.loads, lines)}
    assert rows["mask.png"]["error"] == "unsupported"
    assert "first: gpuseg convert" in rows["mask.png"]["message"]
    assert rows["good.png"]["indices"] == {"1": 1}
    assert rows["good.png"]["bits"] == 8


def test_damage_is_a_row_and_counts_nothing(tmp_path: Path) -> None:
    labels = save(tmp_path / "good.png", indices(30, 30), PALETTE)
    data = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:-30])
    (tmp_path / "flipped.png").write_bytes(data[:-40] + bytes([data[-40] ^ 8]) + data[-39:])
    (tmp_path / "empty.png").write_bytes(b"")
    save(tmp_path / "huge.png", np.zeros((40, 40), int))
    found = stats(tmp_path, max_pixels=1000)
    assert (found.images, found.report.failed) == (1, 4)
    assert found.pixels == labels.size


def test_ignore_index(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[0, 0, 1, 255]], PALETTE)
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


def test_indices_that_the_palette_does_not_hold_are_told(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[0, 9, 9, 200]], PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    assert [(c.index, c.pixels) for c in found.unlisted] == [(9, 2), (200, 1)]
    assert found.report.exit_code == 0  # `check` is the judge
    [remark] = found.remarks
    assert "9 (2 px in 1); 200 (1 px in 1)" in remark
    assert found.weights().shape == (6,)
    assert all(c.weights["enet"] == 0 for c in found.unlisted)


def test_files_whose_palettes_differ_are_told(tmp_path: Path) -> None:
    other = Palette.from_colours([(9, 9, 9), *(c.rgb for c in PALETTE.classes[1:])])
    save(tmp_path / "a.png", [[0, 1]], PALETTE)
    save(tmp_path / "b.png", [[0, 1]], other)
    save(tmp_path / "c.png", [[1, 1]], other)
    differing = stats(tmp_path).remarks[1]
    assert "0 is #000000 in 1 and #090909 in 1" in differing
    assert "1 is" not in differing
    [repainted] = stats(tmp_path, palette=PALETTE).remarks
    assert "0 'background' is #000000, #090909 in 1" in repainted


def test_an_ignore_index_that_may_be_a_class_is_told(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[0, 255]])
    assert "nothing but 0 and 255" in stats(tmp_path).remarks[1]
    assert len(stats(tmp_path, ignore_index=7).remarks) == 1
    palette = Palette((PaletteClass(0, "a", (0, 0, 0)), PaletteClass(255, "cow", (1, 1, 1))))
    [remark] = stats(tmp_path, palette=palette).remarks
    assert "index 255 is 'cow'" in remark
    void = Palette((PaletteClass(0, "Void", (0, 0, 0)), PaletteClass(1, "b", (1, 1, 1))))
    named, alone = stats(tmp_path, palette=void).remarks
    assert "0 'Void'" in named
    assert "nothing but" in alone


def test_lossy_files_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.jpg")
    assert "1 label maps are JPEG" in stats(tmp_path).remarks[1]


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


def test_as_dict_is_json_and_whole(tmp_path: Path) -> None:
    dump(tmp_path)
    found = stats(tmp_path, palette=PALETTE)
    facts = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [row["pixels"] for row in facts["classes"]] == [c.pixels for c in found.classes]
    assert np.allclose(facts["weights"]["median"], found.weights("median"))
    assert facts["co_occurrence"] == found.co_occurrence.tolist()
    assert sum(size["label_maps"] for size in facts["sizes"]) == 9
    assert facts["missing"] == [5]


def test_csv(tmp_path: Path) -> None:
    names = ['a,"b"', "line\nbreak", "=1+1", "d", "e", "\ud800"]
    palette = Palette.from_colours([c.rgb for c in PALETTE.classes], names)
    dump(tmp_path / "maps")
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


def test_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    dump(tmp_path / "maps")
    save(tmp_path / "maps" / "odd.png", [[77, 0]])
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
        with pytest.raises(UsageError, match="must be a file in a folder that exists"):
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
    assert {"PNG, 2 bits", "PNG, 4 bits", "PNG, 8 bits", "PNG, 16 bits", "BMP, 8 bits"} <= kinds
