"""One pair by the task: its row, and what it says of what cannot be scored."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.discover import Source
from gpuseg.evaluation import evaluating
from gpuseg.evaluation.cells import Cells
from gpuseg.evaluation.evaluating import Evaluating
from gpuseg.evaluation.options import EvaluateOptions
from gpuseg.evaluation.pairing import NoPredictionError, NoTruthError
from gpuseg.results import FileResult
from tests.dumps import save_label_map
from tests.evaluation.making import cells, sides
from tests.making import PALETTE, indices, mask

TRUTH = indices(9, 13)


def evaluated(folder: Path, source: Source | None = None) -> FileResult:
    """The row of the pair truth.png and pred/a.png."""
    given = source or Source(str(folder / "truth.png"), "truth.png", goes_to="a.png")
    return Evaluating(sides(folder / "pred"), EvaluateOptions()).run(given)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A truth and its prediction, which is one column off."""
    save_label_map(tmp_path / "truth.png", TRUTH, PALETTE)
    save_label_map(tmp_path / "pred/a.png", np.roll(TRUTH, 1, 1))
    return tmp_path


def test_a_row(pair: Path) -> None:
    row = evaluated(pair)
    assert row.details == cells(TRUTH, np.roll(TRUTH, 1, 1))
    assert (row.source, row.target, row.status) == ("truth.png", "a.png", "read")
    assert (row.width, row.height, row.format, row.codec) == (13, 9, "PNG", "png")
    assert set(row.seconds) == {"read", "count"}
    assert isinstance(row.details, Cells)
    assert row.row()["miou"] == row.details.miou


@pytest.mark.parametrize("truth", ["labels", "colours", "grey"])
@pytest.mark.parametrize("prediction", ["labels", "colours", "grey"])
def test_either_side_of_any_kind(tmp_path: Path, truth: str, prediction: str) -> None:
    moved = np.roll(TRUTH, 1, 1)
    (tmp_path / "pred").mkdir()
    for path, kind, labels in (("truth.png", truth, TRUTH), ("pred/a.png", prediction, moved)):
        if kind == "colours":
            Image.fromarray(PALETTE.colours[labels]).save(tmp_path / path)
        else:
            save_label_map(tmp_path / path, labels, PALETTE if kind == "labels" else None)
    assert evaluated(tmp_path).details == cells(TRUTH, moved)


def test_both_codecs_are_named(pair: Path) -> None:
    Image.fromarray(mask(9, 13)).save(pair / "pred/a.bmp")
    row = evaluated(pair, Source(str(pair / "truth.png"), "truth.png", goes_to="a.bmp"))
    assert (row.codec, row.format) == ("png, pillow", "PNG")


def test_warnings_say_of_which_side(tmp_path: Path) -> None:
    (tmp_path / "pred").mkdir()
    flat = Image.fromarray(np.full((16, 16), 3, np.uint8))
    flat.save(tmp_path / "t.jpg")
    flat.save(tmp_path / "pred/p.jpg")
    row = evaluated(tmp_path, Source(str(tmp_path / "t.jpg"), "t.jpg", goes_to="p.jpg"))
    assert [warning[:20] for warning in row.warnings] == [
        "truth: JPEG is lossy", "prediction: JPEG is "
    ]  # fmt: skip


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    """A bit of the pixel data, without a word to the checksums."""
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 12] ^= 16
    path.write_bytes(bytes(data))


def strange(path: Path) -> None:
    pixels = mask(9, 13)
    pixels[4, 5] = (1, 2, 3)
    Image.fromarray(pixels).save(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def text(path: Path) -> None:
    path.write_text("no image")


def nothing(path: Path) -> None:
    path.unlink()


FAULTS: dict[Callable[[Path], None], tuple[str, str]] = {
    cut: ("broken", "is "),
    flip: ("broken", "is damaged"),
    strange: (
        "unknown-colours",
        "holds 1 pixel of colours that palette 'six' does not: #010203 1 px, first at x=5",
    ),
    text: ("broken", "is no image"),
    nothing: ("unreadable", "cannot be opened"),
}


@pytest.mark.parametrize("side", ["truth", "prediction"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_say_of_which_side(pair: Path, side: str, fault: Callable[[Path], None]) -> None:
    fault(pair / ("truth.png" if side == "truth" else "pred/a.png"))
    row = evaluated(pair)
    kind, said = FAULTS[fault]
    assert (row.status, row.error) == ("failed", kind)
    assert row.message.startswith(said if side == "truth" else f"its prediction a.png {said}")
    assert [c.hex for c in row.unknown_colours] == (["#010203"] if fault is strange else [])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("fault", [folder, pipe])
def test_a_prediction_that_is_no_file_is_not_waited_for(
    pair: Path, fault: Callable[[Path], None]
) -> None:
    fault(pair / "pred/a.png")
    told = "its prediction a.png is a folder, a pipe or a device; remove it"
    assert evaluated(pair).message == told


def test_sizes_that_differ(pair: Path) -> None:
    save_label_map(pair / "pred/a.png", TRUTH.T, PALETTE)
    row = evaluated(pair)
    assert (row.status, row.error) == ("failed", "label")
    assert row.message.startswith("the prediction is 9 x 13 pixels, its truth 13 x 9")


def test_a_truth_outside_the_palette_fails_and_a_prediction_does_not(pair: Path) -> None:
    strange = TRUTH.copy()
    strange[0, :3] = 99
    save_label_map(pair / "pred/a.png", strange)
    row = evaluated(pair)
    assert row.status == "read"
    assert row.row()["correct"] == TRUTH.size - 3
    save_label_map(pair / "truth.png", strange)
    row = evaluated(pair)
    assert row.error == "label"
    assert "the truth holds indices that the palette does not: 99 (3 px)" in row.message


def test_files_that_are_alone(tmp_path: Path) -> None:
    source = Source("x/t.png", "t.png", error=NoPredictionError(), goes_to="p.png")
    row = evaluated(tmp_path, source)
    assert (row.status, row.target, row.is_wrong) == ("missing", None, True)
    assert row.message.startswith("its prediction p.png is not in PRED")
    row = evaluated(tmp_path, Source("x/p.png", "p.png", error=NoTruthError()))
    assert (row.status, row.target, row.is_wrong) == ("extra", "p.png", True)
    assert row.message.startswith("the prediction has no truth")


def test_tasks_and_rows_travel(pair: Path) -> None:
    task = Evaluating(sides(pair / "pred"), EvaluateOptions(worst=3))
    again: Evaluating = pickle.loads(pickle.dumps(task))
    source = Source(str(pair / "truth.png"), "truth.png", goes_to="a.png")
    row = again.run(source)
    assert row.status == "read"
    assert pickle.loads(pickle.dumps(row)).details == row.details
    assert len(pickle.dumps(row)) < 1_000


def test_ids_of_instances_are_told_before_they_fill_memory(
    pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "MOST_CELLS", 3)
    row = evaluated(pair)
    assert (row.status, row.error) == ("failed", "label")
    assert row.message.startswith("3 combinations of a true and a predicted index are expected")
    assert "ids of instances" in row.message
