"""Runs CUDA kernels that threads share on the CPU: the exact text, a thread for each lane."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SLOTS = 3
"""Blocks that run at the same time."""

SCANLINES = ("scan_8", "scan_16", "filter_rows")
"""Kernels of `scanlines.cu`."""

BUILDS = {
    "plain": ("-O2",),
    "quick": ("-O0",),  # to build
    # each array is an allocation of its own, and every load must be aligned
    "address": ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "thread": ("-O1", "-g", "-fsanitize=thread"),
}


class SanitizerError(AssertionError):
    """The kernel did what it must not do; the message is the sanitizer's report."""


@dataclass(frozen=True)
class ThreadedKernels:
    """The kernels of those names as a program."""

    program: Path
    names: tuple[str, ...]

    def run(
        self, kernel: str, arrays: list[NDArray[Any]], blocks: int, warps: int = 1, first: int = 0
    ) -> None:
        """Run a kernel over arrays, which are changed in place. Raises SanitizerError.

        first: number of the first block, of `blocks`.
        """
        given, results = self.program.with_suffix(".in"), self.program.with_suffix(".out")
        with given.open("wb") as file:
            for array in arrays:
                file.write(np.int64(array.nbytes).tobytes() + array.tobytes())
        numbers = (self.names.index(kernel), first, blocks, warps)
        done = subprocess.run(
            [self.program, given, results, *map(str, numbers)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "TSAN_OPTIONS": "exitcode=66 halt_on_error=1"},
        )
        if done.returncode:
            raise SanitizerError(done.stderr[:4000] or f"exit code {done.returncode}")
        data, at = results.read_bytes(), 0
        for array in arrays:
            at += 8
            array.reshape(-1).view(np.uint8)[:] = np.frombuffer(data, np.uint8, array.nbytes, at)
            at += array.nbytes


def build(
    code: str, kind: str, folder: Path, names: tuple[str, ...] = SCANLINES, driver: str = ""
) -> ThreadedKernels:
    """Build a CUDA text, or skip the test where that cannot be done.

    kind: one of BUILDS. names: of its kernels, in the order in which `driver`, C++, has them;
    as it stands for `scanlines.cu`.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed: the CUDA text cannot be run on the CPU")
    here = Path(__file__).parent
    driver = driver or (here / "scanlines_driver.h").read_text(encoding="utf-8")
    parts = [(here / "threads.h").read_text(encoding="utf-8")]
    parts += [f"namespace slot{k} {{\n{code}\n}}\n" for k in range(SLOTS)]
    parts += [driver, (here / "driver.h").read_text(encoding="utf-8")]
    source, program = folder / f"{kind}.cpp", folder / kind
    source.write_text("".join(parts), encoding="utf-8")
    command = [compiler, "-std=c++17", "-pthread", "-Wno-unknown-pragmas", *BUILDS[kind]]
    done = subprocess.run(
        [*command, "-o", program, source], capture_output=True, text=True, check=False
    )
    if "cannot find -l" in done.stderr or "cannot find lib" in done.stderr:
        pytest.skip(f"this g++ has no library for {kind} sanitizing")
    assert done.returncode == 0, done.stderr
    return ThreadedKernels(program, names)
