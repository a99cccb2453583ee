"""One prediction to its file: what may be replaced, and what its row says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpuseg import convert_directory, save_label
from gpuseg.codecs.fingerprint import read_fingerprint
from gpuseg.destinations import destination
from gpuseg.predicting.saving import MARK, Prediction, Saving
from gpuseg.results import FileResult
from tests.making import PALETTE, indices, read_indices, save_mask


def save(dst: Path, seed: int = 0, *, overwrite: bool = False) -> FileResult:
    saving = Saving(destination(str(dst)), PALETTE.plte(), overwrite)
    return saving.run(Prediction("a/b.jpg", "a/b.png", indices(9, 14, seed), "cpu"))


def test_a_prediction_is_whole_and_marked(tmp_path: Path) -> None:
    result = save(tmp_path)
    assert (result.source, result.target, result.status) == ("a/b.jpg", "a/b.png", "converted")
    assert (result.width, result.height, result.device) == (14, 9, "cpu")
    assert result.seconds.keys() == {"encode", "write"}
    assert np.array_equal(read_indices(tmp_path / "a" / "b.png"), indices(9, 14))
    assert read_fingerprint(tmp_path / "a" / "b.png") == MARK
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b.png"]


def test_predictions_are_replaced(tmp_path: Path) -> None:
    save(tmp_path)
    assert save(tmp_path, 1).status == "converted"
    path = tmp_path / "a" / "b.png"
    assert np.array_equal(read_indices(path), indices(9, 14, 1))
    for left in (b"", path.read_bytes()[:-20]):  # cut off by another program
        path.write_bytes(left)
        assert save(tmp_path, 2).status == "converted"
        assert np.array_equal(read_indices(path), indices(9, 14, 2))


@pytest.mark.parametrize("made_by", ["convert", "save_label", "somebody"])
def test_what_is_no_prediction_is_not(tmp_path: Path, made_by: str) -> None:
    path = tmp_path / "a" / "b.png"
    path.parent.mkdir()
    if made_by == "convert":
        save_mask(tmp_path / "masks" / "b.png")
        convert_directory(tmp_path / "masks", path.parent, PALETTE, device="cpu")
    elif made_by == "save_label":
        save_label(path, indices(3, 3), PALETTE)
    else:
        path.write_bytes(b"a photograph")
    before = path.read_bytes()
    result = save(tmp_path)
    assert (result.status, result.error) == ("failed", "output")
    assert "is no prediction that gpuseg saved" in result.message
    assert path.read_bytes() == before
    assert save(tmp_path, overwrite=True).status == "converted"
    assert np.array_equal(read_indices(path), indices(9, 14))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_in_the_way(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "a" / "b.png").mkdir(parents=True)
    result = save(tmp_path, overwrite=overwrite)
    assert (result.status, result.error) == ("failed", "output")
    assert (tmp_path / "a" / "b.png").is_dir()


def test_whatever_happens_becomes_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpuseg.direct.encode", lambda *arguments: 1 / 0)
    result = save(tmp_path)
    assert (result.status, result.error) == ("failed", "internal")
    assert "ZeroDivisionError" in result.message
    assert list(tmp_path.iterdir()) == []
