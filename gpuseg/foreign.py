"""Arrays of other libraries, taken as NumPy or CuPy arrays where they are, and given back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuseg.errors import GpusegError, LabelError, MaskError, UnsupportedMaskError
from gpuseg.kernels import backend

# Device types of DLPack: https://dmlc.github.io/dlpack/latest/c_api.html
ON_HOST = {1, 3, 11}  # CPU, CUDA host, ROCm host
ON_CUDA = {2, 13}  # CUDA, CUDA managed

Check = Callable[[Any, str], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """An array as NumPy or CuPy sees it.

    array: C-contiguous, in the memory it was given in where that was contiguous already.
    on_device: it is a CuPy array. give_back: makes a result the kind that was given.
    """

    array: Any
    on_device: bool
    give_back: Callable[[Any], Any]

    def host(self) -> Any:
        """The array in host memory, as a NumPy array."""
        return self.array.get() if self.on_device else self.array


def take(array: Any, where: str, check: Check) -> Taken:
    """Look at an array of any library without moving it.

    check: called with the array (it has `shape` and `dtype`) and `where`, the start of
    messages; raises what is wrong with it. Raises MaskError for what is no array or lies on
    a device that is neither host nor CUDA, BackendError when CUDA cannot be used.
    """
    if not hasattr(array, "dtype") and hasattr(array, "__array_interface__"):
        array = np.asarray(array)  # Pillow images
    if not hasattr(array, "dtype") or not hasattr(array, "shape"):
        raise MaskError(
            f"{where}expected an array or a list of arrays, got {type(array).__name__}; "
            "files are converted by gpuseg.convert_files, or opened as arrays first"
        )
    check(array, where)
    refuse_masked(array, where)
    if isinstance(array, np.ndarray):
        return Taken(np.ascontiguousarray(array), False, _same)
    torch = sys.modules.get("torch")  # an array of torch exists only where torch is loaded
    is_torch = torch is not None and isinstance(array, torch.Tensor)
    give_back = torch.from_dlpack if torch is not None and is_torch else _same
    if _is_on_cuda(array, where):
        backend.select("cuda")  # raises with the reason when it cannot be used
        from gpuseg.kernels import cuda

        return Taken(cuda.contiguous(cuda.from_foreign(array)), True, give_back)
    host = np.from_dlpack(array) if hasattr(array, "__dlpack__") else np.asarray(array)
    return Taken(np.ascontiguousarray(host), False, give_back)


def refuse_masked(array: Any, where: str) -> None:
    """Raise MaskError for an array of NumPy that says itself which pixels are none."""
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise MaskError(
            f"{where}an array without a mask of its own was expected, got a masked array, whose "
            "mask would be lost; fill it first, label maps with the ignore index: array.filled(255)"
        )


@contextmanager
def in_turn(*arrays: Any) -> Iterator[None]:
    """What CuPy does with arrays meanwhile comes in turn with what their owners do.

    CUDA tensors of torch: CuPy works on the current stream of torch, and nobody waits for the
    device. CuPy's arrays: on CuPy's current stream, as ever. Arrays of others, or of several: their
    device is waited for at the end, for their owners may use the memory again then.
    """
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and all(isinstance(a, torch.Tensor) and a.is_cuda for a in arrays):
        backend.select("cuda")
        from gpuseg.kernels import cuda

        stream = torch.cuda.current_stream(arrays[0].device)
        with cuda.on_stream(int(arrays[0].device.index), int(stream.cuda_stream)):
            yield
        return
    yield
    if cupy is not None and all(isinstance(array, cupy.ndarray) for array in arrays):
        return
    for array in arrays:
        if _is_on_cuda(array, ""):
            from gpuseg.kernels import cuda

            cuda.finish(array)


def check_mask(array: Any, where: str) -> None:
    """Whether an array can be a colour mask, (H, W, 3) or (N, H, W, 3) of uint8.

    Raises UnsupportedMaskError for another dtype, alpha or no channels, MaskError for
    another shape.
    """
    dtype, shape = _dtype_name(array), tuple(int(n) for n in array.shape)
    if len(shape) == 2:
        raise UnsupportedMaskError(
            f"{where}a colour mask has shape (H, W, 3) or (N, H, W, 3), got {shape}: greyscale, "
            "or indices that need no conversion"
        )
    if len(shape) in (3, 4) and shape[-1] == 4:
        raise UnsupportedMaskError(
            f"{where}a colour mask has 3 channels, got 4 (shape {shape}); "
            "if the fourth is an alpha that means nothing, drop it: mask[..., :3]"
        )
    if len(shape) in (3, 4) and shape[-1] != 3 and shape[-3] == 3:
        move = "(1, 2, 0)" if len(shape) == 3 else "(0, 2, 3, 1)"
        raise MaskError(
            f"{where}a colour mask has its channels last, got channels first (shape {shape}); "
            f"use mask.transpose{move}, in torch mask.permute{move}"
        )
    if len(shape) not in (3, 4) or shape[-1] != 3:
        raise MaskError(f"{where}a colour mask has shape (H, W, 3) or (N, H, W, 3), got {shape}")
    if dtype != "uint8":
        advice = "convert it with .astype('uint8') (torch: .byte()) if all values are 0 to 255"
        if "float" in dtype:
            advice = (
                "values 0 to 1 become colours with (mask * 255).round() and .astype('uint8') "
                "(torch: .byte()); better read the file without scaling"
            )
        raise UnsupportedMaskError(f"{where}a colour mask has dtype uint8, got {dtype}; {advice}")


def check_labels(array: Any, where: str) -> None:
    """Whether an array can be a label map, (H, W) or (N, H, W) of uint8 or uint16.

    Raises LabelError.
    """
    dtype, shape = _dtype_name(array), tuple(int(n) for n in array.shape)
    if len(shape) not in (2, 3):
        raise LabelError(f"{where}a label map has shape (H, W) or (N, H, W), got {shape}")
    if dtype not in ("uint8", "uint16"):
        raise LabelError(
            f"{where}a label map has dtype uint8 or uint16, got {dtype}; convert it with "
            ".astype('uint8') (torch: .byte()) if all indices are 0 to 255"
        )


def check_label_map(array: Any, where: str) -> None:
    """Whether an array can be saved as a label map: (H, W) of any integers. Raises LabelError."""
    dtype, shape = _dtype_name(array), tuple(int(n) for n in array.shape)
    if len(shape) == 2 and dtype.startswith(("int", "uint")):
        return
    advice = ""
    if len(shape) == 3:
        advice = "; save the label maps of a batch one by one: labels[0]"
    elif "float" in dtype:
        advice = "; the label map of scores (C, H, W) is scores.argmax(0)"
    raise LabelError(
        f"{where}labels must be integers of shape (H, W), got {dtype} of shape {shape}{advice}"
    )


def check_indices(array: Any, where: str) -> None:
    """Whether an array can be evaluated: (H, W) or (N, H, W) of any integers. Raises LabelError."""
    dtype, shape = _dtype_name(array), tuple(int(n) for n in array.shape)
    dtype = getattr(array.dtype, "name", dtype)  # NumPy's says nothing of the byte order
    if len(shape) in (2, 3) and dtype.startswith(("int", "uint")):
        return
    advice = ""
    if "float" in dtype:
        advice = "; scores (N, C, H, W) become indices with scores.argmax(1)"
    elif dtype == "bool":
        advice = (
            "; a mask of one class becomes indices 0 and 1 with .astype('uint8') (torch: .byte())"
        )
    raise LabelError(
        f"{where}label maps are integers of shape (H, W) or (N, H, W), got {dtype} of shape "
        f"{shape}{advice}"
    )


def _is_on_cuda(array: Any, where: str) -> bool:
    if not hasattr(array, "__dlpack_device__"):
        return hasattr(array, "__cuda_array_interface__")
    problem: Exception | None = None
    device = None
    try:
        device = int(array.__dlpack_device__()[0])
    except (BufferError, RuntimeError, ValueError) as error:  # a device DLPack has no number for
        problem = error
    if device not in ON_HOST | ON_CUDA:
        found = f"DLPack device type {device}" if problem is None else str(problem)
        raise _unreachable(where, found) from problem
    return device in ON_CUDA


def _unreachable(where: str, found: str) -> GpusegError:
    return MaskError(
        f"{where}an array must be in host memory or on a CUDA device, got {found}; "
        "move it first, in torch with .cpu()"
    )


def _dtype_name(array: Any) -> str:
    return str(array.dtype).rpartition(".")[2]  # torch says torch.uint8


def _same(array: Any) -> Any:
    return array
