"""Every backend gives, bit for bit, what the reference gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.kernels import cpu, reference
from gpuseg.kernels.lut import build_lookup
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, voc_colormap
from tests.kernels.batches import IndexBatch, MaskBatch

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


@pytest.mark.parametrize(
    "shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 77), (77, 1), (3, 5), (31, 33), (256, 256)]
)
@pytest.mark.parametrize("strange", [0.0, 0.2])
def test_sizes(index_batch: IndexBatch, shape: tuple[int, int], strange: float) -> None:
    rng = np.random.default_rng(shape)
    mask = VOC.colours[rng.integers(0, 21, shape)]
    mask[rng.random(shape) < strange] = 77
    options = IndexOptions(unknown="ignore")
    result = index_batch(MaskBatch.from_masks([mask]), build_lookup(VOC, options))
    labels, unknown = reference.rgb_to_index(mask, VOC, options)
    np.testing.assert_array_equal(result.label_map(0), labels)
    assert result.unknown.tolist() == [unknown.sum()]


def test_empty_batch(index_batch: IndexBatch) -> None:
    result = index_batch(MaskBatch.from_masks([]), build_lookup(VOC, IndexOptions()))
    assert len(result) == 0
    assert result.labels.size == 0


def test_unknown_pixels_are_counted_where_they_are(index_batch: IndexBatch) -> None:
    """Borders of images fall inside groups of 4 and 8 pixels, and runs go across them."""
    sizes = [1, 2, 3, 0, 9, 16, 5, 40, 1]
    images = [np.zeros((1, size, 3), np.uint8) for size in sizes]
    for i, image in enumerate(images):
        image[:, : i + 1] = 99
    expected = [min(i + 1, size) for i, size in enumerate(sizes)]
    lookup = build_lookup(VOC, IndexOptions(unknown="nearest"))
    assert index_batch(MaskBatch.from_masks(images), lookup).unknown.tolist() == expected


def test_refused_pixels_are_flagged(index_batch: IndexBatch) -> None:
    palette = Palette.from_colours([[0, 0, 0], [100, 0, 0]])
    mask = np.array([[[3, 4, 0], [3, 4, 1], [50, 0, 0], [100, 0, 0]]], np.uint8)
    lookup = build_lookup(palette, IndexOptions(unknown="nearest", tolerance=5))
    result = index_batch(MaskBatch.from_masks([mask]), lookup)
    assert result.unknown.tolist() == [3]
    assert result.labels[[0, 3]].tolist() == [0, 1]


@pytest.mark.parametrize("skip", range(1, 9))
def test_cpu_takes_views_that_are_not_aligned(skip: int) -> None:
    rng = np.random.default_rng(skip)
    memory: NDArray[np.uint8] = np.zeros(3 * 1000 + skip, np.uint8)
    labels_memory = np.zeros(1000 + skip, np.uint8)
    indices = rng.integers(0, 21, 1000)
    pixels, labels = memory[skip:], labels_memory[skip:]
    pixels[:] = VOC.colours[indices].reshape(-1)
    unknown = np.zeros(1, np.int64)
    table = build_lookup(VOC, IndexOptions()).table
    cpu.index_pixels(pixels, np.array([0, 1000]), table, labels, unknown)
    np.testing.assert_array_equal(labels, indices)
    assert unknown.tolist() == [0]
    assert not labels_memory[:skip].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [0, 1, 7, 8, 1001])
def test_cpu_colours(dtype: type[np.uint8] | type[np.uint16], size: int) -> None:
    rng = np.random.default_rng(size)
    indices = rng.integers(0, 21, (1, size)).astype(dtype)
    colours = np.full(1 << 8 * indices.itemsize, 1 << 24, np.uint32)
    wide = VOC.colours.astype(np.uint32)
    colours[:21] = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    pixels = np.empty(3 * size, np.uint8)
    assert cpu.colour_labels(indices.reshape(-1), colours, pixels) == 0
    expected = reference.index_to_rgb(indices, VOC)
    np.testing.assert_array_equal(pixels.reshape(1, size, 3), expected)
    assert cpu.colour_labels(np.full(size, 200, dtype), colours, pixels) == size
