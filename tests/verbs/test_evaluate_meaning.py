"""`evaluate`: what pixels of either side mean, by palettes, maps and the ignore index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg import Palette, convert_directory, evaluate
from gpuseg.errors import UsageError
from tests.dumps import save_label_map
from tests.evaluation.making import confusion, evaluated, made_pairs, rows, save_pairs
from tests.making import PALETTE, indices, mask, save_mask


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A folder with `pred` and `truth`, whose label maps are pairs."""
    save_pairs(tmp_path, made_pairs())
    return tmp_path


def test_either_side_may_be_colour_masks(dump: Path) -> None:
    want = evaluated(dump).as_dict()
    classes = [*PALETTE.classes, gpuseg.PaletteClass(255, "void", (250, 250, 250))]
    palette = Palette.resolve(classes, name="six")
    table = np.zeros((256, 3), np.uint8)
    table[palette.indices] = palette.colours
    for side in ("pred", "truth"):
        for path in sorted((dump / side).rglob("*.png")):
            Image.fromarray(table[np.array(Image.open(path))]).save(path)
        assert evaluated(dump, palette=palette).as_dict() == want


def test_unknown_colours_fail_a_pair(dump: Path) -> None:
    pixels = mask(9, 14)
    pixels[0, 0] = (1, 2, 3)
    Image.fromarray(pixels).save(dump / "truth/0.png")
    Image.fromarray(pixels).save(dump / "pred/2.png")
    found, lines = rows(dump)
    assert found.report.files == {"read": 4, "failed": 2}
    assert "#010203" in lines.files["0.png"]["message"]
    assert lines.files["2.png"]["message"].startswith("its prediction 2.png holds 1 pixel of col")
    assert lines.files["0.png"]["unknown_colours"][0]["hex"] == "#010203"


@pytest.mark.parametrize("place", ["truth", "pred"])
def test_the_palette_that_a_report_names(tmp_path: Path, place: str) -> None:
    for seed in range(3):
        save_mask(tmp_path / "src" / f"{seed}.png", seed=seed)
        save_label_map(
            tmp_path / {"truth": "pred", "pred": "truth"}[place] / f"{seed}.png",
            indices(12, 17, seed + 1),
        )
    convert_directory(tmp_path / "src", tmp_path / place, PALETTE, ignore_index=5)
    found = evaluate(tmp_path / "pred", tmp_path / "truth")
    assert (found.palette, found.ignore_index) == ("six", 5)
    assert [c.name for c in found.classes] == ["background", *"abcd"]
    assert evaluate(tmp_path / "pred", tmp_path / "truth", ignore_index=9).ignore_index == 9
    # of a side whose indices a map changes it does not speak
    same = {i: i for i in range(6)}
    one = evaluate(tmp_path / "pred", tmp_path / "truth", pred_map=same)
    other = evaluate(tmp_path / "pred", tmp_path / "truth", truth_map=same)
    assert (one.palette, other.palette) == (("six", "") if place == "truth" else ("", "six"))


def test_the_report_of_truth_comes_first(tmp_path: Path) -> None:
    save_mask(tmp_path / "src/a.png")
    other = Palette(PALETTE.classes, name="other")
    convert_directory(tmp_path / "src", tmp_path / "truth", PALETTE)
    convert_directory(tmp_path / "src", tmp_path / "pred", other)
    found = evaluate(tmp_path / "pred", tmp_path / "truth")
    assert found.palette == "six"
    assert "compared as they are" not in "".join(found.remarks)  # the classes are the same


def test_sides_of_other_classes_are_told(tmp_path: Path) -> None:
    save_mask(tmp_path / "src/a.png")
    moved = [replace(c, index=5 - c.index) for c in PALETTE.classes]
    convert_directory(tmp_path / "src", tmp_path / "truth", PALETTE)
    convert_directory(tmp_path / "src", tmp_path / "pred", Palette(tuple(moved), name="moved"))
    places = tmp_path / "pred", tmp_path / "truth"
    told, *_ = evaluate(*places).remarks
    assert told.startswith("the indices of predictions are those of palette 'moved', by their rep")
    assert "--pred-map" in told
    back = {i: 5 - i for i in range(6)}
    for options in ({"palette": PALETTE}, {"pred_map": back}):
        assert "compared" not in "".join(evaluate(*places, **options).remarks)
    assert evaluate(*places, pred_map=back).miou == 1


@pytest.mark.parametrize(("ignored", "truth_value"), [(0, 0), (3, 3)])
def test_a_class_as_the_ignore_index(dump: Path, ignored: int, truth_value: int) -> None:
    """As a background that nobody scores; predictions of it are wrong."""
    pairs = {name: (np.where(t == 255, truth_value, t), p) for name, (t, p) in made_pairs().items()}
    save_pairs(dump, pairs)
    found = evaluated(dump, ignore_index=ignored)
    kept = [index for index in range(6) if index != ignored]
    assert np.array_equal(found.scores.confusion, confusion([*pairs.values()], kept, ignored))
    assert found.scores.predicted_ignored > 0
    colours = dump / "colours"
    for name, (truth, _) in pairs.items():
        (colours / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PALETTE.colours[truth]).save(colours / name)
    again = evaluate(dump / "pred", colours, palette=PALETTE, ignore_index=ignored)
    assert again.as_dict() == found.as_dict()


def test_more_than_255_classes(tmp_path: Path) -> None:
    """255 is a class among them, and 65535 is none, as `convert --depth 16` writes it."""
    many = Palette.from_colours([(i % 256, i // 256, 7) for i in range(300)])
    rng = np.random.default_rng(1)
    truth = rng.integers(250, 300, (20, 31), np.uint16)
    prediction = np.where(rng.random((20, 31)) < 0.7, truth, 299).astype(np.uint16)
    truth[0] = 65535
    save_pairs(tmp_path, {"a.png": (truth, prediction)}, None)
    found = evaluated(tmp_path, palette=many)
    assert found.ignore_index == 65535
    assert np.array_equal(
        found.scores.confusion, confusion([(truth, prediction)], range(300), 65535)
    )
    found = evaluated(tmp_path, palette=None, ignore_index=65535)
    assert found.scores.pixels == 19 * 31
    assert {c.index for c in found.classes} == set(np.unique([truth[1:], prediction[1:]]).tolist())


def test_a_class_that_would_be_the_ignore_index_is_told(dump: Path) -> None:
    """Where nothing is said, neither by the palette nor by a report, which names what was taken."""
    every = Palette.from_colours(gpuseg.voc_colormap(256), name="every")
    for name in made_pairs():
        colours = every.colours[np.array(Image.open(dump / "truth" / name))]
        (dump / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colours).save(dump / "masks" / name)
    convert_directory(dump / "masks", dump / "made", every)
    for truth, palette in ((dump / "truth", every), (dump / "made", None)):
        with pytest.raises(UsageError, match=r"^255, the ignore .* 'every'; name .*--ignore-index"):
            evaluate(dump / "pred", truth, palette=palette)
        found = evaluate(dump / "pred", truth, palette=palette, ignore_index=65535)
        assert (len(found.classes), found.ignored_pixels) == (256, 0)


@pytest.mark.parametrize("preset", ["cityscapes", "bdd100k", "voc", "ade20k"])
def test_the_report_of_a_preset_is_enough(tmp_path: Path, preset: str) -> None:
    """Also where the palette makes classes of names that mean something its ignore index."""
    palette = gpuseg.load_palette(preset)
    pixels = palette.colours[np.arange(12).reshape(3, 4)]
    (tmp_path / "masks").mkdir()
    Image.fromarray(pixels).save(tmp_path / "masks/a.png")
    for side in ("pred", "truth"):
        convert_directory(tmp_path / "masks", tmp_path / side, preset)
    found = evaluate(tmp_path / "pred", tmp_path / "truth")
    assert (found.palette, found.miou) == (palette.name, 1)
    assert found.ignore_index == palette.ignore_for(8)


def test_more_classes_than_a_matrix_has_are_refused_at_once(dump: Path) -> None:
    many = Palette.from_colours([(i % 256, i // 256, 7) for i in range(5000)])
    with pytest.raises(UsageError, match=r"has 5,000 classes, a confusion matrix 4,096 at most"):
        evaluated(dump, palette=many)


def test_maps(tmp_path: Path) -> None:
    """Truth by ids of Cityscapes, predictions by ids for training, and the reverse."""
    truth = np.array([[7, 8, 11, 33, 1, 0, 4]])
    prediction = np.array([[0, 1, 3, 18, 9, 9, 9]])
    save_pairs(tmp_path, {"a.png": (truth, prediction)}, None)
    found = evaluated(tmp_path, palette=None, truth_map="cityscapes-ids:cityscapes")
    assert (found.palette, found.ignore_index, len(found.classes)) == ("cityscapes", 255, 19)
    assert (found.scores.pixels, found.ignored_pixels) == (4, 3)
    assert found.scores.hits.tolist() == [1, 1, *[0] * 16, 1]
    assert found.scores.confusion[2, 3] == 1
    (tmp_path / "pred").rename(tmp_path / "x")
    (tmp_path / "truth").rename(tmp_path / "pred")
    (tmp_path / "x").rename(tmp_path / "truth")
    found = evaluated(tmp_path, palette=None, pred_map="cityscapes-ids:cityscapes")
    assert (found.palette, found.scores.pixels) == ("cityscapes", 7)
    assert (found.scores.predicted_ignored, int(found.scores.hits.sum())) == (3, 3)


@pytest.mark.parametrize("side", ["truth", "pred"])
def test_what_a_map_does_not_name(tmp_path: Path, side: str) -> None:
    labels = np.array([[0, 1, 9, 9]])
    want = np.array([[1, 0, 0, 0]])
    pair = (labels, want) if side == "truth" else (want, labels)
    save_pairs(tmp_path, {"a.png": pair}, None)
    options: dict[str, Any] = {f"{side}_map": {0: 1, 1: 0}}
    found = evaluated(tmp_path, **options)
    assert found.report.files == {"failed": 1}
    assert "indices that the map does not name: 9 (2 px)" in found.report.failures[0].message
    found = evaluated(tmp_path, **options, unmapped="ignore")
    assert found.scores.pixels == (2 if side == "truth" else 4)
    assert int(found.scores.hits.sum()) == 2
    found = evaluated(tmp_path, **options, unmapped="keep")
    if side == "truth":
        assert "does not: 9 (2 px)" in found.report.failures[0].message
    else:
        assert (found.scores.predicted_outside, found.outside) == (2, {9: 2})


def test_names_without_an_equal_are_refused_before_anything_is_read(dump: Path) -> None:
    with pytest.raises(UsageError, match="each class must have one of the same name"):
        evaluated(dump, truth_map="voc:cityscapes")
