"""One test body runs over all backends that work here."""

from __future__ import annotations

from typing import get_args

import pytest

from gpuseg.kernels import backend
from tests.kernels.batches import IndexBatch, by_backend


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=[pytest.mark.gpu] if name == "cuda" else [])
        for name in get_args(backend.Name)
    ],
)
def index_batch(request: pytest.FixtureRequest) -> IndexBatch:
    """The kernel over pixels of a backend."""
    if request.param == "cpu":
        return by_backend(backend._cpu_index)
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    from gpuseg.kernels import cuda

    return by_backend(cuda.index_host)
