"""Classes that presets gave up for their colour, wherever label maps hold their index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg import ConfusionMatrix, Palette, load_palette, save_label
from gpuseg.errors import LabelError, PaletteError, UnsupportedMaskError
from gpuseg.indexing import check_grey
from gpuseg.kernels.lut import build_lookup
from gpuseg.kernels.reference import index_to_rgb
from gpuseg.options import ConvertOptions, IndexOptions
from gpuseg.palette import Merged
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.palettes.presets import load_preset, preset_names
from tests.dumps import by_index, save_label_map

NAMES = [
    name for name in preset_names() if len(load_preset(name).label_classes) > len(load_preset(name))
]
ADE = load_preset("ade20k")


@pytest.fixture(params=NAMES)
def palette(request: pytest.FixtureRequest) -> Palette:
    return load_palette(request.param)


def every_index(palette: Palette) -> np.ndarray:
    """A row of all indices that label maps may hold, and a row of the first of them."""
    assert palette.ignore_index is not None
    row = sorted({*palette.label_indices, palette.ignore_index})
    return np.array([row, row[:1] * len(row)], np.uint8)


def given_up(palette: Palette) -> list[Merged]:
    """Those that label maps hold and colour masks do not."""
    return [m for m in palette.merged if m.index >= 0 and m.index not in palette.indices]


def test_presets_have_some() -> None:
    assert {"ade20k", "coco-stuff", "mapillary-v2", "pascal-context60"} <= set(NAMES)
    assert [(m.index, m.name, m.kept) for m in given_up(ADE)] == [(48, "skyscraper", "road")]


def test_they_are_saved_and_checked(tmp_path: Path, palette: Palette) -> None:
    labels = every_index(palette)
    save_label(tmp_path / "a.png", labels, palette)
    gpuseg.save_predictions(labels.astype(np.int64), "b", tmp_path, palette)
    for name in ("a.png", "b.png"):
        assert np.array_equal(gpuseg.load_label(tmp_path / name), labels)
        with Image.open(tmp_path / name) as image:
            colours = np.array(image.convert("RGB"))
        assert np.array_equal(colours, index_to_rgb(labels, palette, palette.ignore_for(8)))
    report = gpuseg.check(tmp_path, palette)
    assert (report.files, report.failures) == ({"read": 2}, [])


def test_what_is_no_class_is_still_none(tmp_path: Path, palette: Palette) -> None:
    strange = next(i for i in range(256) if i not in every_index(palette))
    with pytest.raises(LabelError, match=f"got {strange} "):
        save_label(tmp_path / "a.png", [[strange]], palette)
    save_label_map(tmp_path / "a.png", [[strange]])
    assert gpuseg.check(tmp_path, palette, any_colours=True).files == {"failed": 1}


def test_they_are_scored(tmp_path: Path, palette: Palette) -> None:
    labels = every_index(palette)
    for side in ("pred", "truth"):
        save_label_map(tmp_path / side / "a.png", labels, palette)
    found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth", palette=palette)
    assert found.report.files == {"read": 1}
    assert not [remark for remark in found.remarks if "other colours" in remark]
    assert found.miou == 1
    scored = {entry.index: entry for entry in found.classes}
    matrix = ConfusionMatrix(palette)
    matrix.add(labels, labels)
    assert matrix.scores().miou == 1
    assert matrix.indices == tuple(scored)
    for gone in given_up(palette):
        entry = scored[gone.index]
        assert (entry.name, entry.colour, entry.iou) == (gone.name, gone.hex, 1)
        assert matrix.names[matrix.indices.index(gone.index)] == gone.name


def test_they_are_counted(tmp_path: Path, palette: Palette) -> None:
    labels = every_index(palette)
    save_label_map(tmp_path / "a.png", labels, palette)
    found = gpuseg.stats(tmp_path, palette=palette)
    assert found.unlisted == ()
    odd = [remark for remark in found.remarks if "colour" in remark or "hold" in remark]
    assert len(odd) == bool(palette.void_by_colour(palette.ignore_for(8)))
    assert all("by its colour none" in remark for remark in odd)
    for gone in given_up(palette):
        entry = by_index(found)[gone.index]
        assert (entry.name, entry.colour, entry.is_class) == (gone.name, gone.hex, True)
        assert entry.pixels == (labels == gone.index).sum() > 0
        assert found.weights()[gone.index] > 0


def test_they_have_their_colour(tmp_path: Path, palette: Palette) -> None:
    labels = every_index(palette)
    want = index_to_rgb(labels, palette, palette.ignore_for(8))
    assert np.array_equal(gpuseg.index_to_rgb(labels, palette), want)
    save_label_map(tmp_path / "grey" / "a.png", labels)
    gpuseg.colorize(tmp_path / "grey", tmp_path / "rgb", palette=palette)
    with Image.open(tmp_path / "rgb" / "a.png") as image:
        assert np.array_equal(np.array(image), want)
    gpuseg.recolor(tmp_path / "grey", tmp_path / "labels", palette)
    assert gpuseg.check(tmp_path / "labels", palette).files == {"read": 1}


def test_colours_mean_the_class_that_was_kept(tmp_path: Path, palette: Palette) -> None:
    kept = {entry.rgb: entry.index for entry in palette.classes}
    assert np.array_equal(gpuseg.rgb_to_index(palette.colours[None], palette)[0], palette.indices)
    for gone in given_up(palette):
        assert gpuseg.rgb_to_index(np.array([[gone.rgb]], np.uint8), palette) == kept[gone.rgb]
    (tmp_path / "masks").mkdir()
    Image.fromarray(palette.colours[None]).save(tmp_path / "masks" / "a.png")
    gpuseg.convert_directory(tmp_path / "masks", tmp_path / "labels", palette)
    assert np.array_equal(gpuseg.load_label(tmp_path / "labels" / "a.png")[0], palette.indices)
    for known in (palette, None):
        found = gpuseg.verify(tmp_path / "masks", tmp_path / "labels", palette=known)
        assert found.files == {"same": 1}
    assert gpuseg.check(tmp_path / "labels", palette).files == {"read": 1}


def test_what_a_label_map_shows_alone_may_be_either(tmp_path: Path) -> None:
    """Held against the palette, the index of the class that was given up is not what was meant."""
    (tmp_path / "masks").mkdir()
    road = np.full((3, 4, 3), 140, np.uint8)
    Image.fromarray(road).save(tmp_path / "masks" / "a.png")
    save_label_map(tmp_path / "labels" / "a.png", np.full((3, 4), 48), ADE)
    for known, status in ((None, "same"), (ADE, "differs")):
        found = gpuseg.verify(tmp_path / "masks", tmp_path / "labels", palette=known)
        assert found.files == {status: 1}


def test_the_report_of_a_run_names_them(tmp_path: Path) -> None:
    labels = np.array([[6, 48, 48]], np.uint8)
    gpuseg.save_predictions(labels, "a", tmp_path / "pred", "ade20k")
    told = palette_of_run(tmp_path / "pred")
    assert told is not None
    assert (told.classes, told.merged) == (ADE.classes, ADE.merged)
    save_label_map(tmp_path / "truth" / "a.png", labels)
    found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth")
    assert found.palette == "ade20k"
    assert [(c.name, c.hits) for c in found.classes if c.hits] == [("road", 1), ("skyscraper", 2)]
    assert by_index(gpuseg.stats(tmp_path / "pred"))[48].name == "skyscraper"


def test_predicted_where_the_truth_was_made_of_colours(tmp_path: Path) -> None:
    def remarks(truth: int) -> str:
        save_label_map(tmp_path / "truth" / "a.png", [[6, truth]])
        found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth", palette=ADE)
        return "\n".join(found.remarks)

    save_label_map(tmp_path / "pred" / "a.png", [[6, 48]])
    assert "nowhere in the truth: 48 'skyscraper' (the colour of 'road'): truths" in remarks(6)
    assert "nowhere" not in remarks(48)
    save_label_map(tmp_path / "pred" / "a.png", [[6, 7]])  # as usual
    assert "nowhere" not in remarks(6)


def test_what_is_void_by_its_colour_is_told_where_it_counts(tmp_path: Path) -> None:
    """Label maps of Cityscapes' ids hold 'ego vehicle', whose colour is that of what is ignored."""
    told = "counted as a class, and by its colour none: 1 'ego vehicle' (the colour of 'unlabeled'"

    def remarks(**options: Any) -> str:
        palette = "cityscapes-ids"
        found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth", palette=palette, **options)
        return "\n".join(found.remarks)

    save_label_map(tmp_path / "pred" / "a.png", [[7, 7, 18, 18]])
    save_label_map(tmp_path / "truth" / "a.png", [[1, 7, 17, 18]])
    assert told in remarks()
    told_by_stats = "\n".join(gpuseg.stats(tmp_path / "truth", palette="cityscapes-ids").remarks)
    assert told in told_by_stats
    assert "'polegroup'" not in told_by_stats
    assert "by its colour" not in remarks(truth_map={1: "ignore"}, unmapped="keep")
    assert "by its colour" not in remarks(ignore_index=1)
    save_label_map(tmp_path / "truth" / "a.png", [[0, 7, 17, 18]])
    assert "by its colour" not in remarks()


def test_a_table_of_merged_classes_may_have_colours_of_its_own(tmp_path: Path) -> None:
    palette = replace(
        ADE, merged=(Merged("a", 200, "b", (1, 2, 3)), Merged("c", 6, "d", (4, 5, 6)))
    )
    assert palette.label_only == palette.merged[:1]
    for side in ("pred", "truth"):
        save_label_map(tmp_path / side / "a.png", [[6, 200]])
    found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth", palette=palette)
    assert (found.miou, len(found.remarks)) == (1, 1)  # most classes are nowhere


def test_mmsegmentation_has_no_gap(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", every_index(ADE), ADE)
    names: dict[str, object] = {}
    exec(gpuseg.stats(tmp_path, palette=ADE).as_mmseg("labels"), names)
    info = names["metainfo"]
    assert isinstance(info, dict)
    assert names["num_classes"] == len(info["classes"]) == 150
    assert (info["classes"][48], info["palette"][48]) == ("skyscraper", [140, 140, 140])


def test_remap_makes_them(tmp_path: Path) -> None:
    """It always did; its palette chunk and its report are those of all others now."""
    save_label_map(tmp_path / "src" / "a.png", [[0, 49, 255]])
    gpuseg.remap(tmp_path / "src", tmp_path / "dst", {0: 255, 49: 48, 255: 255}, palette="ade20k")
    assert gpuseg.load_label(tmp_path / "dst" / "a.png").tolist() == [[255, 48, 255]]
    assert gpuseg.check(tmp_path / "dst", "ade20k").files == {"read": 1}
    told = palette_of_run(tmp_path / "dst")
    assert told is not None
    assert told.merged == ADE.merged


def test_greyscale_of_such_an_index_looks_like_a_label_map() -> None:
    with pytest.raises(UnsupportedMaskError, match=r"looks like finished class indices \(47, 48"):
        check_grey(np.array([[47, 48, 49]], np.uint8), ADE, ConvertOptions())


def test_unknown_colours_do_not_become_one_of_them() -> None:
    options = IndexOptions(unknown="ignore", ignore_index=48)
    with pytest.raises(PaletteError, match="index 48 is the class 'skyscraper'"):
        build_lookup(ADE, options)
    build_lookup(replace(ADE, merged=()), options)
