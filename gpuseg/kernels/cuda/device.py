"""A CUDA device as the batched flow sees it."""

from __future__ import annotations

from gpuseg.kernels.device import Device


def open_device(number: int) -> Device:
    """The CUDA device of that number. Raises what CuPy raises where there is none."""
    raise NotImplementedError(number)
