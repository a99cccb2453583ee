"""Confusion matrices on a device; what can be shown without one is in `cuda_host`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuseg import ConfusionMatrix
from gpuseg.kernels import backend
from tests.kernels.confusion_batches import random_batch

pytestmark = pytest.mark.gpu

RAGGED = [0, 1, 20_000, 0, 63, 65, 33_001, 17, 0]


@pytest.fixture
def cuda() -> Any:
    """`gpuseg.kernels.cuda`, where there is a device."""
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    from gpuseg.kernels import cuda

    return cuda


@pytest.mark.parametrize("bins", [5, 64, 111, 258, 400])
@pytest.mark.parametrize("dtypes", [("u1", "u1"), ("i8", "i8"), ("u1", "i8"), ("u2", "i4")])
@pytest.mark.parametrize("skip", [0, 1])
def test_ragged_batches(cuda: Any, bins: int, dtypes: tuple[str, str], skip: int) -> None:
    """Matrices of one tile, of several, and too large for them; views that are not aligned."""
    import cupy

    batch = random_batch(bins, RAGGED, bins, dtypes)
    expected = batch.expected()
    images = []
    for image in (batch.truth, batch.prediction):
        memory = cupy.zeros(image.size + skip, image.dtype)
        memory[skip:] = cupy.asarray(image)
        images.append(memory[skip:])
    tables = [cupy.asarray(array) for array in (batch.offsets, batch.slots, batch.counts)]
    cuda.confuse(*images, *tables)
    np.testing.assert_array_equal(tables[2].get(), expected)


def test_a_matrix_over_streams(cuda: Any) -> None:
    """Each batch is added on a stream of its own; all are in the matrix."""
    import cupy

    matrix, total = ConfusionMatrix(21), np.zeros((23, 23), np.int64)
    rng = np.random.default_rng(0)
    for _ in range(20):
        pair = rng.integers(0, 21, (2, 3, 100, 333)).astype(np.uint8)
        with cupy.cuda.Stream(non_blocking=True):
            matrix.add(*map(cupy.asarray, pair))
        np.add.at(total, (pair[1].reshape(-1), pair[0].reshape(-1)), 1)
    np.testing.assert_array_equal(matrix.matrix, total)
    matrix.reset()
    assert not matrix.matrix.any()


def test_tensors_on_a_stream_of_torch(cuda: Any) -> None:
    """Memory that is written over right after a batch was added is not read any more."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    matrix, total = ConfusionMatrix(21), np.zeros((23, 23), np.int64)
    generator = torch.Generator("cuda").manual_seed(1)
    kept = []
    with torch.cuda.stream(torch.cuda.Stream()):
        prediction = torch.empty((4, 512, 512), dtype=torch.int64, device="cuda")
        for _ in range(10):
            prediction.random_(0, 21, generator=generator)
            truth = torch.full_like(prediction, 3, dtype=torch.uint8)
            kept.append(prediction.clone())
            matrix.add(prediction, truth)
            prediction.fill_(99)
    torch.cuda.synchronize()
    for labels in kept:
        total[3, :21] += np.bincount(labels.cpu().numpy().reshape(-1), minlength=21)
    np.testing.assert_array_equal(matrix.matrix, total)


@pytest.mark.slow
def test_more_pixels_of_a_cell_than_32_bits(cuda: Any) -> None:
    import cupy

    total = (1 << 32) + 77
    try:
        labels = cupy.zeros(total, np.uint8)
        counts = cupy.zeros((1, 3, 3), np.int64)
        cuda.confuse(labels, labels, None, cupy.zeros(1, np.uint16), counts)
    except cupy.cuda.memory.OutOfMemoryError:
        pytest.skip("this device has no 4 GiB of free memory")
    assert int(counts.get()[0, 0, 0]) == total
