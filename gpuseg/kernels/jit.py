"""Compiling Python to machine code: the only home of numba.

`nogil` lets worker threads run side by side; numba's own `parallel=True` is not used, for
it may abort the process when two threads call it. Compiled code is cached on disk where
that is possible; where nothing can be written it is compiled anew in each process, and
where the cache is damaged or its disk full, too.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba.core import config, types

__all__ = ["CHECKED", "U64", "inlined", "intrinsic", "ir", "is_cached", "njit", "part", "types"]

Function = TypeVar("Function", bound=Callable[..., Any])

U64 = np.uint64
"""Loops count in unsigned 64-bit: numba then adds no check for negative subscripts (a third
of the time of a lookup), and a mix of signed and unsigned would become float."""

PART = {"no_cfunc_wrapper": True}
"""C does not call the parts of kernels: a fifth of all compiling went into wrappers for it."""

CHECKED = bool(config.BOUNDSCHECK)
"""NUMBA_BOUNDSCHECK=1 checks every subscript, and with it what `vectors` reads and writes."""


_cached = True


def is_cached() -> bool:
    """Whether compiled code is kept, so that other processes need not compile it, too."""
    return _cached


def njit(function: Function) -> Function:
    """A kernel: compiled on its first call, cached on disk if that can be."""
    uncached = numba.njit(function, nogil=True)
    if CHECKED:  # numba's cache does not tell code with checks from code without
        return uncached  # type: ignore[no-any-return]
    chosen = _with_cache(function) or uncached

    @functools.wraps(function)
    def kernel(*arguments: Any) -> Any:
        nonlocal chosen
        global _cached
        compiled = chosen  # another thread may change it meanwhile
        try:
            return compiled(*arguments)
        except Exception:  # a damaged cache raises anything; kernels themselves raise nothing
            if compiled is uncached:
                raise
            result = uncached(*arguments)  # raises again where the arguments are at fault
            chosen, _cached = uncached, False
            return result

    return kernel  # type: ignore[return-value]


def _with_cache(function: Any) -> Any:
    global _cached
    try:
        cached = numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # no folder that a cache could be written to
        _cached = False
        return None
    with contextlib.suppress(OSError):  # nothing there, or not ours to remove
        _forget_old_code(cached.stats.cache_path)
    return cached


@functools.cache
def _forget_old_code(folder: str) -> None:
    """Remove compiled code that is older than a source file beside this one.

    numba compares the age of a kernel's own file, and not of the files of what it calls: in a
    checkout, where they change one by one, it would go on with the old code.
    """
    newest = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    if newest > time.time():  # from another clock: nothing can be told, and all would go
        return
    for index in Path(folder).glob("*.nbi"):
        if index.stat().st_mtime < newest:
            index.unlink(missing_ok=True)


def part(function: Function) -> Function:
    """A function that kernels call; LLVM decides whether its code is copied into them."""
    compiled: Function = numba.extending.register_jitable(**PART)(function)
    return compiled


def inlined(function: Function) -> Function:
    """A function whose code is copied into the kernels that call it."""
    compiled: Function = numba.extending.register_jitable(forceinline=True, **PART)(function)
    return compiled


def intrinsic(function: Any) -> Any:
    """A function given as LLVM code (`ir`) and a signature (`types`); see `vectors`."""
    return numba.extending.intrinsic(function)
