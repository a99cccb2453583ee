"""What else there is to know of a dump, in sentences."""

from __future__ import annotations

import numpy as np

from gpuseg.census.choosing import Candidate
from gpuseg.census.conclusions import MASKS, MOST_CLASSES, PICTURES, Evidence, conclude
from gpuseg.census.facts import hex_of
from gpuseg.census.presets import FEW
from gpuseg.census.tally import INDICES, Group, Tally, ranked
from gpuseg.kernels.lut import key_colours
from gpuseg.results import count
from gpuseg.text import as_argument

RARE_PIXELS, RARE_FILES = 0.001, 0.5
"""A colour of so few of all pixels, in so few of the files, is told: it may be no class."""


def notes(evidence: Evidence) -> list[str]:
    """All of it: odd files and warnings, then what makes a palette doubtful."""
    tally = evidence.tally
    code = conclude(evidence).code
    told = [*_odd_files(tally, code in ("photographs", "lossy")), *_warnings(tally), *_moved(tally)]
    if tally.beyond:
        told.append(
            f"{count(tally.beyond, 'pixel')} with a value below 0 or above {INDICES - 1:,}: "
            "no index of a label map, so not listed"
        )
    if code in ("convert", "convert-unknown", "convert-bgr"):
        told += [*_rivals(evidence), *_merged(evidence)]
    if code in ("propose", "convert-table"):
        told += [*_twins(tally), *_rare(tally)]
    return told


def _odd_files(tally: Tally, pictures: bool) -> list[str]:
    """The kinds of files that are not those of the most, and which files they are.

    pictures: these are the most, and no masks.
    """
    kinds = ranked(tally.groups)
    odd = {"damaged"} if pictures else PICTURES | {"damaged"}
    usual = [kind for kind, _ in kinds if kind.code not in odd]
    most = usual[0] if usual else None
    kinds = [(kind, files) for kind, files in kinds if most and not _is_usual(kind, most)]
    return [
        f"{count(files, 'file')} of another kind: {kind} ({', '.join(tally.files[kind][:3])}"
        f"{', …' if files > 3 else ''})"
        for kind, files in kinds[:8]
    ]


def _is_usual(kind: Group, most: Group) -> bool:
    """Whether two kinds are one: which colours a mask happens to have is no difference."""
    same = (kind.format, kind.kind, kind.bits) == (most.format, most.kind, most.bits)
    return kind == most or (same and {kind.code, most.code} <= MASKS)


def _moved(tally: Tally) -> list[str]:
    moved = tally.moved()
    if not moved:
        return []
    key, places = moved[0]
    (first, one), (second, other) = sorted(places.items())[:2]
    words = (
        f"palettes differ from file to file: {hex_of(key)} is index {first} in {one} and {second} "
        f"in {other}; an index means nothing without its file's palette, so convert by colours"
    )
    return [words]


def _warnings(tally: Tally) -> list[str]:
    return [
        f"{count(files, 'file')} with the warning: {warning} (for instance {first})"
        for warning, (files, first) in sorted(tally.warnings.items())[:8]
    ]


def _rivals(evidence: Evidence) -> list[str]:
    chosen = evidence.chosen
    if chosen is None or evidence.asked is not None:
        return []
    return [
        *_own_table(evidence, chosen),
        *_same_order(evidence, chosen),
        *_other_order(evidence, chosen),
    ]


def _own_table(evidence: Evidence, chosen: Candidate) -> list[str]:
    """The palette file that lies with the masks, where its indices are not the preset's."""
    table = evidence.table
    if table is None or table.pixels < chosen.pixels:
        return []
    indices = {entry.rgb: entry.index for entry in chosen.palette.classes}
    if all(indices.get(entry.rgb, entry.index) == entry.index for entry in table.palette.classes):
        return []
    words = (
        f"{table.path}, which lies with them, has as many of their pixels, with other indices: if "
        f"it is theirs, take --palette {as_argument(table.path)}"
    )
    return [words]


def _other_order(evidence: Evidence, chosen: Candidate) -> list[str]:
    """Palettes that hold the same pixels with red and blue exchanged, if not by their size."""
    names = [
        one.palette.name
        for one in evidence.found
        if one.pixels == chosen.pixels
        and one.order != chosen.order
        and len(one.palette) <= 2 * one.colours
    ]
    if chosen.order == "bgr" or not names:
        return []
    words = (
        f"with red and blue exchanged, {', '.join(names[:5])} would explain as much: colours do "
        "not tell, so look at one mask beside its photograph"
    )
    return [words]


def _same_order(evidence: Evidence, chosen: Candidate) -> list[str]:
    same = [c for c in evidence.found if (c.pixels, c.order) == (chosen.pixels, chosen.order)]
    others = [c.palette.name for c in same if c.palette != chosen.palette]
    if not others:
        return []
    verb = "explains" if len(others) == 1 else "explain"
    words = (
        f"{', '.join(others[:5])} {verb} as much as {chosen.palette.name}, with other indices: "
        "take the palette of the data set that it is"
    )
    return [words]


def _rare(tally: Tally) -> list[str]:
    keys, pixels, files = tally.colours()
    if not FEW < len(keys) <= MOST_CLASSES:
        return []
    few, held_by_few = RARE_PIXELS * tally.coloured_pixels, RARE_FILES * tally.coloured
    pairs = zip(keys.tolist(), pixels.tolist(), files.tolist(), strict=True)
    rare = [(key, n, held) for key, n, held in pairs if n < few and held <= held_by_few]
    return [
        f"{hex_of(key)} is rare: {count(n, 'pixel')} in {count(held, 'file')} of "
        f"{tally.coloured:,} ({tally.examples.get(key, '')}); a class, or a slip?"
        for key, n, held in rare[:8]
    ]


def _twins(tally: Tally) -> list[str]:
    """Colours one step apart in each channel at most: one may be a rounding of the other."""
    keys, pixels, _ = tally.colours()
    if len(keys) > MOST_CLASSES:
        return []
    colours = key_colours(keys.astype(np.uint32)).astype(np.int64)
    near = np.abs(colours[:, None] - colours[None]).max(axis=2) == 1
    pairs = np.argwhere(np.triu(near))  # the more frequent comes first
    return [
        f"{hex_of(int(keys[other]))} ({count(int(pixels[other]), 'pixel')}) is one step beside "
        f"{hex_of(int(keys[one]))}: rounding?"
        for one, other in pairs[:8].tolist()
    ]


def _merged(evidence: Evidence) -> list[str]:
    merged = evidence.chosen.palette.merged if evidence.chosen is not None else ()
    if not merged:
        return []
    pairs = ", ".join(f"{one.name!r} with {one.kept!r}" for one in merged[:5])
    more = f" and {len(merged) - 5} more" if len(merged) > 5 else ""
    return [f"classes that share a colour cannot be told apart: {pairs}{more}"]
