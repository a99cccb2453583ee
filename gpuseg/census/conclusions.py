"""What a dump is, in plain words, and which command to run next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from gpuseg.census.choosing import Candidate, Lack
from gpuseg.census.encodings import find_encoding, numbers_of
from gpuseg.census.tables import Table
from gpuseg.census.tally import Tally, ranked
from gpuseg.census.verdicts import LABEL_MAPS
from gpuseg.results import count, percent
from gpuseg.text import as_argument

Code = Literal[
    "nothing",
    "label-maps",
    "convert",
    "convert-bgr",
    "convert-unknown",
    "convert-table",
    "mixed-orders",
    "wrong-palette",
    "propose",
    "id-maps",
    "binary-masks",
    "lossy",
    "photographs",
    "transparent",
    "other",
]
"""Stable words for programs."""

MOST_CLASSES = 256
"""Colours that a palette for label maps of 8 bits may have."""

MASKS = frozenset({"colour-mask", "colour-mask-bgr", "colour-mask-unnamed"})
"""Verdicts of colour masks, whichever colours they happen to have."""

_COLOURS = MASKS | {"blended", "palette-of-its-own", "palette-too-short"}
PICTURES = frozenset({"photograph", "lossy"})
"""Verdicts of files that lie beside masks as the pictures these were drawn on."""

_FEW_MASKS = 0.1
"""Of fewer masks for a picture, pictures are what a dump is."""

_IDS = frozenset({"id-map", "alpha-data", "ids-16-bit"})
_KINDS: dict[str, str] = {
    **dict.fromkeys(_COLOURS, "colours"),
    **dict.fromkeys(_IDS, "ids"),
    **dict.fromkeys(LABEL_MAPS, "labels"),
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """code: stable word. words: what the dump is. command: to run next, if there is one.

    proposed: where it makes a palette, the command to run then, but for the palette's name.
    """

    code: Code
    words: str
    command: str = ""
    proposed: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is concluded from.

    src: as the command names it. found: palettes that explain something, the best first.
    asked: the palette that was given, as the command names it, if one was.
    table: the palette file that lies with the masks and explains them, where none was given.
    options: of the scan that the next command needs, too, as the shell takes them.
    """

    tally: Tally
    src: str
    found: list[Candidate]
    chosen: Candidate | None
    lack: Lack | None
    asked: str | None = None
    options: str = ""
    table: Table | None = None


def conclude(evidence: Evidence) -> Conclusion:
    """What most files are, and what to do with them."""
    tally = evidence.tally
    most = _most(tally)
    if not most:
        return Conclusion("nothing", "no image could be read")
    if most == "labels":
        return _of_label_maps(evidence)
    if most == "ids":
        return _of_ids(evidence)
    if most == "colours" or (evidence.asked is not None and tally.coloured):
        return _of_colours(evidence)
    if evidence.chosen is not None and most != "binary-mask":
        return _of_palette(evidence, evidence.chosen)
    return _of_others(most)


def _most(tally: Tally) -> str:
    """What most files are. Pictures beside masks are what these were drawn on, and no more."""
    kinds: Counter[str] = Counter()
    for code, files in tally.codes().items():
        kind = _KINDS.get(code, code)
        if kind not in ("damaged", "others"):
            kinds[kind] += files
    pictures = {kind: kinds.pop(kind) for kind in sorted(PICTURES & kinds.keys())}
    if pictures and max(kinds.values(), default=0) < _FEW_MASKS * sum(pictures.values()):
        return max(pictures, key=lambda kind: pictures[kind])
    return max(kinds, key=lambda kind: (kinds[kind], kind == "colours", kind), default="")


def _of_label_maps(evidence: Evidence) -> Conclusion:
    tally = evidence.tally
    indices = list(tally.indices())
    shown = ", ".join(map(str, indices[:12])) + (" …" if len(indices) > 12 else "")
    ignored = "; 255 is there, the usual ignore index" if 255 in indices else ""
    colours = "with a palette"
    if tally.codes()["label-map-grey"] > tally.codes()["label-map"]:
        colours = "without colours: recolor gives them a palette"
    elif tally.presets:
        colours = f"with the palette of {ranked(tally.presets)[0][0]}"
    words = f"label maps already, {colours}; indices {shown}{ignored}"
    return Conclusion(
        "label-maps", words, f"gpuseg stats {as_argument(evidence.src)}{evidence.options}"
    )


def _of_ids(evidence: Evidence) -> Conclusion:
    tally = evidence.tally
    codes = tally.codes()
    if codes["alpha-data"] > codes["id-map"] + codes["ids-16-bit"]:
        words = "RGBA bitmasks whose alpha is data (BDD100K): the class is in R; no palette fits"
        return Conclusion("id-maps", words)
    if codes["ids-16-bit"] > codes["id-map"]:
        words = "greyscale ids of more than 8 bits: they are indices already, and no colours"
        return Conclusion("id-maps", words)
    keys, _, files = tally.colours()
    encoding = find_encoding(keys)
    most = encoding.words if encoding else f"most look like {ranked(tally.encodings)[0][0]}"
    if encoding and numbers_of(keys) is not None:
        words = (
            f"colours are numbers: {encoding.words}; {count(len(keys), 'colour')}; scan --propose "
            "writes the palette in which each is the class of its number"
        )
        return Conclusion("id-maps", words, *_proposing(evidence))
    single = int((files == 1).sum())
    alone = f", {single:,} of them in one file only" if single and tally.coloured > 1 else ""
    words = (
        f"colours are numbers, no classes: {most}; {count(len(keys), 'colour')}{alone}; a palette "
        "cannot convert them"
    )
    return Conclusion("id-maps", words)


def _of_colours(evidence: Evidence) -> Conclusion:
    if evidence.chosen is not None:
        return _of_palette(evidence, evidence.chosen)
    if evidence.table is not None:
        return _of_table(evidence, evidence.table)
    tally = evidence.tally
    keys, pixels, _ = tally.colours()
    if len(keys) > MOST_CLASSES:
        top = percent(int(pixels[:32].sum()), tally.coloured_pixels)
        words = (
            f"{len(keys):,} colours, {top} of the pixels in the commonest 32, and no preset "
            "fits: blended masks; convert them with the palette of their data set and "
            "--unknown nearest"
        )
        return Conclusion("other", words)
    held = "that no preset holds"
    if evidence.found and evidence.found[0].pixels == tally.coloured_pixels:
        held = f"(too few to tell a preset: {evidence.found[0].palette.name} holds them)"
    words = (
        f"colour masks of {count(len(keys), 'colour')} {held}; the palette of their data set "
        "converts them; scan --propose writes one of these colours, classes by frequency"
    )
    return Conclusion("propose", words, *_proposing(evidence))


def _of_table(evidence: Evidence, table: Table) -> Conclusion:
    total = evidence.tally.coloured_pixels
    src, spec = as_argument(evidence.src), as_argument(table.path)
    command = f"gpuseg scan {src}{evidence.options} --palette {spec}"
    words = f"colour masks of {table.path}, which lies with them: it has "
    if table.pixels == total:
        command = f"gpuseg convert {src} DST{evidence.options} --palette {spec}"
        return Conclusion("convert-table", f"{words}every pixel", command)
    words = f"{words}{percent(table.pixels, total)} of the pixels; judge them by it"
    return Conclusion("convert-table", words, command)


def _proposing(evidence: Evidence) -> tuple[str, str]:
    """The command that proposes a palette, and the one that takes it."""
    src, options = as_argument(evidence.src), evidence.options
    converting = f"gpuseg convert {src} DST{options} --palette"
    return f"gpuseg scan {src}{options} --propose palette.csv", converting


def _of_palette(evidence: Evidence, chosen: Candidate) -> Conclusion:
    tally, lack = evidence.tally, evidence.lack
    assert lack is not None  # noqa: S101  # there is one where a palette is chosen
    name = chosen.palette.name
    spec = as_argument(evidence.asked or name)
    command = f"gpuseg convert {as_argument(evidence.src)} DST{evidence.options} --palette {spec}"
    share = percent(chosen.pixels, tally.coloured_pixels)
    if chosen.pixels < tally.coloured_pixels / 2:
        words = f"palette {name} has {share} of the pixels: these are masks of another"
        return Conclusion("wrong-palette", words)
    if chosen.order == "bgr":
        words = (
            f"colour masks with red and blue exchanged: {name} has {share} of their pixels so; "
            "save them as RGB (cv2.imwrite takes BGR)"
        )
        if lack.pixels:  # a proposed palette would not have the preset's indices
            return Conclusion("convert-bgr", f"{words}, then scan them again")
        words += (
            ", or convert them with the palette that scan --propose writes: its colours are "
            "exchanged, too"
        )
        return Conclusion("convert-bgr", words, *_proposing(evidence))
    exchanged = tally.codes()["colour-mask-bgr"]
    if exchanged and evidence.asked is None and not tally.presets[name]:
        words = (
            f"{count(exchanged, 'colour mask')} with red and blue exchanged among others: "
            f"{name} has {share} of all pixels, but no file by itself looks like it; "
            "save those as RGB (inspect names them), then scan again"
        )
        return Conclusion("mixed-orders", words)
    if not lack.pixels:
        return Conclusion("convert", f"colour masks of {name}, every pixel", command)
    words = (
        f"colour masks of {name}, but for {count(lack.pixels, 'pixel')} "
        f"({percent(lack.pixels, tally.coloured_pixels)}) of {count(lack.colours, 'other colour')}"
    )
    how, flags = _of_unknown(lack)
    words, command = f"{words}; {how}", f"{command} {flags}"
    return Conclusion("convert-unknown", words, command)


def _of_unknown(lack: Lack) -> tuple[str, str]:
    """What to do with unknown colours: in words, and the options of convert."""
    tolerance = f"{lack.tolerance:g}"
    borders = f"{lack.repaired:,} of {lack.looked:,} in the files that were read again"
    if lack.looked and lack.repaired == lack.looked:
        return f"they are blended borders, {borders}", "--unknown border"
    between, near = lack.repaired / max(1, lack.looked), (lack.within or 0) / lack.pixels
    if near > max(between, 0.5):
        words = (
            f"--tolerance {tolerance}, the largest that is safe, gives {lack.within:,} of them "
            "their nearest class"
        )
        return words, f"--unknown nearest --tolerance {tolerance}"
    if between > 0.5:
        return f"most are blended borders, {borders}; the others are refused", "--unknown border"
    return "they are no near misses: add them to the palette, or ignore them", "--unknown ignore"


def _of_others(most: str) -> Conclusion:
    if most == "binary-mask":
        words = (
            "binary masks, black and white: one class each; a palette of these two converts them, "
            "a text file of the lines '0 0 0 background' and '255 255 255 object'; where they are "
            "greyscale, with --grey colours"
        )
        return Conclusion("binary-masks", words)
    if most == "lossy":
        words = "lossy images (JPEG): their colours are not exact; look for the originals"
        return Conclusion("lossy", words)
    if most == "photograph":
        return Conclusion("photographs", "photographs, not masks: is SRC the right folder?")
    if most == "transparent":
        words = "images with transparent pixels: flatten them onto the colour you mean first"
        return Conclusion("transparent", words)
    return Conclusion("other", f"most files are no colour masks: {most}; inspect tells of each")
