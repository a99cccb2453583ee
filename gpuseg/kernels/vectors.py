"""8 and 64 bytes of memory at once, at any alignment: what numba has no words for.

Vectors of 64 bytes become whatever the processor has (one register of AVX-512, two of AVX2,
four of SSE2 or NEON). Comparing two gives 64 bits, the first byte's lowest.
"""

from __future__ import annotations

from typing import Any

from gpuseg.kernels.jit import CHECKED, U64, inlined, intrinsic, ir, part, types

STEP = U64(64)
"""Bytes of a vector."""


@part
def _check(memory: Any, at: Any, size: Any) -> None:
    """A subscript alone would not do: numba drops one whose value nobody uses."""
    if at >= U64(memory.size) or U64(memory.size) - at < size:
        raise IndexError("a vector reaches out of its memory")


@inlined
def load_word(memory: Any, at: Any) -> Any:
    """8 bytes of uint8 `memory` from `at` on as uint64, the first byte lowest."""
    if CHECKED:
        _check(memory, at, U64(8))
    return _load_word(memory, at)


@inlined
def nonzero_bits(memory: Any, at: Any) -> Any:
    """Which of the 64 bytes from `at` on are not zero."""
    if CHECKED:
        _check(memory, at, STEP)
    return _nonzero_bits(memory, at)


@inlined
def equal_bits(memory: Any, at: Any, byte: Any) -> Any:
    """Which of the 64 bytes from `at` on are one byte, uint8."""
    if CHECKED:
        _check(memory, at, STEP)
    return _equal_bits(memory, at, byte)


@inlined
def unequal_bits(memory: Any, at: Any, other: Any, place: Any) -> Any:
    """Which of the 64 bytes of `memory` from `at` on differ from those of `other`."""
    if CHECKED:
        _check(memory, at, STEP)
        _check(other, place, STEP)
    return _unequal_bits(memory, at, other, place)


@inlined
def unequal_step_bits(memory: Any, at: Any, back: Any) -> Any:
    """Where the step from the byte `back` before is not the one that its left neighbour made.

    For the 64 bytes from `at` on; steps are differences modulo 256.
    """
    if CHECKED:
        _check(memory, at, STEP)
        _check(memory, at - back - U64(1), STEP)
    return _unequal_step_bits(memory, at, back)


@inlined
def fill_bytes(memory: Any, at: Any, byte: Any) -> None:
    """Write one byte to all 64 from `at` on."""
    if CHECKED:
        _check(memory, at, STEP)
    _fill_bytes(memory, at, byte)


@inlined
def store_word(memory: Any, at: Any, word: Any) -> None:
    """Write a uint64 to the 8 bytes from `at` on, its lowest byte first."""
    if CHECKED:
        _check(memory, at, U64(8))
    _store_word(memory, at, word)


@inlined
def store_past_caches(memory: Any, at: Any, source: Any, place: Any) -> None:
    """Write 64 bytes of `source` to the 64 from `at` on, whose address is a multiple of 64.

    Other threads and devices see them after `finish_stores`.
    """
    if CHECKED:
        _check(memory, at, STEP)
        _check(source, place, STEP)
    _store_past_caches(memory, at, source, place)


_WORD = ir.IntType(64)
_BYTE = ir.IntType(8)
_VECTOR = ir.VectorType(_BYTE, 64)


def _pointer(context: Any, builder: Any, kind: Any, place: Any, to: Any) -> Any:
    """Address of a place (array, offset), of type `to`; kind: numba's type of the array."""
    array, at = place
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), to.as_pointer())


def _vector(context: Any, builder: Any, kind: Any, place: Any) -> Any:
    return builder.load(_pointer(context, builder, kind, place, _VECTOR), align=1)


def _bits(builder: Any, left: Any, right: Any) -> Any:
    return builder.bitcast(builder.icmp_unsigned("!=", left, right), _WORD)


def _filled(builder: Any, byte: Any) -> Any:
    """A vector of one byte."""
    start = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(start, byte, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
    return builder.shuffle_vector(first, start, zeros)


@intrinsic
def _load_word(typing: Any, memory: Any, at: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments, _WORD)
        return builder.load(pointer, align=1)

    return types.uint64(memory, types.uint64), code


@intrinsic
def _store_word(typing: Any, memory: Any, at: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[:2], _WORD)
        builder.store(arguments[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(memory, types.uint64, types.uint64), code


@intrinsic
def _nonzero_bits(typing: Any, memory: Any, at: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _vector(context, builder, signature.args[0], arguments)
        return _bits(builder, vector, ir.Constant(_VECTOR, [0] * 64))

    return types.uint64(memory, types.uint64), code


@intrinsic
def _equal_bits(typing: Any, memory: Any, at: Any, byte: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _vector(context, builder, signature.args[0], arguments[:2])
        same = builder.icmp_unsigned("==", vector, _filled(builder, arguments[2]))
        return builder.bitcast(same, _WORD)

    return types.uint64(memory, types.uint64, types.uint8), code


@intrinsic
def _unequal_bits(typing: Any, memory: Any, at: Any, other: Any, place: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left = _vector(context, builder, signature.args[0], arguments[:2])
        right = _vector(context, builder, signature.args[2], arguments[2:])
        return _bits(builder, left, right)

    return types.uint64(memory, types.uint64, other, types.uint64), code


@intrinsic
def _unequal_step_bits(typing: Any, memory: Any, at: Any, back: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, here, distance = arguments
        one = ir.Constant(_WORD, 1)
        there = builder.sub(here, distance)
        places = (here, there, builder.sub(here, one), builder.sub(there, one))
        kind = signature.args[0]
        now, above, left, corner = (
            _vector(context, builder, kind, (array, place)) for place in places
        )
        return _bits(builder, builder.sub(now, above), builder.sub(left, corner))

    return types.uint64(memory, types.uint64, types.uint64), code


@intrinsic
def _fill_bytes(typing: Any, memory: Any, at: Any, byte: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[:2], _VECTOR)
        builder.store(_filled(builder, arguments[2]), pointer, align=1)
        return context.get_dummy_value()

    return types.void(memory, types.uint64, types.uint8), code


@intrinsic
def _store_past_caches(typing: Any, memory: Any, at: Any, source: Any, place: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _vector(context, builder, signature.args[2], arguments[2:])
        pointer = _pointer(context, builder, signature.args[0], arguments[:2], _VECTOR)
        store = builder.store(vector, pointer, align=64)
        mark = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        store.set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(memory, types.uint64, source, types.uint64), code


@intrinsic
def finish_stores(typing: Any) -> Any:
    """Wait until all that was written can be seen, also past the caches."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def trailing_zeros(typing: Any, word: Any) -> Any:
    """Number of zero bits below the lowest set one of a uint64 that is not 0."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), code


@intrinsic
def count_ones(typing: Any, word: Any) -> Any:
    """Number of set bits of a uint64."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code
