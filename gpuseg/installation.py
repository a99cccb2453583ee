"""What this installation is and can do."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from typing import Any

from gpuseg import __version__
from gpuseg.codecs import opening
from gpuseg.kernels import backend
from gpuseg.options import usable_cpus

PACKAGES = (
    "numpy",
    "pillow",
    "numba",
    "zlib-ng",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "click",
    "rich",
    "fsspec",
    "s3fs",
    "gcsfs",
    "adlfs",
    "distributed",
    "pyarrow",
)


def info() -> dict[str, Any]:
    """Versions, processors and devices; each device with the reason why it can be used or not."""
    return {
        "gpuseg": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processors": usable_cpus(),
        "packages": {name: _version(name) for name in PACKAGES},
        "zlib": opening.zlib_version(),
        "devices": [
            {"name": status.name, "usable": status.usable, "reason": status.reason}
            for status in backend.describe_backends()
        ],
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
