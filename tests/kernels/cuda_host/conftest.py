"""Kernels built for the CPU, once a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernels.cuda_host.host import HostKernel, build
from tests.kernels.cuda_host.source import Variant, generate


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
