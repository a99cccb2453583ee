"""The worst pairs on a page: pictures of the right pixels, and what cannot be shown any more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.evaluation.result import Evaluation
from gpuseg.pages.gallery import LARGE, SMALL, Item
from gpuseg.pages.scores import Legend
from gpuseg.pages.worst import IGNORED, WRONG, worst_item
from tests.evaluations import evaluated, save, save_pair
from tests.making import PALETTE, indices
from tests.pages.test_gallery import pixels_of

COLOURS = np.array([*PALETTE.colours], np.uint8)


def pair(root: Path, height: int = 40, width: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A truth of which four rows do not count, and a prediction whose next ten are wrong."""
    truth = indices(height, width)
    prediction = truth.copy()
    prediction[:14] = (truth[:14] + 1) % 6
    truth[:4] = 255
    save_pair(root, "sub/a.png", truth, prediction)
    return truth, prediction


def item(found: Evaluation, over: Path | None = None) -> Item:
    with size_limit_is_ours():
        return worst_item(found, found.worst[0], str(over) if over else None, Legend.of(found))


def test_truth_prediction_and_errors(tmp_path: Path) -> None:
    truth, prediction = pair(tmp_path)
    found = item(evaluated(tmp_path))
    assert [view.title for view in found.views] == ["Truth", "Prediction", "Errors"]
    assert (found.name, found.width, found.height, found.notes) == ("sub/a.png", 60, 40, ())
    shown = [pixels_of(view.small) for view in found.views]
    colours = COLOURS[np.minimum(truth, 5)]
    assert np.array_equal(shown[0][4:], colours[4:])
    assert (shown[0][:4] == (224, 224, 192)).all()
    assert np.array_equal(shown[1], COLOURS[prediction])
    assert (shown[2][:4] == IGNORED).all()
    assert (shown[2][4:14] == WRONG).all()
    assert np.abs(shown[2][14:] - (255 - (255.0 - colours[14:]) / 5)).max() < 1


def test_it_tells_the_scores_and_the_worst_classes(tmp_path: Path) -> None:
    truth, prediction = pair(tmp_path)
    evaluation = evaluated(tmp_path)
    found = item(evaluation)
    counts = truth != 255
    accuracy = (truth == prediction)[counts].mean()
    assert found.line == (
        f"mean IoU {100 * evaluation.miou:.1f} %, accuracy {100 * accuracy:.1f} %; "
        "IoU of its classes:"
    )
    assert [part.share for part in found.legend] == sorted(c.iou for c in evaluation.classes)
    assert {part.name for part in found.legend} == {c.name for c in PALETTE.classes}


def test_large_images_are_shown_smaller(tmp_path: Path) -> None:
    pair(tmp_path, 600, 2 * LARGE)
    for view in item(evaluated(tmp_path)).views:
        assert (view.small.width, view.large.width) == (SMALL, LARGE)


@pytest.mark.parametrize("name", ["sub/a.jpg", "sub/a_photo.jpg"])
def test_a_photograph_has_the_name_of_the_truth_or_of_the_prediction(
    tmp_path: Path, name: str
) -> None:
    pair(tmp_path)
    (tmp_path / "pred/sub/a.png").rename(tmp_path / "pred/sub/a_photo.png")
    photo = tmp_path / "over" / name
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (60, 40), (200, 200, 200)).save(photo)
    found = item(evaluated(tmp_path, pred_suffix="_photo"), tmp_path / "over")
    assert [view.title for view in found.views] == ["Photograph", "Truth", "Prediction", "Errors"]
    errors = pixels_of(found.views[3].small).astype(int)
    assert np.abs(errors[24:] - (64 + 150)).max() < 12
    assert np.abs(errors[8:10, 8:50] - WRONG).max() < 40


def test_a_photograph_that_is_not_there_is_told(tmp_path: Path) -> None:
    pair(tmp_path)
    (tmp_path / "over").mkdir()
    found = item(evaluated(tmp_path), tmp_path / "over")
    assert len(found.views) == 3
    assert found.notes == ("There is no photograph of this name, or several.",)


def test_what_cannot_be_read_any_more_is_told(tmp_path: Path) -> None:
    truth, _ = pair(tmp_path)
    found = evaluated(tmp_path)
    prediction = tmp_path / "pred/sub/a.png"
    save(prediction, truth[:20])
    assert item(found).notes[0].startswith("The prediction is 60 x 20 pixels")
    prediction.write_bytes(b"x")
    [note] = item(found).notes
    assert note.startswith("Its prediction sub/a.png ")
    prediction.unlink()
    assert "No such file" in item(found).notes[0]
    (tmp_path / "truth/sub/a.png").write_bytes(b"x")
    assert item(found).notes[0].startswith("The truth ")
    (tmp_path / "truth/sub/a.png").unlink()
    told = item(found)
    assert told.notes == ("The truth is not there any more.",)
    assert told.views == ()
    assert "mean IoU" in told.line


def test_one_file_of_each_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpuseg

    pair(tmp_path)
    (tmp_path / "truth/sub/a.png").rename(tmp_path / "t.png")
    monkeypatch.chdir(tmp_path)
    found = gpuseg.evaluate("pred/sub/a.png", "t.png", palette=PALETTE)
    assert len(item(found).views) == 3


def test_indices_are_shown_as_the_maps_make_them(tmp_path: Path) -> None:
    truth = np.zeros((8, 8), np.uint8)
    save_pair(tmp_path, "a.png", truth + 40, truth + 1, palette=None)
    found = item(evaluated(tmp_path, truth_map={40: 3}))
    assert (pixels_of(found.views[0].small) == COLOURS[3]).all()
