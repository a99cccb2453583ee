"""The pixels of a loaded Pillow image where they lie, without a copy.

Pillow keeps RGB in 4 bytes a pixel and exports that memory by the Arrow C data interface
(https://arrow.apache.org/docs/format/CDataInterface.html). The usual way to an array packs
all pixels into fresh memory, which costs more than their lookup (benchmarks/README.md).
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pixel_words(image: Image.Image) -> NDArray[np.uint32] | None:
    """Pixels of an RGB or RGBA image as words `r | g << 8 | b << 16 | a << 24`, uint32 (H, W).

    Read-only, and valid as long as the array lives. None where the image does not lie in
    memory in one piece (Pillow splits images above 16 MiB) or words have other byte order.
    """
    if image.mode not in ("RGB", "RGBA") or sys.byteorder != "little" or not image.width:
        return None
    try:
        capsules = image.__arrow_c_array__()
    except ValueError:  # the rows are in several blocks of memory
        return None
    array = _ArrowArray.from_address(_pointer(capsules[1], b"arrow_array"))
    # a list array of 4 bytes a pixel: its child holds the bytes, in its second buffer
    address = array.children[0].contents.buffers[1]
    return np.asarray(_Memory(capsules, address, (image.height, image.width)))


class _ArrowArray(ctypes.Structure):
    """struct ArrowArray of the Arrow C data interface."""


_ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowArray))),
]  # what follows in the struct is not looked at

# a prototype of our own: types set on ctypes.pythonapi would hold for the whole process
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


class _Memory:
    """What NumPy makes an array of; it keeps the capsules, and with them the memory."""

    def __init__(self, capsules: tuple[Any, Any], address: int, shape: tuple[int, int]) -> None:
        self._capsules = capsules
        self.__array_interface__ = {
            "version": 3,
            "typestr": "<u4",
            "shape": shape,
            "data": (address, True),
        }
