"""One test body runs over all backends that work here."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from gpuseg.batch import LabelBatch, MaskBatch
from gpuseg.kernels import backend
from gpuseg.kernels.lut import Lookup

IndexBatch = Callable[[MaskBatch, Lookup], LabelBatch]


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=[pytest.mark.gpu] if name == "cuda" else [])
        for name in get_args(backend.Name)
    ],
)
def index_batch(request: pytest.FixtureRequest) -> IndexBatch:
    """`index_batch` of a backend."""
    if request.param == "cuda" and (problem := backend.probe_cuda()):
        pytest.skip(f"no CUDA device: {problem}")
    return backend.select(request.param).index_batch
