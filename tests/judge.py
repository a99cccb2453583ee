"""The specification as a judge of what kernels made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpuseg.errors import UnknownColourError
from gpuseg.kernels import reference
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette
from tests.kernels.batches import LabelBatch


def check_agrees(
    result: LabelBatch, images: Sequence[np.ndarray], palette: Palette, options: IndexOptions
) -> None:
    """Labels, dtypes and counts of a batch equal the reference; what it refuses is flagged."""
    for i, image in enumerate(images):
        try:
            labels, unknown = reference.rgb_to_index(image, palette, options)
        except UnknownColourError:
            assert result.unknown[i] > 0
            continue
        np.testing.assert_array_equal(result.label_map(i), labels)
        assert result.label_map(i).dtype == labels.dtype
        assert result.unknown[i] == unknown.sum()
