"""A crop of an image and of its label map, the same of both."""

from __future__ import annotations

import torch
from torch import Tensor


class RandomCrop:
    """Square crops of a size, anywhere in the image; smaller images stay as they are.

    torchvision.transforms.v2 has this and all else that one needs; the example does without it.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """image: uint8 (3, H, W). label: int64 (H, W)."""
        height, width = label.shape
        top = int(torch.randint(max(height - self.size, 0) + 1, ()))
        left = int(torch.randint(max(width - self.size, 0) + 1, ()))
        rows, columns = slice(top, top + self.size), slice(left, left + self.size)
        return image[:, rows, columns], label[rows, columns]
