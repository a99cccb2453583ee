"""Classes that a palette gave up for their colour are named where label maps hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpuseg import evaluate, load_palette, save_label, save_predictions
from gpuseg.errors import LabelError
from gpuseg.palettes.given_up import given_up
from tests.dumps import save_label_map

TOLD = "48 is 'skyscraper', which palette 'ade20k' gave up, for 'road' has its colour"


def test_who_has_the_colour_and_what_to_do() -> None:
    told = given_up(load_palette("ade20k"), {3, 48})
    assert told.startswith(f"; {TOLD}: a palette file with another colour for it holds both")


def test_nothing_is_said_of_others() -> None:
    assert given_up(load_palette("ade20k"), {3, 200}) == ""
    cityscapes = load_palette("cityscapes")  # what it merged has the index of the class it kept
    assert cityscapes.merged
    assert given_up(cityscapes, {255}) == ""


def test_predictions_and_truths_that_hold_one(tmp_path: Path) -> None:
    labels = np.array([[3, 48]], np.uint8)
    with pytest.raises(LabelError, match=TOLD):
        save_predictions(labels, "a", tmp_path / "saved", "ade20k")
    with pytest.raises(LabelError, match=TOLD):
        save_label(tmp_path / "a.png", labels, "ade20k")
    for side in ("pred", "truth"):
        save_label_map(tmp_path / side / "a.png", labels)
    found = evaluate(tmp_path / "pred", tmp_path / "truth", palette="ade20k")
    [failure] = found.report.failures
    assert "indices that the palette does not: 48 (1 px)" in failure.message
    assert TOLD in failure.message
    assert evaluate(tmp_path / "pred", tmp_path / "truth").miou == 1
