"""The benchmark of saving predictions runs, on tiny inputs. Speed is not judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import predictions, predictions_model
from gpuseg import load_label
from tests.benchmarks.running import results
from tests.making import PALETTE, indices


@pytest.mark.parametrize("with_torch", [False, pytest.param(True, marks=pytest.mark.torch)])
def test_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_torch: bool) -> None:
    if with_torch:
        pytest.importorskip("torch")
    else:
        monkeypatch.setattr(predictions_model.importlib.util, "find_spec", lambda name: None)
    found = results(predictions.SCRIPT, tmp_path)
    assert len(found) == 4
    assert [row["set"] for row in found["Saving label maps"]] == ["blobs-2mpx", "small-480x360"]
    assert all(row["bar"] == predictions.BAR_LOOP for row in found["Saving label maps"])
    ways = {"scores", "gpuseg (ms a Mpx)", "numpy (ms a Mpx)"}
    assert all(row.keys() >= ways for row in found["The largest scores"])
    [rows] = [rows for title, rows in found.items() if title.startswith("A model that saves")]
    for row in rows:
        assert 0 <= row["waiting (%)"] <= row["in saving (%)"] < 100
        assert row["loop (ms a batch)"] <= row["all (ms a batch)"]
    assert len(found["Bars of saving predictions"]) == 2


def test_the_loop_of_pillow_saves_the_same(tmp_path: Path) -> None:
    batch = np.stack([indices(9, 14, seed) for seed in range(3)])
    names = predictions_model.names_of(0, batch)
    predictions_model.save_by_pillow(batch, names, PALETTE.plte(), tmp_path)
    found = [load_label(tmp_path / name) for name in names]
    assert np.array_equal(found, batch)
