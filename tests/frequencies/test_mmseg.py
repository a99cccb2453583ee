"""A configuration for mmsegmentation: what Python makes of it, and what is refused."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg import Palette, PaletteClass, Stats, stats
from gpuseg.errors import UsageError
from gpuseg.frequencies.weights import WEIGHTINGS, Weighting
from tests.dumps import label_maps, save_label_map
from tests.making import PALETTE


def run(config: str) -> dict[str, Any]:
    """The names that a configuration defines."""
    names: dict[str, Any] = {}
    exec(compile(config, "config.py", "exec"), names)
    return names


@pytest.fixture
def found(tmp_path: Path) -> Stats:
    label_maps(tmp_path)
    return stats(tmp_path, palette=PALETTE)


def test_classes_and_colours_in_the_order_of_indices(tmp_path: Path) -> None:
    classes = (PaletteClass(1, "b", (9, 8, 7)), PaletteClass(0, "a", (1, 2, 3)))
    save_label_map(tmp_path / "a.png", [[0, 0, 1, 255]])
    names = run(stats(tmp_path, palette=Palette(classes)).as_mmseg("labels"))
    assert names["metainfo"] == {"classes": ("a", "b"), "palette": [[1, 2, 3], [9, 8, 7]]}
    assert (names["num_classes"], names["ignore_index"]) == (2, 255)
    dataset = names["train_dataset"]
    assert names["train_dataloader"]["dataset"] is dataset
    assert dataset["metainfo"] is names["metainfo"]
    assert (dataset["type"], dataset["seg_map_suffix"]) == ("BaseSegDataset", ".png")
    assert dataset["data_prefix"] == {"img_path": "", "seg_map_path": "labels"}
    assert (dataset["reduce_zero_label"], dataset["ignore_index"]) == (False, 255)
    head = names["model"]["decode_head"]
    assert (head["num_classes"], head["ignore_index"]) == (2, 255)
    assert head["loss_decode"] == {
        "type": "CrossEntropyLoss",
        "class_weight": names["class_weight"],
        "reduction": "none",  # with any other, mmsegmentation fails at the ignore index
    }
    assert names["val_evaluator"]["ignore_index"] == 255


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_weights_keep_their_proportions_and_have_mean_one(
    found: Stats, weighting: Weighting
) -> None:
    told = np.array(run(found.as_mmseg("labels", weighting))["class_weight"])
    weights = found.weights(weighting)
    assert told[5] == weights[5] == 0  # a class that never occurs
    np.testing.assert_allclose(told[:5] / told[0], weights[:5] / weights[0], rtol=1e-5)
    pixels = [entry.pixels for entry in found.classes[:6]]
    assert np.average(told, weights=pixels) == pytest.approx(1, rel=1e-5)


def test_another_weighting_does_not_exist(found: Stats) -> None:
    with pytest.raises(UsageError, match="weighting must be one of"):
        found.as_mmseg("labels", "none")  # type: ignore[arg-type]


@pytest.mark.torch
def test_the_loss_is_that_of_torch_but_for_its_scale(found: Stats) -> None:
    """`reduction='none'`, then the mean: mmengine's `BaseModel.parse_losses` takes it."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    weight = torch.tensor(run(found.as_mmseg("labels"))["class_weight"])
    scores = torch.randn(2, 6, 7, 8, requires_grad=True)
    target = torch.randint(0, 5, (2, 7, 8))
    target[:, :2] = 255
    cross_entropy = torch.nn.functional.cross_entropy
    loss = cross_entropy(scores, target, weight, ignore_index=255, reduction="none").mean()
    mean = cross_entropy(scores, target, weight, ignore_index=255)
    scale = weight[target[target != 255]].sum() / target.numel()
    torch.testing.assert_close(loss, mean * scale)


NAMES = st.lists(
    st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(["'\"", "\\", "a\nb", "{{ fileDirname }}", "\\{{x}}", "{{{", "\ud800", "猫"]),
    min_size=1,
    max_size=5,
)


@given(NAMES)
def test_any_name_comes_out_as_it_went_in(names: list[str]) -> None:
    from gpuseg.frequencies.mmseg import _literal

    for name in names:
        text = _literal(name)
        assert text.isascii()
        assert "\n" not in text
        assert "{{" not in text  # mmengine would put in a variable
        assert eval(text) == name


def test_names_of_classes_are_somebody_elses(tmp_path: Path) -> None:
    names = ["it's", 'a "b"', "line\nbreak\\", "{{ fileDirname }}", "Straße", "#"]
    palette = Palette.from_colours(PALETTE.colours, names)
    save_label_map(tmp_path / "a.png", [[0, 1, 2, 3, 4, 5]])
    config = stats(tmp_path, palette=palette).as_mmseg("C:\\new\\labels")
    (tmp_path / "config.py").write_text(config, encoding="ascii")
    got = runpy.run_path(str(tmp_path / "config.py"))
    assert got["metainfo"]["classes"] == tuple(names)
    assert got["train_dataset"]["data_prefix"]["seg_map_path"] == "C:\\new\\labels"


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(UsageError) as error:
        stats(folder, **options).as_mmseg("labels")
    return str(error.value)


def test_gaps_are_refused(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[1, 3]])
    gaps = Palette((PaletteClass(1, "a", (1, 1, 1)), PaletteClass(3, "b", (2, 2, 2))), name="g.csv")
    said = refusal(tmp_path, palette=gaps)
    assert "without gaps, those of palette 'g.csv' are 1, 3" in said
    assert "gpuseg remap labels DST --map g.csv:contiguous" in said
    assert "without gaps" in refusal(tmp_path, palette=PALETTE, ignore_index=2)


def test_an_ignore_index_behind_the_classes_is_no_gap(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[0, 1, 5]])
    names = run(stats(tmp_path, palette=PALETTE, ignore_index=5).as_mmseg("labels"))
    assert (names["num_classes"], names["ignore_index"]) == (5, 5)
    assert names["model"]["data_preprocessor"]["seg_pad_val"] == 5


def test_what_would_be_misread_is_refused(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a" / "a.png", [[0, 9]])
    assert "name it with --palette" in refusal(tmp_path / "a")
    assert "nor the ignore index 255: 9" in refusal(tmp_path / "a", palette=PALETTE)
    save_label_map(tmp_path / "b" / "a.png", [[0, 1, 65535]])
    said = refusal(tmp_path / "b", palette=PALETTE, ignore_index=65535)
    assert "reads indices 0 to 255, got 65535" in said
    save_label_map(tmp_path / "c" / "a.tif", [[0, 1]])
    assert "some label maps are TIFF" in refusal(tmp_path / "c", palette=PALETTE)
    save_label_map(tmp_path / "d" / "a.png", [[255]])
    assert "hold none of a class" in refusal(tmp_path / "d", palette=PALETTE)


def test_greyscale_of_few_bits_is_told(tmp_path: Path, found: Stats) -> None:
    assert "stretched" not in found.as_mmseg("labels")
    image = save_label_map(tmp_path / "packed" / "a.png", [[0, 1]], PALETTE)
    from PIL import Image

    packed = Image.frombytes("P", (2, 1), image.astype(np.uint8).tobytes())
    packed.putpalette([0] * 12)
    packed.save(tmp_path / "packed" / "b.png", bits=2)
    assert "stretched" in stats(tmp_path / "packed", palette=PALETTE).as_mmseg("labels")
