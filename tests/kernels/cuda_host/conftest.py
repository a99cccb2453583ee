"""Kernels built for the CPU, once a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernels.cuda_host.confused import VARIANTS, build_confusion
from tests.kernels.cuda_host.host import HostKernel, build
from tests.kernels.cuda_host.source import Variant, generate, load
from tests.kernels.cuda_host.threaded import ThreadedKernels


@pytest.fixture(scope="session")
def host_kernel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Variant], HostKernel]:
    """Variant -> the kernel, running on the CPU."""
    built: dict[Variant, HostKernel] = {}

    def get(variant: Variant) -> HostKernel:
        if variant not in built:
            folder = tmp_path_factory.mktemp("kernel")
            built[variant] = build(generate(variant), variant.dtypes, folder)
        return built[variant]

    return get


@pytest.fixture(scope="session")
def confusion_kernels(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], ThreadedKernels]:
    """Kind of build -> the kernels of `confusion.cu`, running on the CPU."""
    built: dict[str, ThreadedKernels] = {}

    def get(kind: str) -> ThreadedKernels:
        if kind not in built:
            code = load("gpuseg.kernels.cuda.confusion").CODE
            variants = VARIANTS if kind == "plain" else VARIANTS[:5]
            built[kind] = build_confusion(code, kind, tmp_path_factory.mktemp(kind), variants)
        return built[kind]

    return get
