"""The example, made small: the loss falls, and the score is that of somebody else."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import fmean

import pytest

from gpuseg.report_reading import read_report

pytestmark = [pytest.mark.torch, pytest.mark.slow]

pytest.importorskip("torch")

from examples.train import MASKS, Result, main  # noqa: E402  # it imports torch


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def result(work: Path) -> Result:
    return main(["--work", str(work), "--steps", "30", "--size", "64", "--seconds", "100000"])


def test_the_loss_falls(result: Result) -> None:
    assert len(result.losses) == 30
    assert fmean(result.losses[-10:]) < 0.95 * fmean(result.losses[:10])


def test_every_mask_that_was_kept_is_predicted_and_evaluated(result: Result, work: Path) -> None:
    labels = {path.name for path in (work / "labels" / "val").glob("*.png")}
    assert {path.name for path in (work / "predictions").glob("*.png")} == labels
    assert result.evaluation.pairs == len(labels) == 2
    assert result.evaluation.report.exit_code == 0
    assert result.evaluation.scores.pixels == 2 * 1024 * 1024
    assert read_report(work / "predictions" / "gpuseg-report.jsonl")[0]["verb"] == "predict"


def test_the_score_is_that_of_torchmetrics(result: Result) -> None:
    pytest.importorskip("torchmetrics")
    assert result.judged == pytest.approx(result.evaluation.miou, abs=1e-6)  # it has float32
    assert 0 < result.evaluation.miou < 1


def test_the_pages_are_there(result: Result, work: Path) -> None:
    for page in (work / "evaluation.html", work / "predictions" / "gpuseg-report.html"):
        assert page.read_text("utf-8").startswith("<!doctype html>")


def test_label_maps_of_other_masks_are_not_mixed_in(
    result: Result, work: Path, tmp_path: Path
) -> None:
    for path in sorted(MASKS.rglob("*.png"))[:5]:
        shutil.copy(path, tmp_path / path.name)
    with pytest.raises(SystemExit, match="train holds label maps of other masks, too: remove"):
        main(["--work", str(work), "--masks", str(tmp_path)])
