"""A design choice, measured: one direct table of 2**24 entries against a small perfect hash.

The perfect hash holds 4096 entries of `colour << 8 | index` in 16 KiB; its slot is
`colour * multiplier >> 20`, with a multiplier for which no two colours of the palette share a
slot. Both loops here go pixel by pixel and count unknown pixels: only the table differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Table, interleaved, stopwatch
from benchmarks.samples import blobs, noise, paint, voc_palette
from gpuseg.kernels import cpu
from gpuseg.kernels.lut import build_lookup, colour_keys, key_colours
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette

SLOTS = 4096
U64 = np.uint64


@dataclass(frozen=True, slots=True, eq=False)
class PerfectHash:
    """entries: uint32 (4096,). multiplier: odd, of 32 bits. tries: multipliers looked at."""

    entries: NDArray[np.uint32]
    multiplier: int
    tries: int


def perfect_hash(palette: Palette, seed: int = 1) -> PerfectHash:
    """A perfect hash of a palette of up to 256 colours. Raises ValueError if none is found."""
    keys = colour_keys(palette.colours)
    rng = np.random.default_rng(seed)
    for tries in range(1, 1_000_001):
        multiplier = np.uint32(rng.integers(1 << 32, dtype=np.uint32) | 1)
        slots = keys * multiplier >> np.uint32(20)
        if len(np.unique(slots)) == len(keys):
            # a free slot holds the first colour, which lies in another slot: no pixel matches it
            entries = np.full(SLOTS, keys[0] << np.uint32(8), np.uint32)
            entries[slots] = keys << np.uint32(8) | palette.indices.astype(np.uint32)
            return PerfectHash(entries, int(multiplier), tries)
    raise ValueError(f"no multiplier keeps the {len(keys)} colours of {palette.name} apart")


@numba.njit(nogil=True)
def _hashed(pixels: Any, entries: Any, multiplier: Any, labels: Any) -> Any:
    unknown = U64(0)
    for pixel in range(U64(labels.size)):
        at = U64(3) * pixel
        key = (
            U64(pixels[at])
            | U64(pixels[at + U64(1)]) << U64(8)
            | U64(pixels[at + U64(2)]) << U64(16)
        )
        entry = U64(entries[(key * multiplier & U64(0xFFFFFFFF)) >> U64(20)])
        labels[pixel] = entry
        if entry >> U64(8) != key:  # a rare branch: faster here than selecting the label
            labels[pixel] = U64(255)
            unknown += U64(1)
    return unknown


@numba.njit(nogil=True)
def _direct(pixels: Any, table: Any, labels: Any) -> Any:
    unknown = U64(0)
    for pixel in range(U64(labels.size)):
        at = U64(3) * pixel
        key = (
            U64(pixels[at])
            | U64(pixels[at + U64(1)]) << U64(8)
            | U64(pixels[at + U64(2)]) << U64(16)
        )
        entry = U64(table[key])
        labels[pixel] = entry & U64(255)
        unknown += entry >> U64(8) & U64(1)
    return unknown


def layouts(repeats: int, *, tiny: bool) -> Iterator[Table]:
    """Both tables on several contents, and what they cost to make."""
    shape = (24, 32) if tiny else (1024, 2048)
    for classes in (21, 256):
        yield _speed(shape, classes, repeats)
    yield _making(repeats)


def _contents(shape: tuple[int, int], classes: int) -> dict[str, NDArray[np.uint8]]:
    palette = voc_palette(classes)
    return {
        "blobs": paint(blobs(*shape, classes, seed=1), palette),
        "noise of palette colours": paint(noise(*shape, classes, seed=1), palette),
        "noise of all colours": np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8),
    }


def _speed(shape: tuple[int, int], classes: int, repeats: int) -> Table:
    palette = voc_palette(classes)
    options = IndexOptions(unknown="ignore", ignore_index=255 if classes < 256 else None)
    if classes == 256:  # every index is a class: the last one is given up for unknown colours
        palette = Palette(palette.classes[:255], name="voc-255")
    table = build_lookup(palette, options).table
    hashed = perfect_hash(palette)
    results = Table(f"Direct table against perfect hash: {shape[0]}×{shape[1]} px, K = {classes}")
    for content, mask in _contents(shape, classes).items():
        ways = _ways(mask, table, hashed)
        times = interleaved({name: stopwatch(way) for name, way in ways.items()}, repeats)
        outcomes = {name: way() for name, way in ways.items()}
        (labels, unknown), *others = outcomes.values()
        results.add(
            content=content,
            **{f"{name}__ms": 1e3 * taken.best for name, taken in times.items()},
            hash_by_direct=times["perfect_hash"].best / times["direct_table"].best,
            equal=all(np.array_equal(labels, o[0]) and unknown == o[1] for o in others),
        )
    results.notes.append(
        "One thread, best runs. The first two differ in the table alone; `gpuseg kernel` is the "
        "direct table in the word-wise loop that gpuseg uses."
    )
    return results


def _ways(
    mask: NDArray[np.uint8], table: NDArray[Any], hashed: PerfectHash
) -> dict[str, Callable[[], tuple[NDArray[np.uint8], int]]]:
    pixels = mask.reshape(-1)

    def direct() -> tuple[NDArray[np.uint8], int]:
        labels = np.empty(pixels.size // 3, np.uint8)
        return labels, int(_direct(pixels, table, labels))

    def perfect() -> tuple[NDArray[np.uint8], int]:
        labels = np.empty(pixels.size // 3, np.uint8)
        return labels, int(_hashed(pixels, hashed.entries, U64(hashed.multiplier), labels))

    def kernel() -> tuple[NDArray[np.uint8], int]:
        labels = np.empty(pixels.size // 3, np.uint8)
        unknown = np.zeros(1, np.int64)
        cpu.index_pixels(pixels, np.array([0, labels.size]), table, labels, unknown)
        return labels, int(unknown[0])

    return {"direct_table": direct, "perfect_hash": perfect, "gpuseg_kernel": kernel}


def _making(repeats: int) -> Table:
    results = Table("What the tables cost to make")
    drawn = np.random.default_rng(1).choice(1 << 24, 256, replace=False).astype(np.uint32)
    random = Palette.from_colours(key_colours(drawn), name="256 random colours")
    for palette in (voc_palette(21), voc_palette(256), random):
        made = []
        for turn in range(repeats):
            start = perf_counter()
            np.full(1 << 24, 512, np.uint16)[colour_keys(palette.colours)] = palette.indices
            middle = perf_counter()
            found = perfect_hash(palette, seed=turn + 1)
            made.append((middle - start, perf_counter() - middle, found.tries))
        direct, search, tries = (sorted(column) for column in zip(*made, strict=True))
        results.add(
            palette=palette.name,
            direct_table__ms=1e3 * direct[len(direct) // 2],
            direct_table__KiB=(2 << 24) // 1024,
            perfect_hash__ms=1e3 * search[len(search) // 2],
            perfect_hash__KiB=4 * SLOTS // 1024,
            tries=int(tries[len(tries) // 2]),
            most_tries=int(tries[-1]),
        )
    results.notes.append("Medians; the perfect hash with another seed each time.")
    return results
