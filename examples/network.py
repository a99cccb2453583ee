"""A network small enough for a minute on a laptop's processor."""

from __future__ import annotations

from torch import Tensor, nn


class SmallNetwork(nn.Module):
    """Images, uint8 (N, 3, H, W), to scores, float32 (N, C, H, W); H and W are multiples of 4.

    It works at a quarter of the size, with dilated convolutions to look around.
    """

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        self.classes = classes
        layers = [*_layer(3, width, stride=2), *_layer(width, width, stride=2)]
        for dilation in (1, 2, 4):
            layers += _layer(width, width, dilation=dilation)
        upscaled = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, classes, 1), upscaled)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of each class at each pixel."""
        scores: Tensor = self.layers(images.float() / 127.5 - 1)
        return scores


def _layer(before: int, after: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]
