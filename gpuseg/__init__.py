"""gpuseg: RGB colour masks to exact palette-PNG label maps, whole dumps at a time.

Importing this package loads neither numba nor cupy nor click; each public name loads what
it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "Palette": "palette",
    "index_to_rgb": "arrays",
    "rgb_to_index": "arrays",
    "voc_colormap": "palette",
}

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from gpuseg.arrays import index_to_rgb as index_to_rgb
    from gpuseg.arrays import rgb_to_index as rgb_to_index
    from gpuseg.palette import Palette as Palette
    from gpuseg.palette import voc_colormap as voc_colormap


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gpuseg' has no attribute {name!r}")
    value = getattr(import_module(f"gpuseg.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
