"""What is risky about a palette: colours too near, BGR look-alikes, gaps, reserved indices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.options import Depth
from gpuseg.palette import Palette, PaletteClass
from gpuseg.palette_entries import find_duplicates

Severity = Literal["info", "warning", "error"]

NEAR = 6.0
"""Colours nearer than this (Euclidean distance in RGB) look alike and are easily mixed up."""

MAX_DISTANCE = math.sqrt(3) * 255
"""The largest distance of two colours: black to white, 441.7."""

_SHOWN = 5  # pairs named in one message
_BLOCK = 512  # colours compared with all others at a time: bounds the memory


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a palette.

    code: stable word: `duplicate`, `depth`, `reserved-index`, `near-colours`, `bgr`,
        `merged`, `unverified`, `tolerance`, `shared-index` or `index-gap`.
    severity: `error` (cannot be converted so), `warning` (labels may come out wrong)
        or `info`.
    """

    code: str
    severity: Severity
    message: str


def lint_palette(palette: Palette, depth: Depth = 8) -> list[Finding]:
    """All findings, errors first, then warnings, then infos."""
    found = [
        *_depth(palette, depth),
        *_reserved(palette, depth),
        *_near(palette),
        *_bgr(palette),
        *_merged(palette),
        *_unverified(palette),
        *_tolerance(palette),
        *_shared(palette),
        *_gaps(palette),
    ]
    rank = ("error", "warning", "info")
    return sorted(found, key=lambda finding: rank.index(finding.severity))


def lint_entries(classes: Iterable[PaletteClass]) -> list[Finding]:
    """One error for each repeated colour of entries that are no Palette yet."""
    return [
        Finding(
            "duplicate",
            "error",
            f"{group[0].hex} is one colour of {len(group)} classes: "
            + ", ".join(_label(entry) for entry in group),
        )
        for group in find_duplicates(classes).values()
    ]


def unambiguous_tolerance(palette: Palette) -> float:
    """The largest tolerance at which no colour is within reach of two palette colours.

    Just below half the least Euclidean distance in RGB (the metric of
    `options.IndexOptions`) of two colours; MAX_DISTANCE for a palette of one colour.
    """
    least = min((d for d, _, _ in _closest(palette.colours)), default=None)
    return MAX_DISTANCE if least is None else math.nextafter(math.sqrt(least) / 2, 0)


def _closest(colours: NDArray[np.uint8]) -> Iterator[tuple[int, int, int]]:
    """(squared distance, i, j) of the nearest pairs: for each colour i, its nearest j > i."""
    wide = colours.astype(np.int32)
    for start in range(0, len(wide) - 1, _BLOCK):
        block = wide[start : min(start + _BLOCK, len(wide) - 1)]
        rest = wide[start:]
        squares = np.zeros((len(block), len(rest)), np.int32)
        for channel in range(3):
            squares += (block[:, None, channel] - rest[None, :, channel]) ** 2
        squares[np.tri(len(block), len(rest), dtype=bool)] = np.iinfo(np.int32).max
        for i, j in enumerate(squares.argmin(axis=1)):
            yield int(squares[i, j]), start + i, start + int(j)


def _depth(palette: Palette, depth: Depth) -> Iterator[Finding]:
    top = (1 << depth) - 1
    if palette.max_index > top:
        advice = "use --depth 16" if depth == 8 else "renumber the classes"
        yield Finding(
            "depth",
            "error",
            f"indices go up to {palette.max_index} ({len(palette)} colours), depth {depth} "
            f"holds 0 to {top}; {advice}",
        )


def _reserved(palette: Palette, depth: Depth) -> Iterator[Finding]:
    top = (1 << depth) - 1
    if palette.is_real_class(top):
        entry = palette.first_by_index()[top]
        yield Finding(
            "reserved-index",
            "warning",
            f"{_label(entry)} has the index {top}, which training code takes for 'ignore'; "
            "give the class another index",
        )


def _near(palette: Palette) -> Iterator[Finding]:
    index = palette.indices
    pairs = sorted(p for p in _closest(palette.colours) if p[0] < NEAR**2)
    pairs = [(d, i, j) for d, i, j in pairs if index[i] != index[j]]
    if pairs:
        shown = "; ".join(
            f"{_label(palette.classes[i])} {palette.classes[i].hex} and "
            f"{_label(palette.classes[j])} {palette.classes[j].hex} ({math.sqrt(d):.1f})"
            for d, i, j in pairs[:_SHOWN]
        )
        yield Finding(
            "near-colours",
            "warning",
            f"these colours are less than {NEAR:g} RGB steps from another class: "
            f"{shown}{_more(len(pairs))}; one wrong pixel value turns one into the other",
        )


def _bgr(palette: Palette) -> Iterator[Finding]:
    by_colour = {entry.rgb: entry for entry in palette.classes}
    pairs = []
    for entry in palette.classes:
        red, green, blue = entry.rgb
        other = by_colour.get((blue, green, red))
        if other is not None and other.index != entry.index and entry.rgb < other.rgb:
            pairs.append(f"{_label(entry)} and {_label(other)}")
    if pairs:
        yield Finding(
            "bgr",
            "warning",
            "with red and blue exchanged (masks saved by OpenCV as RGB) these classes swap "
            f"and no unknown colour tells: {'; '.join(pairs[:_SHOWN])}{_more(len(pairs))}",
        )


def _merged(palette: Palette) -> Iterator[Finding]:
    if palette.merged:
        pairs = [f"{m.name!r} reads as {m.kept!r}" for m in palette.merged]
        yield Finding(
            "merged",
            "warning",
            f"given up because another class has their colour ({len(pairs)}): "
            f"{'; '.join(pairs[:_SHOWN])}{_more(len(pairs))}",
        )


def _unverified(palette: Palette) -> Iterator[Finding]:
    if not palette.verified:
        yield Finding(
            "unverified",
            "warning",
            "this table was not checked against the owner of the dataset; compare it with a "
            "mask before you trust it",
        )


def safe_tolerance(palette: Palette) -> float:
    """`unambiguous_tolerance`, rounded down to hundredths, as people give it."""
    return math.floor(unambiguous_tolerance(palette) * 100) / 100


def _tolerance(palette: Palette) -> Iterator[Finding]:
    value = safe_tolerance(palette)
    yield Finding(
        "tolerance",
        "info",
        f"no colour is within {value:.2f} RGB steps of two palette colours; a larger "
        "--tolerance may pick between classes",
    )


def _shared(palette: Palette) -> Iterator[Finding]:
    counts: dict[int, int] = {}
    for entry in palette.classes:
        counts[entry.index] = counts.get(entry.index, 0) + 1
    several = [f"{index} ({n})" for index, n in sorted(counts.items()) if n > 1]
    if several:
        yield Finding(
            "shared-index",
            "info",
            f"indices of several colours: {', '.join(several[:_SHOWN])}{_more(len(several))}; "
            "label maps are painted with the first colour of each",
        )


def _gaps(palette: Palette) -> Iterator[Finding]:
    used = sorted(set(palette.label_indices) - {palette.ignore_index})
    if not used:
        return
    ignored = {palette.ignore_index} if palette.ignore_index is not None else set()
    previous, gaps = -1, []
    for index in sorted({*used, *(i for i in ignored if i < used[-1])}):
        if index > previous + 1:
            first, last = previous + 1, index - 1
            gaps.append(str(first) if first == last else f"{first}-{last}")
        previous = index
    if gaps:
        yield Finding(
            "index-gap",
            "info",
            f"no class has the indices {', '.join(gaps[:_SHOWN])}{_more(len(gaps))}; "
            f"models need {used[-1] + 1} outputs for {len(used)} classes",
        )


def _label(entry: PaletteClass) -> str:
    return f"{entry.name!r} ({entry.index})"


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
