"""One test body runs over all backends that work here."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from gpuseg.kernels import backend
from tests.kernels.batches import IndexBatch, by_backend
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import ThreadedKernels, build

ThreadedBuilds = Callable[[str], ThreadedKernels]


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


@pytest.fixture(scope="session")
def threaded_kernels(tmp_path_factory: pytest.TempPathFactory) -> ThreadedBuilds:
    """Kind of build -> the kernels of `scanlines.cu`, running on the CPU."""
    built: dict[str, ThreadedKernels] = {}

    def get(kind: str) -> ThreadedKernels:
        if kind not in built:
            code = load("gpuseg.kernels.cuda.scanlines").CODE
            built[kind] = build(code, kind, tmp_path_factory.mktemp("scanlines"))
        return built[kind]

    return get
