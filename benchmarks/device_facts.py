"""What there is to know of the CUDA device, found out in a process that then lets it go."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

from benchmarks.common import ROOT, child_environment

NEEDS = "this needs an NVIDIA GPU, its driver and CuPy"


def gpu_problem() -> str:
    """Why no CUDA device can be used here, or an empty string. Cheap where there is none."""
    missing = [name for name in ("cupy", "numba", "numpy", "PIL") if find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    from gpuseg.kernels import backend

    return backend.probe_cuda()


def found_apart() -> tuple[str, dict[str, str]]:
    """`gpu_problem` and `device_facts`, without a hold on the device that outlasts the call."""
    command = [sys.executable, "-m", "benchmarks.device_facts"]
    done = subprocess.run(
        command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False
    )
    try:
        problem, facts = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"its facts cannot be had ({last})", {}
    return problem, facts


def device_facts() -> dict[str, str]:
    """What the figures depend on, on the device's side."""
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    return {
        "device": properties["name"].decode(),
        "device memory": f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
        "multiprocessors": str(properties["multiProcessorCount"]),
        "L2 cache": f"{properties['l2CacheSize'] / 2**20:.0f} MiB",
        "driver's CUDA": _version(cupy.cuda.runtime.driverGetVersion()),
        "runtime's CUDA": _version(cupy.cuda.runtime.runtimeGetVersion()),
    }


def _version(number: int) -> str:
    """`13020` is 13.2."""
    return f"{number // 1000}.{number % 1000 // 10}"


if __name__ == "__main__":
    print(json.dumps([gpu_problem(), {} if gpu_problem() else device_facts()]))
