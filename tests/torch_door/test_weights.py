"""Class weights as a tensor, from all that holds statistics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gpuseg import Palette, PaletteClass, stats
from gpuseg.cli import main
from gpuseg.errors import MaskError, UsageError
from gpuseg.frequencies.weights import WEIGHTINGS, Weighting
from tests.dumps import label_maps, save_label_map
from tests.making import PALETTE, save_mask

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch import class_weights  # noqa: E402


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_all_sources_say_the_same(tmp_path: Path, weighting: Weighting) -> None:
    folder = tmp_path / "labels"
    label_maps(folder)
    found = stats(folder, palette=PALETTE)
    shown = CliRunner().invoke(main, ["stats", str(folder), "--json"]).stdout
    (tmp_path / "stats.json").write_text(shown)
    want = torch.from_numpy(found.weights(weighting))
    assert (want.dtype, len(want)) == (torch.float32, 6)
    for source in (found, json.loads(json.dumps(found.as_dict()))):
        assert torch.equal(class_weights(source, weighting), want)
    assert torch.equal(class_weights(folder, weighting, palette=PALETTE), want)
    # without a palette the classes are those that occur: 0 to 4
    for source in (tmp_path / "stats.json", str(tmp_path / "stats.json"), folder):
        assert torch.equal(class_weights(source, weighting), want[:5])
        assert torch.equal(class_weights(source, weighting, num_classes=6), want)


def test_enet_unless_another_is_named(tmp_path: Path) -> None:
    label_maps(tmp_path)
    found = stats(tmp_path, palette=PALETTE)
    np.testing.assert_array_equal(class_weights(found).numpy(), found.weights("enet"))


def test_a_loss_takes_them(tmp_path: Path) -> None:
    maps = label_maps(tmp_path)
    weight = class_weights(tmp_path, "inverse", palette=PALETTE)
    labels = torch.from_numpy(maps[4]).long()[None]
    assert (labels == 255).any()
    scores = torch.randn(1, 6, *labels.shape[1:], requires_grad=True)
    loss = torch.nn.CrossEntropyLoss(weight=weight, ignore_index=255)(scores, labels)
    loss.backward()
    told = -torch.log_softmax(scores.detach(), 1)[0].flatten(1)
    kept = labels.flatten() != 255
    index = labels.flatten()[kept]
    losses = told[:, kept].gather(0, index[None])[0]
    torch.testing.assert_close(loss.detach(), (weight[index] * losses).sum() / weight[index].sum())
    assert not scores.grad[0].flatten(1)[:, ~kept].any()


def test_length_is_that_of_the_logits(tmp_path: Path) -> None:
    label_maps(tmp_path)
    found = stats(tmp_path, palette=PALETTE)
    padded = class_weights(found, num_classes=9)
    assert torch.equal(padded[:6], class_weights(found))
    assert padded[5:].tolist() == [0, 0, 0, 0]  # class 5 never occurs
    with pytest.raises(UsageError, match=r"up to index 5, num_classes is 5.* so 6 at least"):
        class_weights(found, num_classes=5)


def test_gaps_have_weight_zero(tmp_path: Path) -> None:
    save_label_map(tmp_path / "a.png", [[1, 4, 255, 2]])
    gaps = Palette((PaletteClass(1, "a", (1, 1, 1)), PaletteClass(4, "b", (2, 2, 2))))
    weights = class_weights(tmp_path, "inverse", palette=gaps, ignore_index=2)
    assert [bool(weight) for weight in weights] == [False, True, False, False, True]


def test_a_folder_counts_as_a_whole_or_not(tmp_path: Path) -> None:
    label_maps(tmp_path)
    save_mask(tmp_path / "mask.png")
    with pytest.raises(MaskError, match=r"as a whole: 9 read, 1 failed; mask\.png: holds colo"):
        class_weights(tmp_path)
    assert len(class_weights(stats(tmp_path))) == 5


def test_wrong_sources(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    wrong: list[Any] = [
        tmp_path / "none.json",
        tmp_path / "list.json",
        tmp_path / "absent.json",
        tmp_path / "absent",
        {"weights": {"median": [1.0]}},
        {"weights": {"enet": []}},
        {"weights": {"enet": ["a"]}},
        {"weights": {"enet": [float("nan")]}},
        {"weights": {"enet": [[1.0]]}},
    ]
    for source in wrong:
        with pytest.raises(UsageError):
            class_weights(source)
    with pytest.raises(UsageError, match="weighting must be one of"):
        class_weights(tmp_path, "balanced")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="belong to a folder"):
        class_weights({"weights": {"enet": [1.0]}}, palette=PALETTE)


def test_a_class_that_would_weigh_nothing_is_told(tmp_path: Path) -> None:
    """255 where neither the palette nor the caller names an ignore index."""
    sky = Palette((PaletteClass(0, "road", (1, 2, 3)), PaletteClass(255, "sky", (4, 5, 6))))
    save_label_map(tmp_path / "a.png", np.array([[0, 255]]), sky)
    with pytest.raises(UsageError, match=r"^255, the ignore index .* pass ignore_index"):
        class_weights(tmp_path, palette=sky)
    assert class_weights(tmp_path, palette=sky, ignore_index=9)[255] > 0
