"""Compiling Python to machine code: the only home of numba.

`nogil` lets worker threads run side by side; numba's own `parallel=True` is not used, for
it may abort the process when two threads call it. Compiled code is cached on disk where
that is possible; where nothing can be written it is compiled anew in each process, and
where the cache is damaged or its disk full, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba.core import config, types

Function = TypeVar("Function", bound=Callable[..., Any])

U64 = np.uint64
"""Loops count in unsigned 64-bit: numba then adds no check for negative subscripts (a third
of the time of a lookup), and a mix of signed and unsigned would become float."""

CHECKED = bool(config.BOUNDSCHECK)
"""NUMBA_BOUNDSCHECK=1 checks every subscript, and with it the words below."""


def njit(function: Function) -> Function:
    """A kernel: compiled on its first call, cached on disk if that can be."""
    uncached = numba.njit(function, nogil=True)
    try:
        chosen = numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # no folder that a cache could be written to
        chosen = uncached

    @functools.wraps(function)
    def kernel(*arguments: Any) -> Any:
        nonlocal chosen
        compiled = chosen  # another thread may change it meanwhile
        try:
            return compiled(*arguments)
        except Exception:  # kernels raise nothing: a damaged cache raises anything
            if compiled is uncached or CHECKED:  # with checks a kernel may: what they found
                raise
            chosen = uncached
            return uncached(*arguments)

    return kernel  # type: ignore[return-value]


def part(function: Function) -> Function:
    """A function that kernels call; LLVM decides whether its code is copied into them."""
    compiled: Function = numba.extending.register_jitable(function)
    return compiled


def inlined(function: Function) -> Function:
    """A function whose code is copied into the kernels that call it."""
    compiled: Function = numba.extending.register_jitable(inline="always")(function)
    return compiled


@part
def _check_word(memory: Any, at: Any) -> None:
    """A subscript alone would not do: numba drops one whose value nobody uses."""
    size = U64(memory.size)
    if at >= size or size - at < U64(8):
        raise IndexError("a word reaches out of its memory")


@inlined
def load_word(memory: Any, at: Any) -> Any:
    """8 bytes of uint8 `memory` from `at` on as uint64, little-endian, at any alignment."""
    if CHECKED:
        _check_word(memory, at)
    return _load_word(memory, at)


@inlined
def store_word(memory: Any, at: Any, word: Any) -> None:
    """Write a uint64 to 8 bytes of uint8 `memory` from `at` on, little-endian."""
    if CHECKED:
        _check_word(memory, at)
    _store_word(memory, at, word)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.IntType(64).as_pointer())


def _intrinsic(function: Any) -> Any:
    return numba.extending.intrinsic(function)


@_intrinsic
def _load_word(typing: Any, memory: Any, at: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start = arguments
        return builder.load(_pointer(context, builder, signature.args[0], array, start), align=1)

    return types.uint64(memory, types.uint64), code


@_intrinsic
def _store_word(typing: Any, memory: Any, at: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, value = arguments
        pointer = _pointer(context, builder, signature.args[0], array, start)
        builder.store(value, pointer, align=1)
        return context.get_dummy_value()

    return types.void(memory, types.uint64, types.uint64), code


@_intrinsic
def trailing_zeros(typing: Any, word: Any) -> Any:
    """Number of zero bits below the lowest set one of a uint64 that is not 0."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), code
