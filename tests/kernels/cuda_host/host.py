"""Runs the CUDA text of a kernel on the CPU: the exact text, built by g++ under `shim.h`."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BLOCK = 128
"""Threads of a block, as CuPy launches elementwise kernels."""

DRIVER = """
extern "C" Violations run(
    int64_t size, unsigned int grid, unsigned int first, unsigned int last,
    void *const *data, const int64_t *sizes) {{
  violations = Violations();
  blockDim = {{{block}, 1, 1}};
  gridDim = {{grid, 1, 1}};
  for (unsigned int block = first; block < last; ++block) {{
    for (unsigned int thread = 0; thread < {block}; ++thread) {{
      blockIdx = {{block, 0, 0}};
      threadIdx = {{thread, 0, 0}};
      {name}({arguments}, CIndexer<1, {narrow}>(size));
    }}
  }}
  return violations;
}}
"""


class AccessError(AssertionError):
    """The kernel touched memory it must not touch."""


class _Violations(ctypes.Structure):
    _fields_ = (("outside", ctypes.c_int64), ("misaligned", ctypes.c_int64))


@dataclass(frozen=True)
class HostKernel:
    """A kernel built for the CPU; called like the ElementwiseKernel it is made of.

    dtypes: element types of its arrays, in order.
    """

    library: ctypes.CDLL
    dtypes: tuple[str, ...]

    def __call__(self, *arrays: Any, size: int, grid: int | None = None, first: int = 0) -> None:
        """Run the blocks from `first` on. Raises AccessError.

        arrays: flat, contiguous, NumPy or CuPy over host memory. size: threads.
        grid: blocks; fewer than needed makes each thread go round its loop several times.
        """
        for array, dtype in zip(arrays, self.dtypes, strict=True):
            assert array.dtype == np.dtype(dtype), f"expected {dtype}, got {array.dtype}"
            assert array.ndim == 1
            assert array.flags.c_contiguous
        blocks = -(-size // BLOCK) if grid is None else grid
        data = (ctypes.c_void_p * len(arrays))(*map(_address, arrays))
        sizes = (ctypes.c_int64 * len(arrays))(*(array.size for array in arrays))
        broken = self.library.run(ctypes.c_int64(size), blocks, first, blocks, data, sizes)
        if broken.outside or broken.misaligned:
            raise AccessError(
                f"{broken.outside} accesses outside an array, {broken.misaligned} misaligned"
            )


def _address(array: Any) -> int:
    if isinstance(array, np.ndarray):
        return array.ctypes.data
    return int(array.data.ptr)


def build(code: str, dtypes: tuple[str, ...], folder: Path) -> HostKernel:
    """Build the text of one kernel function, or skip the test where there is no g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed: the CUDA text cannot be run on the CPU")
    found = re.search(r"__global__ void (\w+)\((.*?), CIndexer<1, (\d)> _ind\) \{", code, re.S)
    assert found, f"no kernel function in the text of CuPy:\n{code}"
    name, parameters, narrow = found.groups()
    types = re.findall(r"CArray<[^>]+>", parameters)
    assert len(types) == len(dtypes), f"{len(types)} arrays in {parameters}, not {len(dtypes)}"
    driver = DRIVER.format(
        block=BLOCK,
        name=name,
        narrow=narrow,
        arguments=", ".join(f"{each}(data[{k}], sizes[{k}])" for k, each in enumerate(types)),
    )
    shim = Path(__file__).with_name("shim.h").read_text(encoding="utf-8")
    text, target = folder / f"{name}.cpp", folder / f"{name}.so"
    text.write_text(shim + code + driver, encoding="utf-8")
    command = [compiler, "-std=c++17", "-O2", "-shared", "-fPIC", "-Wno-unknown-pragmas"]
    built = subprocess.run(
        [*command, "-o", target, text], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    library = ctypes.CDLL(str(target))
    library.run.restype = _Violations
    return HostKernel(library, dtypes)
