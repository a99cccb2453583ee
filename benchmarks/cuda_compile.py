"""What NVRTC makes of the CUDA kernels, without a GPU: size of the code, registers, spills.

    python -m benchmarks.cuda_compile

Run it from a checkout, with CuPy, NVRTC and pytest installed. Registers and spills are what
`ptxas` says of the PTX; the column is empty where ptxas (of the CUDA toolkit) is not on PATH.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.kernels.cuda_host.source import (
    ARCHITECTURES,
    VARIANTS,
    compile_confusion,
    compile_scanlines,
    compile_variant,
    load,
)

CONFUSION = [("u1", "u1", 1 << 12), ("u1", "u1", 3 << 12), ("u1", "u1", 0), ("i8", "i8", 1 << 12)]
"""Kernels of confusion matrices: types of both images, and cells in shared memory."""


def count_registers(ptx: bytes, architecture: str) -> dict[str, str]:
    """Registers a thread and bytes spilled of each kernel, as `31 / 0`; none without ptxas."""
    assembler = shutil.which("ptxas")
    if assembler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        # a ptxas older than NVRTC refuses the PTX version, though not what our kernels use
        source.write_bytes(re.sub(rb"\.version \d+\.\d+", b".version 8.0", ptx))
        target = Path(folder, "kernel.cubin")
        command = [assembler, "-v", f"-arch=sm_{architecture}", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    _, *parts = (done.stdout + done.stderr).split("Compiling entry function '")
    found = {}
    for part in parts:
        registers = re.search(r"Used (\d+) registers", part)
        spills = re.search(r"(\d+) bytes spill stores", part)
        found[part.partition("'")[0]] = (
            f"{registers[1] if registers else '?'} / {spills[1] if spills else '?'}"
        )
    return found


def rows(architecture: str) -> Iterator[tuple[str, int, str]]:
    """Each kernel, the size of its machine code, and its registers.

    The kernels over scanlines are one piece of code.
    """
    for variant in VARIANTS:
        if variant.wide:  # the same program as the narrow one
            continue
        size = len(compile_variant(variant, architecture, "cubin"))
        counts = count_registers(compile_variant(variant, architecture, "ptx"), architecture)
        yield f"{variant.kernel} depth {variant.depth}", size, "".join(counts.values())
    size = len(compile_scanlines(architecture, "cubin")[0])
    ptx, names = compile_scanlines(architecture, "ptx")
    counts = count_registers(ptx, architecture)
    for name, mangled in names.items():
        depth = f" depth {16 if 'long long' in name else 8}" if "<" in name else ""
        yield name.partition("<")[0] + depth, size, counts.get(mangled, "")
    for truth, prediction, cells in CONFUSION:
        kernel = load("gpuseg.kernels.cuda.confusion").kernel_name(truth, prediction, cells)
        size = len(compile_confusion(architecture, "cubin", kernel)[0])
        ptx, _ = compile_confusion(architecture, "ptx", kernel)
        counts = count_registers(ptx, architecture)
        yield f"confuse {truth} {prediction} {cells}", size, "".join(counts.values())


def main() -> None:
    """Print a row for each kernel, depth and architecture."""
    print(f"{'kernel':24} {'arch':>6} {'cubin bytes':>12} {'registers / spilled':>20}")
    for architecture in ARCHITECTURES:
        for name, size, registers in rows(architecture):
            print(f"{name:24} {'sm_' + architecture:>6} {size:>12,} {registers:>20}")


if __name__ == "__main__":
    main()
