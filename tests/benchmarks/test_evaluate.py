"""The benchmark of `evaluate` runs, on tiny inputs. Speed is not judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import evaluate
from benchmarks.evaluate_pairs import PairSet, count_all, pair_sets
from tests.benchmarks.running import results


def test_evaluate(tmp_path: Path) -> None:
    found = results(evaluate.SCRIPT, tmp_path)
    assert len(found) == 4
    times = found["Evaluating: small-480x360"]
    assert {row["workers"] for row in times} == {1, 2}
    assert all(row["best (ms a pair)"] > 0 for row in times)
    bars = [row["ratio"] for row in found["Bars of evaluate: small-480x360"]]
    assert len(bars) == 4
    assert bars[0] == f"{evaluate.EVALUATE} / {evaluate.DECODE}, workers: 1"
    assert bars[1].endswith(f" / {evaluate.EVALUATE}, workers: 1")
    [stages] = (rows for title, rows in found.items() if title.startswith("Stages"))
    assert {row["stage"] for row in stages} == {"read", "count", "rest: pairing, rows, sums"}
    if memory := found["Memory of evaluate against the number of pairs"]:
        assert [row["pairs"] for row in memory] == [8, 24, 72]
        assert [row["processes"] for row in memory] == [3, 3, 3]
        assert all(row["peak of all (MiB)"] > row["own peak (MiB)"] > 1 for row in memory)


@pytest.fixture
def pairs(tmp_path: Path) -> PairSet:
    args = evaluate.SCRIPT.parser().parse_args(["--tiny", "--pairs", "9"])
    return next(pair_sets(args, tmp_path))


def test_the_loop_counts_what_evaluate_counts(pairs: PairSet) -> None:
    files = [(str(pairs.truth / name), str(pairs.pred / name)) for name in pairs.names()]
    found = evaluate._evaluate(pairs, 1).scores.confusion
    counted = count_all(files)
    assert np.array_equal(found[:255, :255], counted[:255, :255])
    assert 0 < found.trace() < found.sum() == counted.sum()


def test_truths_stand_as_they_are_and_predictions_err_a_little(pairs: PairSet) -> None:
    assert len(pairs.names()) == 9
    assert pairs.pixels == 9 * 24 * 32
    for name in pairs.names():
        truth, prediction = (np.array(Image.open(f / name)) for f in (pairs.truth, pairs.pred))
        assert 0.2 < (truth == prediction).mean() < 1
        assert set(np.unique(prediction)) <= set(np.unique(truth))
