"""`evaluate` by its function: what it says of predictions, pair by pair and of all together."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gpuseg import evaluate, save_predictions
from tests.dumps import save_label_map
from tests.evaluation.making import confusion, evaluated, made_pairs, rows, save_pairs, statuses
from tests.making import PALETTE, indices


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A folder with `pred` and `truth`, whose label maps are pairs."""
    save_pairs(tmp_path, made_pairs())
    return tmp_path


def test_scores_are_those_of_all_pixels(dump: Path) -> None:
    pairs = made_pairs()
    for options in ({}, {"workers": 1}, {"workers": 3}, {"palette": dump / "truth/0.png"}):
        found = evaluated(dump, **options)
        matrix = found.scores.confusion
        assert np.array_equal(matrix[:6, :6], confusion([*pairs.values()], range(6))[:, :6])
        assert (found.report.exit_code, found.report.files) == (0, {"read": len(pairs)})
        assert found.report.pixels == sum(truth.size for truth, _ in pairs.values())
        assert found.scores.pixels == matrix.sum()
    assert found.miou == pytest.approx(float(np.nanmean(found.scores.iou)))


def test_rows_have_the_scores_of_their_pairs(dump: Path) -> None:
    found, lines = rows(dump)
    for name, pair in made_pairs().items():
        alone = confusion([pair], range(6))
        hits, union = np.diagonal(alone), alone.sum(1) + alone.sum(0)[:6] - np.diagonal(alone)
        row = lines.files[name]
        assert (row["status"], row["target"], row["codec"]) == ("read", name, "png")
        assert (row["width"], row["height"]) == pair[0].shape[::-1]
        assert (row["pixels"], row["ignored"]) == (alone.sum(), (pair[0] == 255).sum())
        assert row["correct"] == hits.sum()
        assert row["accuracy"] == pytest.approx(hits.sum() / alone.sum())
        here = np.flatnonzero(union)
        assert row["iou"] == {str(k): pytest.approx(hits[k] / union[k]) for k in here}
        assert row["miou"] == pytest.approx(float(np.mean(hits[here] / union[here])))
    worst = sorted((row["miou"], name) for name, row in lines.files.items())
    assert [(pair.miou, pair.name) for pair in found.worst] == worst
    assert len(evaluated(dump, worst=2).worst) == 2
    assert evaluated(dump, worst=0).worst == ()
    assert lines.header["verb"] == "evaluate"
    assert lines.header["src"] == str(dump / "truth")
    assert lines.header["dst"] == str(dump / "pred")


def test_a_perfect_prediction(dump: Path) -> None:
    shutil.rmtree(dump / "pred")
    shutil.copytree(dump / "truth", dump / "pred")
    found = evaluated(dump)
    assert set(found.scores.means().values()) == {1.0}


def test_missing_extra_and_failed_have_no_part_in_scores(dump: Path) -> None:
    good, _ = rows(dump)
    save_label_map(dump / "truth/lost.png", indices(9, 9), PALETTE)
    save_label_map(dump / "pred/sub/new.png", indices(9, 9), PALETTE)
    save_label_map(dump / "truth/size.png", indices(9, 9), PALETTE)
    save_label_map(dump / "pred/size.png", indices(9, 10), PALETTE)
    save_label_map(dump / "truth/strange.png", indices(9, 9) + 50)
    save_label_map(dump / "pred/strange.png", indices(9, 9))
    (dump / "truth/text.png").write_text("text")
    save_label_map(dump / "pred/text.png", indices(9, 9))
    save_label_map(dump / "truth/cut.png", indices(9, 9))
    (dump / "pred/cut.png").write_bytes((dump / "truth/cut.png").read_bytes()[:-9])
    found, lines = rows(dump)
    assert found.report.exit_code == 1
    assert found.report.files == {"read": 6, "missing": 1, "extra": 1, "failed": 4}
    told = {name: row["status"] for name, row in lines.files.items() if row["status"] != "read"}
    assert told == {
        "lost.png": "missing",
        "sub/new.png": "extra",
        **dict.fromkeys(("size.png", "strange.png", "text.png", "cut.png"), "failed"),
    }
    assert found.as_dict() == good.as_dict()


def test_images_that_are_ignored_all_over(dump: Path) -> None:
    before = evaluated(dump)
    save_label_map(dump / "truth/void.png", np.full((4, 5), 255), PALETTE)
    save_label_map(dump / "pred/void.png", np.zeros((4, 5)), PALETTE)
    found, lines = rows(dump)
    assert (lines.files["void.png"]["miou"], lines.files["void.png"]["pixels"]) == (None, 0)
    assert (found.pairs, found.uncounted) == (7, 1)
    assert found.ignored_pixels == before.ignored_pixels + 20
    assert np.array_equal(found.scores.confusion, before.scores.confusion)
    assert found.worst == before.worst
    alone = evaluate(dump / "pred/void.png", dump / "truth/void.png", palette=PALETTE)
    assert (alone.report.exit_code, np.isnan(alone.miou)) == (0, True)


def test_suffixes(dump: Path) -> None:
    for path in sorted((dump / "truth").rglob("*.png")):
        path.rename(path.with_stem(f"{path.stem}_gtFine_labelIds"))
        (path.parent / f"{path.stem}_gtFine_color.png").touch()
    for path in sorted((dump / "pred").rglob("*.png")):
        path.rename(path.with_name(f"{path.stem}_leftImg8bit.PNG"))
    found = evaluated(dump, truth_suffix="_gtFine_labelIds", pred_suffix="_leftImg8bit")
    assert found.report.files == {"read": 6}
    assert found.report.left_alone == {".png": 6}
    assert evaluated(dump).report.files["missing"] == 12


def test_a_pattern_chooses_truths(dump: Path) -> None:
    assert set(statuses(dump, pattern="[02].png")) == {"0.png", "2.png"}


def test_one_file_of_each(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, prediction = made_pairs()["sub/3.png"]
    found = evaluate(dump / "pred/sub/3.png", dump / "truth/sub/3.png", palette=PALETTE)
    assert np.array_equal(found.scores.confusion, confusion([(truth, prediction)], range(6)))
    shutil.copy(dump / "pred/sub/3.png", dump / "other.name")
    monkeypatch.chdir(dump)
    assert evaluate("other.name", "truth/sub/3.png", palette=PALETTE).miou == found.miou


@pytest.mark.parametrize("inner", ["pred", "truth"])
def test_one_inside_the_other(dump: Path, inner: str) -> None:
    want = evaluated(dump).as_dict()
    outer = "truth" if inner == "pred" else "pred"
    (dump / inner).rename(dump / outer / "inner")
    places = {outer: dump / outer, inner: dump / outer / "inner"}
    found = evaluate(places["pred"], places["truth"], palette=PALETTE)
    assert found.report.files == {"read": 6}
    assert found.as_dict() == want


def test_sides_that_are_the_wrong_way_round(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 2, 3, 4, 5]], np.uint8)  # all classes, so that nothing else is odd
    save_label_map(tmp_path / "truth/a.png", labels, PALETTE)
    for name in ("pred", "other"):
        save_predictions(labels, "a.png", tmp_path / name, PALETTE)
    [told] = evaluate(tmp_path / "truth", tmp_path / "pred").remarks
    assert told.startswith("TRUTH holds predictions")
    assert "PRED comes first" in told
    assert evaluate(tmp_path / "pred", tmp_path / "truth").remarks == ()
    assert evaluate(tmp_path / "pred", tmp_path / "other").remarks == ()  # how far two agree
