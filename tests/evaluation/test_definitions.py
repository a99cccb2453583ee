"""The scores of Cityscapes' own evaluation and of mmsegmentation, written anew by what they define.

Cityscapes (cityscapesScripts, evaluation/evalPixelLevelSemanticLabeling.py, by ids of
labels.py): of the labels that are not ignored in evaluation, those of the benchmark,

    IoU = TP / (TP + FP + FN)

TP: pixels of the label that are predicted as it. FN: all other pixels of the label, whatever they
are predicted as. FP: pixels of *other labels that are not ignored* that are predicted as it. Where
that is 0 / 0 a label has no IoU, and the average is over those that have one.

mmsegmentation (1.2.2, evaluation/metrics/iou_metric.py): pixels whose label is the ignore index are
taken away; of the others histograms of labels, of predictions, and of both where they are equal,
over the indices below the number of classes, summed over images. Then intersection / union,
intersection / label, 2 intersection / (label + prediction), means over what is no NaN, and all
intersections by all labels.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import Evaluation, evaluate
from tests.evaluation.making import Pair, save_pairs
from tests.evaluation.real_pairs import coarse, noisy, shifted

EVALUATED = (*(7, 8, 11, 12, 13, 17), *range(19, 29), *(31, 32, 33))
"""Ids of the 19 labels that are not ignored in evaluation."""

IDS = range(34)
MAP = "cityscapes-ids:cityscapes"

SKY, BUILDING, POLE, ROAD, SIDEWALK, VEGETATION = 23, 11, 17, 7, 8, 21
SIGN, FENCE, CAR, PERSON, BICYCLE, VOID = 20, 13, 26, 24, 33, 0
CAMVID = (
    SKY, BUILDING, POLE, ROAD, SIDEWALK, VEGETATION, SIGN, FENCE, CAR, PERSON, BICYCLE, VOID
)  # fmt: skip
"""What the twelve classes of CamVid are called there."""


def cityscapes(pairs: Sequence[Pair]) -> tuple[dict[int, float], float]:
    """IoU by id, and its average. pairs: of ids 0 to 33."""
    pixels = {(t, p): 0 for t in IDS for p in IDS}
    for truth, prediction in pairs:
        for t in np.unique(truth).tolist():
            for p, count in zip(
                *np.unique(prediction[truth == t], return_counts=True), strict=True
            ):
                pixels[t, int(p)] += int(count)
    scores = {}
    for label in EVALUATED:
        positive = pixels[label, label]
        missed = sum(pixels[label, other] for other in IDS if other != label)
        wrongly = sum(pixels[other, label] for other in EVALUATED if other != label)
        all_of_it = positive + missed + wrongly
        scores[label] = positive / all_of_it if all_of_it else math.nan
    known = [value for value in scores.values() if not math.isnan(value)]
    return scores, sum(known) / len(known) if known else math.nan


def agrees_with_cityscapes(found: Evaluation, pairs: Sequence[Pair]) -> None:
    scores, average = cityscapes(pairs)
    assert len(found.classes) == len(EVALUATED) == 19
    for entry, want in zip(found.classes, scores.values(), strict=True):
        assert entry.iou == want or (math.isnan(entry.iou) and math.isnan(want)), entry
    assert found.miou == pytest.approx(average, rel=1e-12)


@pytest.fixture(scope="module")
def street() -> list[Pair]:
    """Ids of all labels at random: ignored ones on either side, some that are in one side only."""
    rng = np.random.default_rng(8)
    pairs = []
    for size in ((40, 90), (33, 71), (50, 50)):
        truth, other = rng.integers(0, 32, (2, *size), np.uint8)
        other[other == 31] = 33
        pairs.append((truth, np.where(rng.random(size) < 0.6, truth, other).astype(np.uint8)))
    return pairs


@pytest.fixture(scope="module")
def camvid(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Streets of CamVid by ids of Cityscapes, and the next frame, or worse, as the prediction."""
    folder = Path(__file__).parents[2].parent / "shared/data/camvid12_train/index_gray"
    frames = [np.array(Image.open(path)) for path in sorted(folder.glob("*.png"))[:60:6]]
    if not frames:
        pytest.skip("needs the folder of shared test data 'shared' beside the checkout")
    ids = [np.array(CAMVID, np.uint8)[frame] for frame in frames]
    wrong = [shifted, coarse, noisy]
    pairs = list(zip(ids, [*ids[1:], ids[0]], strict=True))
    return [*pairs, *((truth, wrong[n % 3](truth, n)) for n, truth in enumerate(ids))]


@pytest.mark.parametrize("which", ["street", "camvid"])
@pytest.mark.parametrize("maps", [("ids", "ids"), ("train ids", "ids")])
def test_cityscapes(
    request: pytest.FixtureRequest, tmp_path: Path, which: str, maps: tuple[str, str]
) -> None:
    """Predictions as ids, as that evaluation wants them, or by ids for training, as networks do."""
    pairs: list[Pair] = request.getfixturevalue(which)
    table = np.full(34, 255, np.uint8)
    table[list(EVALUATED)] = np.arange(19)
    for n, (truth, prediction) in enumerate(pairs):
        predicted = prediction if maps[0] == "ids" else table[prediction]
        names = {"truth": f"a_{n}_gtFine_labelIds.png", "pred": f"a_{n}_leftImg8bit.png"}
        for side, labels in (("truth", truth), ("pred", predicted)):
            (tmp_path / side / "aachen").mkdir(parents=True, exist_ok=True)
            Image.fromarray(labels).save(tmp_path / side / "aachen" / names[side])
    found = evaluate(
        tmp_path / "pred", tmp_path / "truth",
        truth_map=MAP, pred_map=MAP if maps[0] == "ids" else None,
        truth_suffix="_gtFine_labelIds", pred_suffix="_leftImg8bit",
    )  # fmt: skip
    assert found.report.files == {"read": len(pairs)}
    agrees_with_cityscapes(found, pairs)
    if which == "street":
        assert found.scores.predicted_ignored > 0
        assert math.isnan(found.classes[17].iou)  # 32 is nowhere
        assert (found.classes[18].iou, found.classes[18].truth) == (0, 0)  # 33 is predicted only


def test_the_labels_that_count_are_those_of_its_table(shared: Path) -> None:
    """`ignoreInEval` of labels.py."""
    text = (shared / "data/class_tables/cityscapes_labels.py.txt").read_text("utf-8")
    rows = re.findall(r"Label\(\s*'[^']+'\s*,\s*(-?\d+)\s*,.*?,\s*(True|False)\s*, \(", text)
    assert len(rows) == 35
    assert tuple(int(index) for index, ignored in rows if ignored == "False") == EVALUATED


def mmseg(pairs: Sequence[Pair], classes: int) -> dict[str, object]:
    """What its table of classes and its summary hold, without rounding."""
    sums = np.zeros((3, classes))
    for truth, prediction in pairs:
        counts = truth != 255
        label, predicted = truth[counts], prediction[counts]
        for row, values in enumerate((predicted[predicted == label], predicted, label)):
            sums[row] += np.histogram(values, bins=classes, range=(-0.5, classes - 0.5))[0]
    both, predicted_as, labelled = sums
    with np.errstate(invalid="ignore"):
        iou = both / (predicted_as + labelled - both)
        accuracy = both / labelled
        dice = 2 * both / (predicted_as + labelled)
        precision = both / predicted_as
    return {
        "iou": iou, "accuracy": accuracy, "dice": dice, "precision": precision,
        "miou": np.nanmean(iou), "mean_accuracy": np.nanmean(accuracy),
        "mean_dice": np.nanmean(dice), "mean_precision": np.nanmean(precision),
        "pixel_accuracy": both.sum() / labelled.sum(),
    }  # fmt: skip


@pytest.mark.parametrize("which", ["street", "camvid"])
def test_mmsegmentation(request: pytest.FixtureRequest, tmp_path: Path, which: str) -> None:
    """Classes that are nowhere, predicted only, never predicted; the ignore index on both sides."""
    table = np.full(34, 255, np.uint8)
    table[list(EVALUATED)] = np.arange(19)
    pairs = [(table[t], table[p]) for t, p in request.getfixturevalue(which)]
    save_pairs(tmp_path, {f"{n}.png": pair for n, pair in enumerate(pairs)}, None)
    found = evaluate(tmp_path / "pred", tmp_path / "truth", palette="cityscapes")
    for name, want in mmseg(pairs, 19).items():
        np.testing.assert_allclose(getattr(found.scores, name), want, rtol=1e-12, err_msg=name)
    json.dumps(found.as_dict(), allow_nan=False)
