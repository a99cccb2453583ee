"""Huffman codes of limited length, as DEFLATE wants them (RFC 1951, 3.2.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuseg.kernels.jit import U64, part

MOST_BITS = 15
"""Of a code in DEFLATE."""


@part
def code_lengths(counts: Any, lengths: Any) -> None:
    """The bits of each symbol's code, at most 15; 0 for symbols that do not occur.

    counts: uint64 (N,), how often each occurs; two of them do at least. lengths: uint64 (N,),
    zeros, written. The codes are as short as can be, unless one would be too long: then counts
    are halved, as often as it takes, which makes rare symbols less rare.
    """
    leaves = np.empty(counts.size, np.uint64)
    weights, parents = np.empty(2 * counts.size, np.uint64), np.empty(2 * counts.size, np.uint64)
    halvings, longest = U64(0), U64(MOST_BITS + 1)
    while longest > U64(MOST_BITS):
        used = _sort(counts, halvings, leaves)
        for k in range(used):
            weights[k] = leaves[k] >> U64(16)
        leaf, inner, root = U64(0), used, used + used - U64(2)
        for node in range(used, root + U64(1)):  # joins the two lightest, queues of both kinds
            weights[node] = 0
            for _ in range(2):
                child = inner
                if leaf < used and (inner >= node or weights[leaf] <= weights[inner]):
                    child = leaf
                    leaf += U64(1)
                else:
                    inner += U64(1)
                weights[node] += weights[child]
                parents[child] = node
        weights[root] = 0  # from here on they are depths
        longest = U64(0)
        for k in range(root):
            node = root - U64(1) - k
            weights[node] = weights[parents[node]] + U64(1)
            longest = max(longest, weights[node])
        halvings += U64(1)
    for k in range(used):
        lengths[leaves[k] & U64(0xFFFF)] = weights[k]


@part
def _sort(counts: Any, halvings: Any, leaves: Any) -> Any:
    """The symbols that occur, `count << 16 | symbol`, ascending; returns how many they are."""
    used = U64(0)
    for symbol in range(U64(counts.size)):
        if counts[symbol]:
            leaf = ((counts[symbol] - U64(1) >> halvings) + U64(1)) << U64(16) | symbol
            place = used  # few symbols occur: it does not take long to move others up
            while place and leaves[place - U64(1)] > leaf:
                leaves[place] = leaves[place - U64(1)]
                place -= U64(1)
            leaves[place] = leaf
            used += U64(1)
    return used


@part
def canonical_codes(lengths: Any, codes: Any) -> None:
    """Codes from their lengths, the first bit lowest. codes: uint64 (N,), written."""
    code = U64(0)
    for length in range(U64(1), U64(MOST_BITS + 1)):
        for symbol in range(U64(lengths.size)):
            if lengths[symbol] == length:
                mirrored = U64(0)
                for k in range(length):
                    mirrored = mirrored << U64(1) | code >> k & U64(1)
                codes[symbol] = mirrored
                code += U64(1)
        code <<= U64(1)
