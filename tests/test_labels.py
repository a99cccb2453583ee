"""save_label and load_label: what goes in comes out, or nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg import load_label, save_label
from gpuseg.errors import (
    BrokenMaskError,
    LabelError,
    MaskSizeError,
    PaletteSizeError,
    UnreadableMaskError,
)
from gpuseg.kernels import backend
from gpuseg.palette import Palette
from tests.making import PALETTE, indices


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_round_trip_keeps_the_ignore_index(tmp_path: Path, dtype: type) -> None:
    labels = indices(9, 14).astype(dtype)
    labels[3, 3] = 255
    save_label(tmp_path / "a.png", labels, PALETTE)
    found = load_label(tmp_path / "a.png")
    assert found.dtype == np.uint8
    assert np.array_equal(found, labels)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert bytes(image.getpalette()) == PALETTE.plte()


def test_depth_16(tmp_path: Path) -> None:
    palette = Palette.from_colours([(i % 256, i // 256, 0) for i in range(300)])
    labels = np.arange(300).reshape(10, 30)
    with pytest.raises(PaletteSizeError, match="--depth 16"):
        save_label(tmp_path / "a.png", labels, palette)
    save_label(tmp_path / "a.png", labels, palette, depth=16)
    assert load_label(tmp_path / "a.png").dtype == np.uint16
    assert np.array_equal(load_label(tmp_path / "a.png"), labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((2, 2), 6), r"got 6 \(4 px\)"),
        (np.full((2, 2), -1), r"got -1 \(4 px\)"),
        (np.full((2, 2), 300), r"got 300"),
        (np.full((2, 2), 2**63, np.uint64), r"got 9223372036854775808"),
        (np.zeros((2, 2)), r"integers of shape \(H, W\), got float64 .* scores.argmax\(0\)"),
        (np.zeros((2, 2), bool), "got bool of shape"),
        (np.zeros((1, 2, 2), int), r"got int64 of shape \(1, 2, 2\); .* labels\[0\]"),
        (np.zeros((0, 2), int), "at least one pixel"),
    ],
)
def test_what_cannot_be_saved_is_not(tmp_path: Path, labels: np.ndarray, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        save_label(tmp_path / "a.png", labels, PALETTE)
    assert list(tmp_path.iterdir()) == []


def test_load_says_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMaskError, match="cannot be opened: No such file"):
        load_label(tmp_path / "none.png")


def test_load_refuses_damage(tmp_path: Path) -> None:
    save_label(tmp_path / "a.png", indices(40, 40), PALETTE)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2 + 300])
    with pytest.raises(BrokenMaskError):
        load_label(tmp_path / "a.png")


def test_label_maps_above_the_limit_of_pillow_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_label(tmp_path / "a.png", indices(9, 14), PALETTE)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9)  # twice that many are an error of Pillow's
    assert np.array_equal(load_label(tmp_path / "a.png"), indices(9, 14))
    assert Image.MAX_IMAGE_PIXELS == 9
    with pytest.raises(MaskSizeError, match="the limit is 125"):
        load_label(tmp_path / "a.png", max_pixels=125)


def test_label_map_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMaskError, match="cannot be opened"):
        load_label(tmp_path)


def test_lists_and_images(tmp_path: Path) -> None:
    save_label(tmp_path / "a.png", [[0, 1], [2, 255]], PALETTE)
    assert load_label(tmp_path / "a.png").tolist() == [[0, 1], [2, 255]]
    image = Image.fromarray(np.array([[5, 4, 3]], np.uint8))
    save_label(tmp_path / "b.png", image, PALETTE)
    assert load_label(tmp_path / "b.png").tolist() == [[5, 4, 3]]


def _predictions() -> list[object]:
    """The same (2, 3) label map in the arrays that work here."""
    labels = np.array([[0, 1, 2], [3, 4, 255]])
    torch = pytest.importorskip("torch")
    found = [torch.from_numpy(labels), torch.from_numpy(labels).int(), torch.from_numpy(labels.T).T]
    return [*found, torch.from_numpy(labels).byte()]


@pytest.mark.torch
def test_predictions_of_torch(tmp_path: Path) -> None:
    for labels in _predictions():
        save_label(tmp_path / "a.png", labels, PALETTE)
        assert load_label(tmp_path / "a.png").tolist() == [[0, 1, 2], [3, 4, 255]]


@pytest.mark.torch
def test_what_torch_gives_that_is_no_label_map(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(LabelError, match=r"got float32 of shape \(6, 2, 3\)"):
        save_label(tmp_path / "a.png", torch.zeros(6, 2, 3), PALETTE)
    with pytest.raises(LabelError, match=r"got -1 \(1 px\)"):
        save_label(tmp_path / "a.png", torch.tensor([[0, -1]]), PALETTE)


@pytest.mark.gpu
def test_predictions_on_a_device(tmp_path: Path) -> None:
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    import cupy

    labels = np.array([[0, 1, 2], [3, 4, 255]])
    arrays: list[object] = [cupy.asarray(labels.astype(kind)) for kind in ("u1", "i4", "i8", "u2")]
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        arrays += [torch.from_numpy(labels).cuda(), torch.from_numpy(labels.T).cuda().T]
    for array in arrays:
        save_label(tmp_path / "a.png", array, PALETTE)
        assert load_label(tmp_path / "a.png").tolist() == labels.tolist()
        with pytest.raises(LabelError, match=r"got 255 \(1 px\)"):
            save_label(tmp_path / "b.png", array, PALETTE, ignore_index=254)
