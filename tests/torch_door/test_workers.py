"""The dataset in the worker processes of a DataLoader, however they are started."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg.errors import UnknownColourError
from tests.making import PALETTE, save_mask
from tests.torch_door.making import save_labels, save_photo

pytestmark = [
    pytest.mark.torch,
    # Python 3.12 and later: forking is what is tested
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
torch = pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch import LabelMapDataset, MaskToIndex  # noqa: E402

STARTS = ["fork", *(pytest.param(s, marks=pytest.mark.slow) for s in ("spawn", "forkserver"))]


class Indexed(torch.utils.data.Dataset):  # type: ignore[misc]
    """Colour masks through the transform, as a `target_transform` does it."""

    def __init__(self, masks: list[Path]) -> None:
        self.masks, self.transform = masks, MaskToIndex(PALETTE)

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, number: int) -> Any:
        from PIL import Image

        with Image.open(self.masks[number]) as image:
            return self.transform(image)


def loader(dataset: Any, start: str, **options: Any) -> Any:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not start processes by {start}")
    return torch.utils.data.DataLoader(
        dataset, batch_size=2, num_workers=2, multiprocessing_context=start, **options
    )


@pytest.fixture
def made(tmp_path: Path) -> list[np.ndarray]:
    """Photographs and label maps of one size in images and labels, and colour masks in masks."""
    labels = []
    for i in range(6):
        save_photo(tmp_path / "images" / f"{i}.jpg", seed=i)
        labels.append(save_labels(tmp_path / "labels" / f"{i}.png", seed=i))
        save_mask(tmp_path / "masks" / f"{i}.png", seed=i)
    return labels


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_are_those_of_one_process(
    tmp_path: Path, made: list[np.ndarray], start: str, persistent: bool
) -> None:
    dataset = LabelMapDataset(tmp_path / "images", tmp_path / "labels", palette=PALETTE)
    alone = [*torch.utils.data.DataLoader(dataset, batch_size=2)]
    batches = loader(dataset, start, persistent_workers=persistent)
    for _ in range(2 if persistent else 1):
        for (images, labels), (same_images, same_labels) in zip(batches, alone, strict=True):
            assert torch.equal(images, same_images)
            assert torch.equal(labels, same_labels)
    target = torch.cat([labels for _, labels in alone])
    assert torch.equal(target, torch.from_numpy(np.stack(made)).long())


def test_errors_come_from_workers_as_they_are(tmp_path: Path, made: list[np.ndarray]) -> None:
    dataset = LabelMapDataset(tmp_path / "images", tmp_path / "masks", palette="camvid12")
    with pytest.raises(UnknownColourError, match=r"masks.0\.png holds .* 'camvid12'"):
        next(iter(loader(dataset, "fork")))


@pytest.mark.parametrize("start", STARTS)
def test_the_transform_in_workers(tmp_path: Path, made: list[np.ndarray], start: str) -> None:
    paths = sorted((tmp_path / "masks").iterdir())
    dataset = Indexed(paths)
    found = torch.cat([*loader(dataset, start)])
    assert torch.equal(found, torch.stack([dataset[i] for i in range(6)]))
