"""What only a device can show; everything else about the kernels is in `cuda_host`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuseg.kernels import backend
from gpuseg.kernels.lut import build_lookup
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, voc_colormap

pytestmark = pytest.mark.gpu

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)


@pytest.fixture
def cuda() -> Any:
    """`gpuseg.kernels.cuda`, where there is a device."""
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    from gpuseg.kernels import cuda

    return cuda


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("skip", range(5))
def test_views_that_are_not_aligned(cuda: Any, depth: Any, skip: int) -> None:
    import cupy

    indices = np.random.default_rng(skip).integers(0, 21, 10_001)
    lookup = build_lookup(VOC, IndexOptions(depth=depth))
    memory = cupy.zeros(3 * indices.size + skip, np.uint8)
    memory[skip:] = cupy.asarray(VOC.colours[indices].reshape(-1))
    labels = cupy.full(indices.size + 2 * skip, 99, lookup.label_dtype)
    inner = labels[skip : skip + indices.size]
    unknown = cupy.full(1, 7, np.int64)
    offsets = cupy.asarray(np.array([0, indices.size]))
    cuda.index_pixels(memory[skip:], offsets, cuda.device_table(lookup), inner, unknown)
    np.testing.assert_array_equal(inner.get(), indices)
    assert unknown.get().tolist() == [0]
    assert labels.get()[:skip].tolist() == [99] * skip
    assert labels.get()[skip + indices.size :].tolist() == [99] * skip


@pytest.mark.slow
def test_pixels_past_2_to_the_31_bytes(cuda: Any) -> None:
    import cupy

    total, tail = (1 << 31) // 3 + 999_999, 4099
    indices = np.random.default_rng(0).integers(0, 21, tail)
    colours = VOC.colours[indices]
    colours[::100] = 1
    try:
        pixels = cupy.zeros(3 * total, np.uint8)
        pixels[-3 * tail :] = cupy.asarray(colours.reshape(-1))
        offsets = np.array([0, total - tail, total])
        lookup = build_lookup(VOC, IndexOptions(unknown="ignore"))
        labels, unknown = cuda.index_arrays(pixels, offsets, lookup)
    except cupy.cuda.memory.OutOfMemoryError:
        pytest.skip("this device has no 4 GiB of free memory")
    indices[::100] = 255
    np.testing.assert_array_equal(labels[-tail:].get(), indices)
    assert not labels[:-tail].any()
    assert unknown.tolist() == [0, 41]
