"""torchvision: transforms that keep both together, and the datasets that label maps drop into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import convert_directory
from gpuseg.errors import MaskError
from gpuseg.kernels.reference import rgb_to_index
from gpuseg.options import IndexOptions
from tests.making import PALETTE, indices, mask, save_mask
from tests.torch_door.making import save_labels, save_photo
from tests.torch_door.vision import import_torchvision

pytestmark = [pytest.mark.torch, pytest.mark.torchvision]
torch = pytest.importorskip("torch", reason="torch is not installed")
import_torchvision()

from torchvision import tv_tensors  # noqa: E402
from torchvision.datasets import VOCSegmentation  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from gpuseg.torch import LabelMapDataset, MaskToIndex  # noqa: E402


def reference(pixels: np.ndarray) -> np.ndarray:
    return rgb_to_index(pixels, PALETTE, IndexOptions())[0]


def check(found: Any, want: np.ndarray) -> None:
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found.numpy(), want)


def test_tv_tensors_have_their_channels_first_and_give_masks() -> None:
    pixels = mask(3, 8)[:, :3]
    moved = torch.from_numpy(pixels).permute(2, 0, 1)
    for kind in (tv_tensors.Mask, tv_tensors.Image):
        found = MaskToIndex(PALETTE)(kind(moved))
        assert type(found) is tv_tensors.Mask
        check(found, reference(pixels))
    last = tv_tensors.Image(torch.from_numpy(mask(4, 5)))
    check(MaskToIndex(PALETTE, channels="last")(last), indices(4, 5))
    with pytest.raises(MaskError):
        MaskToIndex(PALETTE)(last)


def test_a_pipeline_of_v2() -> None:
    transform = v2.Compose([v2.PILToTensor(), MaskToIndex(PALETTE)])
    check(transform(Image.fromarray(mask(7, 8))), indices(7, 8))


@pytest.mark.parametrize("seed", range(4))
def test_v2_transforms_keep_both_together(tmp_path: Path, seed: int) -> None:
    """The photograph says where each pixel was: red is the row, green the column."""
    labels = save_labels(tmp_path / "labels" / "a.png", 40, 50, seed)
    places = np.stack([*np.indices((40, 50)), np.zeros((40, 50))], axis=-1).astype(np.uint8)
    (tmp_path / "images").mkdir()
    Image.fromarray(places).save(tmp_path / "images" / "a.png")
    fill = {tv_tensors.Mask: 255, "others": 0}
    transforms = v2.Compose(
        [
            v2.RandomCrop((20, 30)),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.Pad((3, 0, 0, 0), fill=fill),
        ]
    )
    found = LabelMapDataset(tmp_path / "images", tmp_path / "labels", transforms=transforms)
    torch.manual_seed(seed)
    image, label = found[0]
    assert (type(image), type(label)) == (tv_tensors.Image, tv_tensors.Mask)
    assert (image.shape, label.shape, label.dtype) == ((3, 20, 33), (20, 33), torch.int64)
    assert (label[:, :3] == 255).all()
    rows, columns, _ = image[:, :, 3:].numpy().astype(int)
    np.testing.assert_array_equal(label[:, 3:].numpy(), labels[rows, columns])


def test_torchvision_reads_the_voc_layout(tmp_path: Path) -> None:
    """What the docstring of the package says: label maps drop into `VOCSegmentation`."""
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for i in range(3):
        save_mask(tmp_path / "masks" / f"2007_{i}.png", 12 + i, seed=i)
        save_photo(root / "JPEGImages" / f"2007_{i}.jpg", 12 + i, seed=i)
    report = convert_directory(
        tmp_path / "masks", root / "SegmentationClass", "voc", unknown="ignore"
    )
    assert report.exit_code == 0
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("2007_2\n2007_0\n")
    theirs = VOCSegmentation(str(tmp_path), image_set="train")
    ours = LabelMapDataset(root / "JPEGImages", root / "SegmentationClass", palette="voc")
    assert len(theirs) == 2
    for (photo, target), number in zip(theirs, (2, 0), strict=True):
        image, label = ours[number]
        np.testing.assert_array_equal(np.array(target), label.numpy())
        np.testing.assert_array_equal(np.array(photo), image.permute(1, 2, 0).numpy())
        assert (label == 255).any()
