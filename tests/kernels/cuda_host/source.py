"""The CUDA source CuPy makes of our kernels, and what NVRTC makes of that: without a device.

CuPy writes the source of an ElementwiseKernel in functions that are private but reachable
from Python. They may change with any release of CuPy, so a test that misses one skips and
says so, where any other failure is a failure.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ARCHITECTURES = ("75", "80", "90")


@dataclass(frozen=True)
class Variant:
    """One of the sources a kernel is compiled from.

    kernel: name in `gpuseg.kernels.cuda`, see `HOMES`. depth: bits of a label.
    wide: 64-bit indices, as CuPy chooses for arrays of 2**31 bytes and more.
    given: type of the labels that `narrow_kernel` gets, or of the scores of `argmax_kernel`.
    """

    kernel: str
    depth: int
    wide: bool
    given: str = "i8"

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Element types of the kernel's arrays, in order."""
        label, entry, word = ("u1", "u2", "u4") if self.depth == 8 else ("u2", "u4", "u8")
        if self.kernel == "index_kernel":
            return ("u4", "u1", "i8", entry, word, label, "u8")
        if self.kernel == "narrow_kernel":
            return (self.given, "u1", label, "u8")
        if self.kernel == "argmax_kernel":
            return (self.given, "i8", "u1", label, "u8")
        return (word, label, "u4", "u4", "u1", "u8")

    def __str__(self) -> str:
        return f"{self.kernel}-{self.depth}-{'wide' if self.wide else 'narrow'}"


VARIANTS = [
    Variant(kernel, depth, wide)
    for kernel, depth, wide in product(
        ("index_kernel", "colour_kernel", "narrow_kernel"), (8, 16), (False, True)
    )
]

HOMES = {"argmax_kernel": "argmax"}
"""Modules of the kernels that are not in `pixels`."""


def load(module: str) -> ModuleType:
    """Import a module of CuPy (or ours that needs it), or skip the test."""
    pytest.importorskip("cupy", reason="CuPy is not installed: pip install 'gpuseg[cuda13]'")
    return importlib.import_module(module)


def hook(module: str, name: str) -> Any:
    """A private name of CuPy, or skip the test."""
    try:
        return getattr(load(module), name)
    except (ImportError, AttributeError):
        pytest.skip(f"this CuPy has no {module}.{name}, from which the source is taken")


def get_kernel(variant: Variant) -> Any:
    """The ElementwiseKernel behind a variant."""
    home = HOMES.get(variant.kernel, "pixels")
    return getattr(load(f"gpuseg.kernels.cuda.{home}"), variant.kernel)


@cache
def generate(variant: Variant) -> str:
    """The kernel function as CuPy writes it (without the headers it puts in front)."""
    kernel = get_kernel(variant)
    if not hasattr(kernel, "_decide_params_type"):
        pytest.skip("this CuPy has no ElementwiseKernel._decide_params_type")
    info = hook("cupy._core._kernel", "_ArgInfo")
    array = load("cupy").ndarray
    indexer = hook("cupy._core._carray", "Indexer")
    types = [np.dtype(name).type for name in variant.dtypes]
    *_, typemap = kernel._decide_params_type(tuple(types[: kernel.nin]), tuple(types[kernel.nin :]))
    narrow = not variant.wide
    arguments = [info(1, array, each, 1, True, narrow) for each in types]  # 1: an array
    arguments.append(info(2, indexer, None, 1, True, narrow))  # 2: the loop's own indexer
    code: str = hook("cupy._core._kernel", "_get_elementwise_kernel_code")(
        tuple(arguments),
        typemap,
        kernel.params,
        kernel.operation,
        kernel.name,
        kernel.preamble,
        **kernel.kwargs,
    )
    return code


class _CapturedError(Exception):
    """Carries what CuPy would hand to NVRTC."""


@cache
def complete(variant: Variant) -> tuple[str, tuple[str, ...]]:
    """All that CuPy hands to NVRTC: the source with its headers, and the options."""
    compiler = load("cupy.cuda.compiler")
    hook("cupy.cuda.compiler", "_compile_module_with_cache")

    def capture(source: str, options: tuple[str, ...] = (), **_: Any) -> None:
        raise _CapturedError(source, options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "_compile_module_with_cache", capture)
        try:
            hook("cupy._core.core", "compile_with_cache")(generate(variant))
        except _CapturedError as captured:
            source, options = captured.args
            return source, tuple(options)
    pytest.skip("this CuPy compiles without compiler._compile_module_with_cache")


def compile_scanlines(architecture: str, form: str) -> tuple[bytes, dict[str, str]]:
    """What NVRTC makes of `scanlines.cu`, and each kernel's name in it; see `compile_variant`."""
    module = load("gpuseg.kernels.cuda.scanlines")
    names = [*module.SCAN.values(), module.FILTER]
    return _compile(module.CODE, ("-std=c++17",), architecture, form, names)


def compile_confusion(architecture: str, form: str, name: str) -> tuple[bytes, dict[str, str]]:
    """What NVRTC makes of a kernel of `confusion.cu`, and its name in it; see `compile_variant`."""
    code = load("gpuseg.kernels.cuda.confusion").CODE
    return _compile(code, ("-std=c++17",), architecture, form, [name])


@cache
def compile_variant(variant: Variant, architecture: str, form: str) -> bytes:
    """What NVRTC makes for an architecture such as `90`; form: `ptx` or `cubin`."""
    source, options = complete(variant)
    options += ("--device-as-default-execution-space",)
    return _compile(source, options, architecture, form)[0]


def _compile(
    source: str,
    options: tuple[str, ...],
    architecture: str,
    form: str,
    names: list[str] | None = None,
) -> tuple[bytes, dict[str, str]]:
    program = hook("cupy.cuda.compiler", "_NVRTCProgram")
    target = "compute" if form == "ptx" else "sm"
    options += (f"-arch={target}_{architecture}",)
    try:
        compiled = program(source, "gpuseg.cu", name_expressions=names, method=form)
        binary, mangled = compiled.compile(options)
    except RuntimeError as error:
        if "DynamicLibNotFound" in type(error).__name__:
            pytest.skip("NVRTC is not installed: pip install 'gpuseg[cuda13]'")
        raise
    return (binary if isinstance(binary, bytes) else binary.encode()), mangled or {}
