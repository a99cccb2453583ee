"""Statistics as a value: weights, what is rare, and what programs get."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, PaletteClass, stats
from gpuseg.errors import UsageError
from gpuseg.frequencies.weights import WEIGHTINGS
from tests.dumps import label_maps, save_label_map
from tests.making import PALETTE


def test_weights_are_dense_and_ready_for_a_loss(tmp_path: Path) -> None:
    palette = Palette((PaletteClass(1, "a", (1, 1, 1)), PaletteClass(4, "b", (2, 2, 2))))
    save_label_map(tmp_path / "1.png", [[1, 1, 1, 4], [255, 255, 255, 255]])
    save_label_map(tmp_path / "2.png", [[1, 1, 1, 1]])
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
    save_label_map(tmp_path / "1.png", [[0, 0, 1]], PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    for weighting in WEIGHTINGS:
        weights = found.weights(weighting)
        assert weights.shape == (6,)
        assert (weights[:2] > 0).all()
        assert weights[2:].tolist() == [0, 0, 0, 0]


def test_small_weights_are_not_none_for_programs(tmp_path: Path) -> None:
    """0 means that a class never occurs."""
    labels = np.zeros((2000, 2000), np.uint8)
    labels[0, :2] = [1, 2]
    save_label_map(tmp_path / "1.png", labels)
    found = stats(tmp_path)
    told = json.loads(json.dumps(found.as_dict()))["weights"]
    for weighting in WEIGHTINGS:
        assert np.array_equal(np.array(told[weighting], np.float32), found.weights(weighting))
        assert min(told[weighting]) > 0


@pytest.mark.torch
def test_weights_in_a_loss_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    label_maps(tmp_path)
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
    save_label_map(tmp_path / "a.png", labels, PALETTE)
    found = stats(tmp_path, palette=PALETTE)
    assert found.largest is not None
    assert found.smallest is not None
    assert (found.largest.name, found.smallest.name) == ("background", "b")
    assert [entry.name for entry in found.rare] == ["b"]


def test_as_dict_is_json_and_whole(tmp_path: Path) -> None:
    label_maps(tmp_path)
    found = stats(tmp_path, palette=PALETTE)
    facts = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [row["pixels"] for row in facts["classes"]] == [c.pixels for c in found.classes]
    assert np.allclose(facts["weights"]["median"], found.weights("median"))
    assert facts["co_occurrence"] == found.co_occurrence.tolist()
    assert sum(size["label_maps"] for size in facts["sizes"]) == 9
    assert facts["missing"] == [5]
