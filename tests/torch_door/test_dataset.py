"""The dataset: what an item is, transforms of both alike, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import convert_directory
from gpuseg.errors import (
    LabelError,
    PaletteError,
    UnknownColourError,
    UnsupportedMaskError,
    UsageError,
)
from tests.making import PALETTE, mask, save_mask
from tests.torch_door.making import save_labels, save_pairs, save_photo

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch import LabelMapDataset  # noqa: E402


def dataset(root: Path, **options: Any) -> LabelMapDataset:
    return LabelMapDataset(root / "images", root / "labels", **options)


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_items_are_photographs_and_targets(tmp_path: Path, palette: Any) -> None:
    made = save_pairs(tmp_path)
    found = dataset(tmp_path, palette=palette)
    assert len(found) == 5
    assert list(found.names) == ["a0.png", "a1.png", "b/c2.png", "b/c3.png", "b/c4.png"]
    assert found.unpaired == (0, 0)
    for (image, label), (pixels, labels) in zip(found, made, strict=True):
        assert (image.dtype, label.dtype) == (torch.uint8, torch.int64)
        assert image.shape == (3, *labels.shape)
        assert torch.equal(image, torch.from_numpy(pixels).permute(2, 0, 1))
        assert torch.equal(label, torch.from_numpy(labels).long())
        image += 1  # both may be written to, and are of plain tensors
        label += 1
        assert type(image) is type(label) is torch.Tensor


def test_numbers_of_items(tmp_path: Path) -> None:
    made = save_pairs(tmp_path)
    found = dataset(tmp_path)
    assert torch.equal(found[-1][1], torch.from_numpy(made[-1][1]).long())
    assert torch.equal(found[np.int64(2)][1], torch.from_numpy(made[2][1]).long())
    with pytest.raises(IndexError):
        found[5]


def test_a_loss_takes_them(tmp_path: Path) -> None:
    save_pairs(tmp_path)
    _, label = dataset(tmp_path)[3]
    scores = torch.randn(1, 6, *label.shape, requires_grad=True)
    torch.nn.CrossEntropyLoss(ignore_index=255)(scores, label[None]).backward()
    assert not scores.grad[0, :, 0, :3].any()
    assert scores.grad[0, :, 1].any()


def test_an_item_stays_when_the_next_is_read(tmp_path: Path) -> None:
    made = save_pairs(tmp_path)
    found = dataset(tmp_path)
    items = [found[i] for i in range(5)]
    for (_, label), (_, labels) in zip(items, made, strict=True):
        assert torch.equal(label, torch.from_numpy(labels).long())


def test_colour_masks_by_a_palette(tmp_path: Path) -> None:
    save_photo(tmp_path / "images" / "a.png")
    save_mask(tmp_path / "labels" / "a.png", seed=4)
    convert_directory(tmp_path / "labels", tmp_path / "converted", PALETTE, device="cpu")
    by_colour = dataset(tmp_path, palette=PALETTE)[0][1]
    by_index = LabelMapDataset(tmp_path / "images", tmp_path / "converted")[0][1]
    assert torch.equal(by_colour, by_index)
    with pytest.raises(UnsupportedMaskError, match=r"labels.a\.png holds colours"):
        dataset(tmp_path)[0]
    pixels = mask(12, 17)
    pixels[0, 0] = 78
    Image.fromarray(pixels).save(tmp_path / "labels" / "a.png")
    with pytest.raises(UnknownColourError, match=r"labels.a\.png holds 1 pixel "):
        dataset(tmp_path, palette=PALETTE)[0]


def test_the_ignore_index_belongs_to_a_palette(tmp_path: Path) -> None:
    save_pairs(tmp_path)
    with pytest.raises(LabelError, match=r"ignore index 9: 255"):
        dataset(tmp_path, palette=PALETTE, ignore_index=9)[3]
    with pytest.raises(UsageError, match=r"ignore_index \(9\) belongs to a palette"):
        dataset(tmp_path, ignore_index=9)
    with pytest.raises(PaletteError):
        dataset(tmp_path, palette="no such palette")


def test_sizes_must_be_equal(tmp_path: Path) -> None:
    save_photo(tmp_path / "images" / "a.jpg", 12, 17)
    save_labels(tmp_path / "labels" / "a.png", 17, 12)
    said = r"labels.a\.png is 12 x 17 pixels, its photograph .*images.a\.jpg 17 x 12"
    with pytest.raises(LabelError, match=said):
        dataset(tmp_path)[0]


def test_photographs_that_are_to_be_turned_are_refused(tmp_path: Path) -> None:
    save_labels(tmp_path / "labels" / "a.png")
    save_photo(tmp_path / "images" / "a.jpg")
    with Image.open(tmp_path / "images" / "a.jpg") as image:
        turned = image.getexif()
        turned[0x0112] = 6
        image.save(tmp_path / "images" / "a.jpg", exif=turned)
    with pytest.raises(UnsupportedMaskError, match=r"a\.jpg says that it is to be turned .*EXIF"):
        dataset(tmp_path)[0]


def test_grey_photographs_have_three_channels(tmp_path: Path) -> None:
    save_labels(tmp_path / "labels" / "a.png")
    grey = np.random.default_rng(1).integers(0, 256, (12, 17), np.uint8)
    (tmp_path / "images").mkdir()
    Image.fromarray(grey).save(tmp_path / "images" / "a.png")
    image, _ = dataset(tmp_path)[0]
    assert torch.equal(image, torch.from_numpy(np.stack([grey] * 3)))


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    save_pairs(tmp_path)
    (tmp_path / "labels" / "a0.png").unlink()
    with pytest.raises(UsageError, match=r"1 photograph in .* has no label map \(a0\.jpg\)"):
        dataset(tmp_path)
    found = dataset(tmp_path, unpaired="skip")
    assert (len(found), found.unpaired) == (4, (1, 0))


def test_it_travels_small(tmp_path: Path) -> None:
    save_pairs(tmp_path)
    found = dataset(tmp_path, palette=PALETTE)
    found[0]  # the table of colours stays here
    data = pickle.dumps(found)
    assert len(data) < 3000
    assert torch.equal(pickle.loads(data)[1][1], found[1][1])


def test_transforms_get_both_and_may_give_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain tensors where there is no torchvision; `test_torchvision` has what there is."""
    save_pairs(tmp_path)
    monkeypatch.setattr("gpuseg.torch.dataset._has_torchvision", lambda: False)
    found = dataset(tmp_path, transforms=lambda image, label: {"x": image, "y": label})[0]
    assert type(found["x"]) is type(found["y"]) is torch.Tensor
    assert (found["x"].shape, found["y"].shape) == ((3, 12, 17), (12, 17))
