"""Runs of bytes as blocks of a DEFLATE stream (RFC 1951): a literal, then copies of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.huffman import canonical_codes, code_lengths
from gpuseg.kernels.jit import U64, inlined, njit, part
from gpuseg.kernels.vectors import store_word

END, SYMBOLS = 256, 286
"""Symbols below 256 are bytes, 256 ends a block, those above are lengths of matches."""

LONGEST, SHORTEST = U64(258), U64(3)
"""Bytes of a match."""

HEADER_BYTES = 300
"""More than what stands before and after the runs of a block takes: 1,506 bits and 15."""

ADLER = U64(65521)
"""Modulus of Adler-32 (RFC 1950)."""

ZEROS, MANY_ZEROS = 17, 18
"""Symbols for 3 to 10 and for 11 to 138 code lengths of 0 (RFC 1951, 3.2.7)."""

ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""Order in which the lengths of their own codes stand (RFC 1951, 3.2.7)."""

RARE = (1, 2, 13, 14, 15, 16)
"""Code lengths whose codes have 5 bits; those of the 13 others have 4. Codes that fit each block
would save a few bytes of it, and take longer to find and to compile."""

WORD, BITS, SUM, SUM_OF_SUMS = range(4)
"""State: bits that are not written yet and how many (below 8), the two sums of Adler-32."""


def _matches() -> NDArray[np.uint64]:
    """Symbol, extra bits and how many, of matches of 0 to 258 bytes: (3, 259) (RFC 1951, 3.2.5)."""
    table = np.zeros((3, 259), np.uint64)
    length = 3
    for k in range(28):
        bits = max(0, k // 4 - 1)
        for extra in range(1 << bits):
            table[:, min(length, 258)] = END + 1 + k, extra, bits
            length += 1
    table[:, 258] = SYMBOLS - 1, 0, 0
    return table


def _length_codes() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Codes of the code lengths and how many bits they have, uint64 (19,)."""
    sizes = np.array([5 if length in RARE else 4 for length in range(19)], np.uint64)
    codes = np.zeros(19, np.uint64)
    canonical_codes(sizes, codes)
    return codes, sizes


SYMBOL, EXTRA, EXTRA_BITS = range(3)
MATCHES = _matches()
LENGTH_CODES, LENGTH_SIZES = _length_codes()


def begin() -> NDArray[np.uint64]:
    """The state before the first block, uint64 (4,)."""
    return np.array([0, 0, 1, 0], np.uint64)


def most_bytes(size: int) -> int:
    """More than a block of runs that are `size` bytes together takes.

    A literal takes 15 bits at most, a match of 3 bytes or more 15 + 5 + 1.
    """
    return HEADER_BYTES + 2 * size


def write(
    runs: NDArray[np.uint64], count: int, last: bool, state: NDArray[np.uint64], out: Any
) -> int:
    """Write runs, `byte | length << 8`, as a block of its own codes; returns its bytes.

    out: uint8, `most_bytes`. Up to 7 bits wait in the state for the next block.
    """
    return int(_write(runs, count, last, state, out))


def checksum(state: NDArray[np.uint64]) -> bytes:
    """Adler-32 of all that was written."""
    return (int(state[SUM_OF_SUMS]) << 16 | int(state[SUM])).to_bytes(4, "big")


@njit
def _write(runs: Any, count: Any, last: Any, state: Any, out: Any) -> Any:
    count = U64(count)
    counts = np.zeros(SYMBOLS, np.uint64)
    _add_up(runs, count, state, counts)
    counts[END] = U64(1)
    lengths, codes = np.zeros(SYMBOLS, np.uint64), np.zeros(SYMBOLS, np.uint64)
    code_lengths(counts, lengths)
    canonical_codes(lengths, codes)
    header = np.empty(SYMBOLS + 22, np.uint64)
    at, word, bits = U64(0), state[WORD], state[BITS]
    for k in range(_header(lengths, last, header)):
        at, word, bits = _append(out, at, word, bits, header[k] >> U64(8), header[k] & U64(255))
    at, word, bits = _write_runs(runs, count, lengths, codes, out, at, word, bits)
    at, word, bits = _append(out, at, word, bits, codes[END], lengths[END])
    if last and bits:
        at += U64(1)  # its byte is there already
    state[WORD], state[BITS] = word, bits
    return at


@part
def _add_up(runs: Any, count: Any, state: Any, counts: Any) -> None:
    """Count the symbols of runs, and go on with Adler-32."""
    first, second = state[SUM], state[SUM_OF_SUMS]
    for k in range(count):
        byte, length = runs[k] & U64(255), runs[k] >> U64(8)
        rest = length - U64(1)
        counts[byte] += U64(1)
        if rest >= SHORTEST:
            counts[SYMBOLS - 1] += rest // LONGEST
            rest %= LONGEST
        if rest >= SHORTEST:
            counts[MATCHES[SYMBOL, rest]] += U64(1)
        else:
            counts[byte] += rest
        while length:  # in parts, so that the sums stay far below 2**64
            some = min(length, U64(1 << 16))
            second += some * first + byte * (some * (some + U64(1)) >> U64(1))
            first += some * byte
            length -= some
            if first >= U64(1 << 24):
                first, second = first % ADLER, second % ADLER
    state[SUM], state[SUM_OF_SUMS] = first % ADLER, second % ADLER


@inlined
def _append(out: Any, at: Any, word: Any, bits: Any, code: Any, size: Any) -> Any:
    """Add the `size` bits of a code, up to 32, to those of a word that wait, up to 7."""
    word |= code << bits
    bits += size
    store_word(out, at, word)
    return at + (bits >> U64(3)), word >> (bits & ~U64(7)), bits & U64(7)


@part
def _write_runs(
    runs: Any, count: Any, lengths: Any, codes: Any, out: Any, at: Any, word: Any, bits: Any
) -> Any:
    matches = np.zeros((2, 259), np.uint64)
    for length in range(3, 259):  # symbol, extra bits, and one bit for the distance of 1
        symbol = MATCHES[SYMBOL, length]
        size = lengths[symbol]
        matches[0, length] = codes[symbol] | MATCHES[EXTRA, length] << size
        matches[1, length] = size + MATCHES[EXTRA_BITS, length] + U64(1)
    for k in range(count):
        byte, rest = runs[k] & U64(255), (runs[k] >> U64(8)) - U64(1)
        code, size = codes[byte], lengths[byte]
        at, word, bits = _append(out, at, word, bits, code, size)
        while rest >= SHORTEST:
            some = min(rest, LONGEST)
            at, word, bits = _append(out, at, word, bits, matches[0, some], matches[1, some])
            rest -= some
        while rest:
            at, word, bits = _append(out, at, word, bits, code, size)
            rest -= U64(1)
    return at, word, bits


@part
def _header(lengths: Any, last: Any, header: Any) -> Any:
    """The kind of a block and the lengths of all its codes (RFC 1951, 3.2.7).

    header: uint64 (SYMBOLS + 22,), written, `bits << 8 | how many`; returns how many items.
    """
    size = U64(SYMBOLS)
    while not lengths[size - U64(1)]:  # ends at END at the latest
        size -= U64(1)
    # last or not, codes of its own; how many lengths: of symbols, of distances (1), of lengths
    kind = U64(last) | U64(4) | size - U64(END + 1) << U64(3) | U64(15 << 13)
    header[0] = kind << U64(8) | U64(17)
    used = U64(1)
    for length in ORDER:
        header[used] = LENGTH_SIZES[length] << U64(8) | U64(3)
        used += U64(1)
    at = U64(0)
    while at < size:
        zeros = U64(0)
        while at + zeros < size and not lengths[at + zeros] and zeros < U64(138):
            zeros += U64(1)
        symbol, extra, more = lengths[at], U64(0), U64(0)
        if zeros >= U64(11):
            symbol, extra, more = U64(MANY_ZEROS), zeros - U64(11), U64(7)
        elif zeros >= SHORTEST:
            symbol, extra, more = U64(ZEROS), zeros - SHORTEST, U64(3)
        bits = LENGTH_SIZES[symbol]
        header[used] = (LENGTH_CODES[symbol] | extra << bits) << U64(8) | bits + more
        used += U64(1)
        at += zeros if more else U64(1)
    header[used] = LENGTH_CODES[1] << U64(8) | LENGTH_SIZES[1]  # the distance of 1: one bit
    return used + U64(1)
