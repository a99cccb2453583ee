"""Arithmetic on the 8 bytes of a 64-bit word at once (Hacker's Delight, 2-18)."""

from __future__ import annotations

from typing import Any

from gpuseg.kernels.jit import U64, inlined

EACH_BYTE = 0x0101010101010101
LOW = U64(0x7F * EACH_BYTE)
TOP = U64(0x80 * EACH_BYTE)


@inlined
def add_bytes(left: Any, right: Any) -> Any:
    """Sums of the bytes of two words, each modulo 256."""
    return (left & LOW) + (right & LOW) ^ (left ^ right) & TOP
