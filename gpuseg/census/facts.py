"""What a report tells of one image: small enough to be sent from process to process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gpuseg.census.image import Alpha, Census
from gpuseg.census.presets import match_palette
from gpuseg.census.verdicts import Verdict
from gpuseg.kernels.lut import colour_keys

SHOWN_COLOURS = 20
"""Colours of one image that are told, the most frequent first."""

SHOWN_INDICES = 256
"""Indices of one image that are told; only 16-bit images have more."""

_FORMATS = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
_FORMATS |= {".gif": "GIF", ".jpg": "JPEG", ".jpeg": "JPEG"}


class Facts(NamedTuple):
    """What one image is (a tuple, for there is one for each file).

    verdict: in words. kind, bits, interlaced, frames, alpha: as in `Census`.
    entries, palette: how many colours its palette has, and which preset it is.
    indices: (index, pixels) of a palette or grey image, ascending. colours: (key, pixels) of an
    RGB image, the most frequent first; key is `r | g << 8 | b << 16`. different: how many
    indices or colours there are, told or not. made_by_gpuseg: whether it has our fingerprint,
    unknown: how many pixels then had an unknown colour.
    """

    verdict: Verdict
    kind: str
    bits: int
    interlaced: bool = False
    frames: int = 1
    alpha: Alpha | None = None
    entries: int = 0
    palette: str = ""
    indices: tuple[tuple[int, int], ...] = ()
    colours: tuple[tuple[int, int], ...] = ()
    index_colours: tuple[int, ...] = ()
    different: int = 0
    made_by_gpuseg: bool = False
    unknown: int = 0

    def row(self) -> Mapping[str, Any]:
        """Its part of the file's row, for JSON."""
        row: dict[str, Any] = {
            "verdict": self.verdict.code,
            "words": self.verdict.words,
            "kind": self.kind,
            "bits": self.bits,
            "interlaced": self.interlaced,
        }
        if self.verdict.preset:
            row["preset"] = self.verdict.preset
        if self.verdict.encoding:
            row["encoding"] = self.verdict.encoding
        if self.entries:
            row["palette_entries"], row["palette"] = self.entries, self.palette
        if self.alpha is not None:
            row["alpha"] = {
                "values": self.alpha.values,
                "least": self.alpha.least,
                "largest": self.alpha.largest,
                "transparent_pixels": self.alpha.clear,
            }
        if self.frames > 1:
            row["frames"] = self.frames
        if self.indices:
            row["indices"] = {str(index): pixels for index, pixels in self.indices}
        if self.index_colours:
            row["index_colours"] = [hex_of(key) for key in self.index_colours]
        if self.colours:
            row["colours"] = [{"hex": hex_of(key), "pixels": n} for key, n in self.colours]
        row["different"] = self.different
        if self.made_by_gpuseg:
            row["made_by_gpuseg"], row["unknown_replaced"] = True, self.unknown
        return row


def hex_of(key: int) -> str:
    """`#rrggbb` of a key."""
    return f"#{key & 255:02x}{key >> 8 & 255:02x}{key >> 16:02x}"


def facts_of(census: Census, verdict: Verdict) -> Facts:
    """What is told of an image."""
    match = match_palette(census.plte) if census.plte else None
    values, counts = census.values, census.counts
    if census.kind == "RGB":
        if len(values) > 4 * SHOWN_COLOURS:  # those that are too rare to be told need no order
            common = counts >= np.partition(counts, -SHOWN_COLOURS)[-SHOWN_COLOURS]
            values, counts = values[common], counts[common]
    elif len(values) > SHOWN_INDICES:
        values, counts = values[:SHOWN_INDICES], counts[:SHOWN_INDICES]
    pairs = tuple(zip(values.tolist(), counts.tolist(), strict=True))
    if census.kind == "RGB":
        pairs = tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:SHOWN_COLOURS])
    own: tuple[int, ...] = ()
    if census.plte and match is None:
        table = np.frombuffer(census.plte, np.uint8).reshape(-1, 3)
        inside = census.values[census.values < len(table)]
        own = tuple(colour_keys(table[inside]).tolist())
    return Facts(
        verdict=verdict,
        kind=census.kind,
        bits=census.bits,
        interlaced=census.interlaced,
        frames=census.frames,
        alpha=census.alpha,
        entries=census.entries,
        palette=str(match) if match is not None else "",
        indices=pairs if census.kind != "RGB" else (),
        colours=pairs if census.kind == "RGB" else (),
        index_colours=own,
        different=len(census.values),
        made_by_gpuseg=census.fingerprint is not None,
        unknown=census.fingerprint.unknown if census.fingerprint is not None else 0,
    )


def warnings_on(census: Census, name: str) -> Iterator[str]:
    """What else there is to know: of its header, and whether its suffix is another format's."""
    yield from census.warnings
    found = "JPEG" if census.format == "MPO" else census.format
    suffix = name[name.rfind(".") :].lower()
    if _FORMATS.get(suffix, found) != found:
        yield f"is a {found}, whatever its suffix {suffix} says"
