"""Label maps in a training loop: what torch wants of them. Importing this imports torch.

    from gpuseg.torch import LabelMapDataset, MaskToIndex, class_weights

    dataset = LabelMapDataset("images", "labels", transforms=transforms)
    loss = torch.nn.CrossEntropyLoss(weight=class_weights("labels"), ignore_index=255)

Label maps are also what torchvision's `VOCSegmentation` reads: convert masks to
`VOCdevkit/VOC2012/SegmentationClass`, put photographs (.jpg) in `JPEGImages` beside it, and write
their stems to `ImageSets/Segmentation/train.txt`, one a line. For mmsegmentation
`gpuseg stats LABELS --mmseg` prints a configuration.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401  # whether it can be
except ImportError as error:
    raise ImportError(
        f"gpuseg.torch needs torch, which cannot be imported here ({error}); "
        "pip install 'gpuseg[torch]', or the build of torch for your device"
    ) from error

from gpuseg.torch.dataset import LabelMapDataset
from gpuseg.torch.transform import MaskToIndex
from gpuseg.torch.weights import class_weights

__all__ = ["LabelMapDataset", "MaskToIndex", "class_weights"]
