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
from pathlib import Path

from tests.kernels.cuda_host.source import ARCHITECTURES, VARIANTS, Variant, compile_variant


def count_registers(variant: Variant, architecture: str) -> str:
    """Registers a thread and bytes spilled, as `31 / 0`; empty without ptxas."""
    assembler = shutil.which("ptxas")
    if assembler is None:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        ptx = compile_variant(variant, architecture, "ptx")
        # a ptxas older than NVRTC refuses the PTX version, though not what our kernels use
        source.write_bytes(re.sub(rb"\.version \d+\.\d+", b".version 8.0", ptx))
        target = Path(folder, "kernel.cubin")
        command = [assembler, "-v", f"-arch=sm_{architecture}", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    log = done.stdout + done.stderr
    registers = re.search(r"Used (\d+) registers", log)
    spills = re.search(r"(\d+) bytes spill stores", log)
    return f"{registers[1] if registers else '?'} / {spills[1] if spills else '?'}"


def main() -> None:
    """Print a row for each kernel, depth and architecture."""
    print(f"{'kernel':24} {'arch':>6} {'cubin bytes':>12} {'registers / spilled':>20}")
    for variant in VARIANTS:
        if variant.wide:  # the same program as the narrow one
            continue
        for architecture in ARCHITECTURES:
            size = len(compile_variant(variant, architecture, "cubin"))
            registers = count_registers(variant, architecture)
            name = f"{variant.kernel} depth {variant.depth}"
            print(f"{name:24} {'sm_' + architecture:>6} {size:>12,} {registers:>20}")


if __name__ == "__main__":
    main()
