"""ConfusionMatrix of arrays in host memory; `test_confusion_foreign` has those of devices."""

from __future__ import annotations

import pickle
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gpuseg
from gpuseg import ConfusionMatrix
from gpuseg.errors import LabelError, MaskError, PaletteError, UsageError
from gpuseg.palette import Palette, PaletteClass, voc_colormap

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


def random_pair(
    seed: int, shape: tuple[int, ...], classes: int = 21, dtype: str = "u1", void: bool = True
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A prediction and its truth, in which classes are absent.

    void: some predictions are the ignore index, and some no class.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes - 2, shape)
    prediction = np.where(rng.random(shape) < 0.6, truth, rng.integers(1, classes - 1, shape))
    truth[rng.random(shape) < 0.1] = 255
    if void:
        prediction[rng.random(shape) < 0.05] = 255
        prediction[rng.random(shape) < 0.05] = 100
    return prediction.astype(dtype), truth.astype(dtype)


def counted(prediction: NDArray[Any], truth: NDArray[Any], classes: int = 21) -> NDArray[np.int64]:
    """The whole matrix, by NumPy: one bincount."""
    slots = np.full(256, classes + 1)
    slots[:classes], slots[255] = np.arange(classes), classes
    bins = classes + 2
    keys = slots[truth.astype(int)] * bins + slots[prediction.astype(int)]
    return np.bincount(keys.reshape(-1), minlength=bins * bins).reshape(bins, bins)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "i8", ">i2"])
@pytest.mark.parametrize("shape", [(7, 9), (3, 40, 50), (0, 4, 4), (2, 0, 5)])
def test_batches_are_added_up(shape: tuple[int, ...], dtype: str) -> None:
    matrix, expected = ConfusionMatrix(VOC), np.zeros((23, 23), np.int64)
    for seed in range(3):
        prediction, truth = random_pair(seed, shape, dtype=dtype)
        matrix.add(prediction, truth)
        expected += counted(prediction, truth)
    np.testing.assert_array_equal(matrix.matrix, expected)
    np.testing.assert_array_equal(matrix.scores().confusion, expected[:21])


def test_lists_of_mixed_sizes_types_and_strides() -> None:
    matrix, expected = ConfusionMatrix(21), np.zeros((23, 23), np.int64)
    predictions, truths = [], []
    for seed, shape in enumerate([(4, 5), (1, 1), (9, 30), (2, 3, 4)]):
        prediction, truth = random_pair(seed, shape)
        expected += counted(prediction, truth)
        predictions.append(np.asfortranarray(prediction.astype(np.int64)))
        truths.append(truth)
    matrix.add(predictions, tuple(truths))
    np.testing.assert_array_equal(matrix.matrix, expected)


def test_the_same_as_evaluate_of_the_files(tmp_path: Path) -> None:
    matrix = ConfusionMatrix(VOC)
    for side in ("pred", "truth"):
        (tmp_path / side).mkdir()
    for seed in range(3):
        prediction, truth = random_pair(seed, (20, 30))
        prediction[prediction == 100] = 3
        matrix.add(prediction, truth)
        gpuseg.save_label(tmp_path / "pred" / f"{seed}.png", prediction, VOC)
        gpuseg.save_label(tmp_path / "truth" / f"{seed}.png", truth, VOC)
    files = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth", palette=VOC)
    np.testing.assert_array_equal(files.scores.confusion, matrix.scores().confusion)
    assert [entry.name for entry in files.classes] == list(matrix.names)
    assert matrix.scores().predicted_ignored > 0


def test_two_colours_of_one_class() -> None:
    rows = [(7, "car", 1), (2, "road", 2), (7, "truck", 3)]
    palette = Palette(tuple(PaletteClass(i, name, (c, c, c)) for i, name, c in rows))
    matrix = ConfusionMatrix(palette)
    assert (matrix.indices, matrix.names, matrix.ignore_index) == ((2, 7), ("road", "car"), 255)
    matrix.add(np.array([[7, 7, 2]]), np.array([[7, 2, 255]]))
    assert matrix.scores().confusion.tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


def test_the_class_that_is_ignored_is_no_class() -> None:
    matrix = ConfusionMatrix(3, ignore_index=0)
    matrix.add(np.array([[0, 0, 1, 2]]), np.array([[0, 1, 1, 0]]))
    assert matrix.indices == (1, 2)
    scores = matrix.scores()
    assert scores.confusion.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]
    assert scores.miou == 0.5  # class 2 is nowhere where the truth counts


def test_which_ignore_index() -> None:
    assert ConfusionMatrix(255).ignore_index == 255
    assert ConfusionMatrix("cityscapes").ignore_index == 255
    assert ConfusionMatrix(300).ignore_index == 65535
    assert ConfusionMatrix(256, ignore_index=300).ignore_index == 300
    with pytest.raises(UsageError, match=r"255, the ignore index .* of the classes 0 to 255; pass"):
        ConfusionMatrix(256)
    for name, is_class in (("sky", True), ("void", False)):
        last = (PaletteClass(0, "road", (1, 2, 3)), PaletteClass(255, name, (4, 5, 6)))
        with pytest.raises(UsageError, match=r"255, .* pass") if is_class else nullcontext():
            assert ConfusionMatrix(Palette(last)).indices == (0,)
    palette = Palette.from_colours(voc_colormap(5), ignore_index=0)
    assert ConfusionMatrix(palette).indices == (1, 2, 3, 4)
    assert ConfusionMatrix(palette, ignore_index=9).indices == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("wrong", [0, -1, True, 4097, 2.5, None, [1, 2]])
def test_what_names_no_classes(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"classes must be a palette, .* from 1 to 4096, got"):
        ConfusionMatrix(wrong)


def test_other_wrong_options() -> None:
    with pytest.raises(PaletteError):
        ConfusionMatrix("no such palette")
    ids = Palette.from_colours([(i % 256, i // 256, 7) for i in range(5000)], name="ids")
    with pytest.raises(UsageError, match=r"4,096 classes at most, got .* 'ids': 5,000"):
        ConfusionMatrix(ids)
    for wrong in (-100, 65536, True):
        with pytest.raises(UsageError, match="ignore_index must be a whole number from 0 to 65535"):
            ConfusionMatrix(3, ignore_index=wrong)
    with pytest.raises(UsageError, match="a class at least besides the ignore index"):
        ConfusionMatrix(1, ignore_index=0)


def test_a_truth_that_is_no_class() -> None:
    matrix = ConfusionMatrix(VOC)
    matrix.add(np.array([[1, 2, 3]]), np.array([[1, 99, -5]]))
    with pytest.raises(LabelError, match=r"2 of 3 pixels of the truth .* palette 'voc' nor the"):
        matrix.scores()
    assert matrix.matrix[-1].sum() == 2
    matrix.reset()
    assert not matrix.matrix.any()
    assert np.isnan(matrix.scores().miou)


LABELS = np.zeros((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("prediction", "truth", "says"),
    [
        (LABELS[:3], LABELS, r"one shape, got \(3, 5\) and \(4, 5\)"),
        (LABELS.astype(float), LABELS, r"^prediction: .* got float64 of .*; scores .*argmax"),
        (LABELS, LABELS > 0, r"^truth: .* got bool of shape \(4, 5\); a mask of one class"),
        (LABELS[0], LABELS[0], r"^prediction: .* got uint8 of shape \(5,\)"),
        (LABELS[None, None], LABELS, r"^prediction: .* of shape \(1, 1, 4, 5\)"),
        (LABELS, np.ma.masked_equal(LABELS, 1), "^truth: .* mask would be lost; fill it first"),
        ([LABELS, LABELS], [LABELS], "got 2 predictions and 1 truths"),
        ([LABELS, LABELS[:2]], [LABELS, LABELS], r"^pair 1: prediction and truth must have one"),
        ([LABELS, "a.png"], [LABELS, LABELS], "^pair 1: prediction: expected an array"),
        (LABELS, [LABELS], "4 predictions and 1 truths"),
    ],
)  # fmt: skip
def test_what_cannot_be_added(prediction: Any, truth: Any, says: str) -> None:
    matrix = ConfusionMatrix(VOC)
    with pytest.raises((LabelError, MaskError), match=says):
        matrix.add(prediction, truth)
    assert matrix.matrix.sum() == (20 if says.startswith("^pair 1") else 0)


def test_those_of_several_workers_are_merged() -> None:
    parts = [ConfusionMatrix(VOC) for _ in range(3)]
    expected = np.zeros((23, 23), np.int64)
    for seed, part in enumerate(parts):
        pair = random_pair(seed, (30, 30))
        part.add(*pair)
        expected += counted(*pair)
    travelled = [pickle.loads(pickle.dumps(part)) for part in parts]
    both = travelled[0] + travelled[1]
    np.testing.assert_array_equal(travelled[0].matrix, parts[0].matrix)  # as it was
    both.merge(travelled[2])
    np.testing.assert_array_equal(both.matrix, expected)
    both.add(*random_pair(0, (30, 30)))
    np.testing.assert_array_equal(both.matrix, expected + parts[0].matrix)
    for other in (ConfusionMatrix(21), ConfusionMatrix(VOC, ignore_index=254), "matrix"):
        with pytest.raises(UsageError, match=r"palette 'voc' with ignore index 255 was expected"):
            both.merge(other)  # type: ignore[arg-type]


def test_the_matrix_is_a_copy() -> None:
    matrix = ConfusionMatrix(2)
    matrix.matrix[:] = 7
    assert not matrix.matrix.any()
