"""The CUDA kernels: the only home of CuPy. Importing it needs cupy, but no device."""

from gpuseg.kernels.cuda.argmax import argmax_array
from gpuseg.kernels.cuda.confusion import DeviceMatrix, confuse, confuse_host
from gpuseg.kernels.cuda.device import cupy_device, open_device
from gpuseg.kernels.cuda.memory import (
    contiguous,
    device_count,
    device_table,
    empty_pinned,
    finish,
    forget_tables,
    from_foreign,
    on_stream,
)
from gpuseg.kernels.cuda.pixels import (
    colour_labels,
    index_arrays,
    index_host,
    index_pixels,
    narrow_array,
    paint_array,
)

__all__ = [
    "DeviceMatrix",
    "argmax_array",
    "colour_labels",
    "confuse",
    "confuse_host",
    "contiguous",
    "cupy_device",
    "device_count",
    "device_table",
    "empty_pinned",
    "finish",
    "forget_tables",
    "from_foreign",
    "index_arrays",
    "index_host",
    "index_pixels",
    "narrow_array",
    "on_stream",
    "open_device",
    "paint_array",
]
