"""Label maps to the filtered scanlines of an RGB PNG, the pixels of which are never written.

Three filters of PNG leave zeros where labels say that they do, before any colour is looked at:
Sub where a label is that of its left neighbour, Up where it is that above, and Paeth where its
neighbours to the left, above, and left above tell it (PNG specification, 9.4): where the last two
are the same, it is the left one's; where the outer two are, the one above. So borders that go
straight cost Paeth nothing, and what is left are corners: 3 bytes among zeros. Each row takes the
filter that leaves the fewest pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit, part
from gpuseg.kernels.vectors import STEP, count_ones, trailing_zeros, unequal_bits

SUB, UP, PAETH = 1, 2, 4
"""Their numbers in a scanline's filter byte."""


def filter_colours(
    labels: NDArray[np.uint8], colours: NDArray[np.uint32], lines: NDArray[np.uint8]
) -> None:
    """The filtered scanlines of the colours of a label map, RGB of 8 bits.

    labels: uint8 (H, W), C-contiguous. colours: uint32 (256,), `r | g << 8 | b << 16` of each.
    lines: uint8 (H * (1 + 3 * W),), written.
    """
    width = labels.shape[1]
    bits_of = np.empty((3, -(-width // 64)), np.uint64)
    _filter(labels.reshape(-1), colours, width, lines, bits_of)


@njit
def _filter(labels: Any, colours: Any, width: Any, lines: Any, bits_of: Any) -> None:
    width = U64(width)
    words = (width + U64(62)) // STEP
    for k in range(U64(lines.size)):
        lines[k] = 0
    for y in range(U64(labels.size) // width):
        start, to = y * width, y * (U64(1) + U64(3) * width)
        kind = _choose(labels, start, width, bits_of)
        lines[to] = kind
        to += U64(1)
        _store(lines, to, _residual(labels, colours, start, True, kind, width))
        line = U64(2) if kind == U64(PAETH) else kind - U64(1)
        for word in range(words):
            bits = bits_of[line, word]
            while bits:
                x = word * STEP + U64(1) + trailing_zeros(bits)
                bits &= bits - U64(1)
                left = _residual(labels, colours, start + x, False, kind, width)
                _store(lines, to + U64(3) * x, left)


@inlined
def _store(lines: Any, at: Any, word: Any) -> None:
    """Write the 3 bytes of a word, the lowest first."""
    lines[at] = word & U64(255)
    lines[at + U64(1)] = word >> U64(8) & U64(255)
    lines[at + U64(2)] = word >> U64(16) & U64(255)


@part
def _choose(labels: Any, start: Any, width: Any, bits_of: Any) -> Any:
    """The filter of the row that begins at `start`, of those that leave the fewest pixels
    the first of Up, Sub and Paeth.

    bits_of: uint64 (3, N), written: which pixels Sub, Up and Paeth leave. Bit k of word j is the
    pixel 1 + 64 * j + k. Below the first row only Sub is looked at.
    """
    of_sub = of_up = of_paeth = word = U64(0)
    at, end = start + U64(1), start + width
    while at < end:
        left, above, corner, beside = _differences(labels, at, width, start > U64(0))
        inside = ~U64(0) if at + STEP <= end else (U64(1) << end - at) - U64(1)
        paeth = (left | corner) & (above | beside) | corner & beside
        bits_of[0, word] = left & inside
        bits_of[1, word] = above & inside
        bits_of[2, word] = paeth & inside
        of_sub += count_ones(left & inside)
        of_up += count_ones(above & inside)
        of_paeth += count_ones(paeth & inside)
        at += STEP
        word += U64(1)
    if start and of_up <= min(of_sub, of_paeth):
        return U64(UP)
    return U64(SUB) if not start or of_sub <= of_paeth else U64(PAETH)


@part
def _differences(labels: Any, at: Any, width: Any, below: Any) -> Any:
    """Of 64 pixels from `at` on: which differ from their left neighbour, and from the one above;
    where the one above differs from the one left above, and the left one from that.

    below: there is a row above. Pixels behind the last of the image differ from nothing.
    """
    one, left, above, corner, beside = U64(1), U64(0), U64(0), U64(0), U64(0)
    if at + STEP <= U64(labels.size):
        left = unequal_bits(labels, at, labels, at - one)
        if below:
            above = unequal_bits(labels, at, labels, at - width)
            corner = unequal_bits(labels, at - width, labels, at - width - one)
            beside = unequal_bits(labels, at - one, labels, at - width - one)
    else:
        for k in range(U64(labels.size) - at):
            here = at + k
            left |= U64(labels[here] != labels[here - one]) << k
            if below:
                up = here - width
                above |= U64(labels[here] != labels[up]) << k
                corner |= U64(labels[up] != labels[up - one]) << k
                beside |= U64(labels[here - one] != labels[up - one]) << k
    return left, above, corner, beside


@inlined
def _residual(labels: Any, colours: Any, at: Any, is_first: Any, kind: Any, width: Any) -> Any:
    """What a filter leaves of the colour of pixel `at`: 3 bytes in a word, the first lowest."""
    one = U64(1)
    a = b = c = U64(0)  # the pixels to the left, above, and left above
    if kind != U64(UP) and not is_first:
        a = U64(colours[labels[at - one]])
    if kind != U64(SUB):
        b = U64(colours[labels[at - width]])
        if kind == U64(PAETH) and not is_first:
            c = U64(colours[labels[at - width - one]])
    # of Sub and Up, and of Paeth in the usual cases, one neighbour is the guess for all channels
    if b == c:
        guess = a
    elif a == c:
        guess = b
    else:
        guess = _paeth(a, b, c)
    colour, tops = U64(colours[labels[at]]), U64(0x808080)
    # bytes are subtracted side by side: their top bits keep a borrow from the next
    return ((colour | tops) - (guess & ~tops)) ^ ((colour ^ guess ^ tops) & tops)


@part
def _paeth(left: Any, above: Any, corner: Any) -> Any:
    """Of each channel the neighbour that is nearest to left + above - corner (PNG, 9.4)."""
    word = U64(0)
    for k in range(U64(3)):
        shift = U64(8) * k
        a, b, c = left >> shift & U64(255), above >> shift & U64(255), corner >> shift & U64(255)
        from_a = b - c if b > c else c - b
        from_b = a - c if a > c else c - a
        twice = U64(2) * c
        from_c = a + b - twice if a + b > twice else twice - a - b
        if from_a > from_b or from_a > from_c:
            a = b if from_b <= from_c else c
        word |= a << shift
    return word
