"""`scan`: the census of a dump, and what follows from it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from gpuseg import storage
from gpuseg.census.choosing import (
    Candidate,
    Lack,
    candidates,
    choose,
    describe,
    describe_lack,
    find_lack,
)
from gpuseg.census.conclusions import MOST_CLASSES, Conclusion, Evidence, conclude
from gpuseg.census.encodings import numbers_of
from gpuseg.census.facts import facts_of, hex_of
from gpuseg.census.image import Census
from gpuseg.census.looking import look_at
from gpuseg.census.notes import notes
from gpuseg.census.photographs import is_photograph
from gpuseg.census.presets import Explaining, all_presets
from gpuseg.census.tables import find_table
from gpuseg.census.tally import Counted, Tally, ranked
from gpuseg.census.verdicts import judge
from gpuseg.codecs.opening import ImageFile
from gpuseg.codecs.stored import read_stored
from gpuseg.discover import Source
from gpuseg.errors import MaskError, PaletteError, UsageError
from gpuseg.finding import is_folder
from gpuseg.inputs import Inputs
from gpuseg.kernels.lut import key_colours
from gpuseg.options import DEFAULT_MAX_PIXELS, ReadKeywords, ReadOptions
from gpuseg.palette import Palette, PaletteClass
from gpuseg.palettes.load import load_palette
from gpuseg.results import FileResult, Report
from gpuseg.runs import Progress, StrPath, look
from gpuseg.text import shell_word

SHOWN_COLOURS = 256
"""Colours of the dump that JSON lists, the most frequent first."""

SHOWN_PALETTES = 10

_NO_COLOURS = frozenset({"transparent", "alpha-data", "photograph"})
"""Verdicts of files whose RGB values are not what is seen, or of no class, but too many."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The census of a dump.

    conclusion: what it is and what to run next. notes: what else there is to know, in sentences.
    chosen: the palette that was given, or the preset that explains most of it, None where none
    does; lack: what that palette lacks. candidates: palettes that explain something, the best
    first. tally: all that was counted. report: of the run.
    """

    conclusion: Conclusion
    notes: tuple[str, ...]
    chosen: Candidate | None
    lack: Lack | None
    candidates: tuple[Candidate, ...]
    tally: Tally
    report: Report

    def propose(self) -> Palette:
        """A palette for this dump.

        The preset, or the palette that was given, where it explains every pixel; where it does
        with red and blue exchanged, its colours are, too. Where colours are indices in one
        channel, or in all three alike, each is the class of its number. Else all colours, the
        most frequent first, as `class 0`, `class 1` … Raises PaletteError for more than 256
        colours or none, and where some files have red and blue exchanged.
        """
        if self.conclusion.code == "mixed-orders":
            raise PaletteError(f"no palette can be proposed: {self.conclusion.words}")
        if self.chosen and self.lack and not self.lack.pixels:
            palette = self.chosen.palette
            return palette if self.chosen.order == "rgb" else _exchanged(palette)
        keys, _, _ = self.tally.colours()
        if not len(keys):
            raise PaletteError(
                "no palette can be proposed: no file has colours of classes; photographs, "
                "transparent images and greyscale have none"
            )
        if len(keys) > MOST_CLASSES:
            raise PaletteError(
                f"no palette can be proposed: {len(keys):,} colours were found, a palette of "
                f"label maps holds {MOST_CLASSES}; these are photographs, ids or blended masks"
            )
        numbers = numbers_of(keys)
        if numbers is not None:
            keys, numbers = keys[np.argsort(numbers)], np.sort(numbers)
        indices = numbers.tolist() if numbers is not None else range(len(keys))
        colours = key_colours(keys.astype(np.uint32)).tolist()
        classes = zip(indices, colours, strict=True)
        return Palette(
            tuple(PaletteClass(index, f"class {index}", tuple(rgb)) for index, rgb in classes),
            name="proposed",
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON, long lists cut: see SHOWN_COLOURS, `colours_total`."""
        tally = self.tally
        indices = list(tally.indices().items())[:SHOWN_COLOURS]
        return {
            **self.report.as_dict(),
            "conclusion": {
                "code": self.conclusion.code,
                "words": self.conclusion.words,
                "command": self.conclusion.command,
            },
            "notes": list(self.notes),
            "verdicts": dict(tally.codes()),
            "kinds": self._kinds(),
            "sizes": [
                {"width": width, "height": height, "files": count}
                for (width, height), count in ranked(tally.sizes)
            ],
            "colours_total": len(tally.colours()[0]),
            "colours": self._colours(),
            "indices": {str(i): {"pixels": count, "files": held} for i, (count, held) in indices},
            "palettes": [describe(one, tally) for one in self.candidates[:SHOWN_PALETTES]],
            "palette": describe(self.chosen, tally) if self.chosen else None,
            "unknown": describe_lack(self.lack) if self.lack else None,
        }

    def _kinds(self) -> list[dict[str, Any]]:
        return [
            {
                "format": group.format,
                "kind": group.kind,
                "bits": group.bits,
                "verdict": group.code,
                "files": count,
                "examples": self.tally.files[group],
            }
            for group, count in ranked(self.tally.groups)
        ]

    def _colours(self) -> list[dict[str, Any]]:
        keys, pixels, files = (some[:SHOWN_COLOURS].tolist() for some in self.tally.colours())
        examples = self.tally.examples
        return [
            {"hex": hex_of(key), "pixels": count, "files": held, "example": examples.get(key, "")}
            for key, count, held in zip(keys, pixels, files, strict=True)
        ]


def scan(
    src: StrPath,
    *,
    sample: int | None = None,
    palette: Palette | StrPath | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Scan:
    """Count all colours and indices of a dump, and find out what it is.

    src: a folder, or one file. sample: look at so many files only, chosen by a hash of their
    names. palette: judge by this one (a Palette, the name of a preset, or a palette file)
    instead of the preset that fits best. report, progress, options: as in `inspect`.

    Colours of photographs and transparent images are not counted: they are no classes.

    Memory: counters of all colours, at most 192 MiB and 64 MiB a worker, of which masks touch
    few, the colours of one image a worker, and in the end something for each colour.
    Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    settings = ReadOptions(**options)
    if sample is not None and (not isinstance(sample, int) or sample < 1):
        raise UsageError(f"sample must be at least 1, got {sample!r}")
    wanted = load_palette(palette) if palette is not None else None
    explaining = Explaining((*all_presets().palettes, wanted)) if wanted else all_presets()
    source = os.fspath(src)
    tally = Tally(explaining)
    inputs = Inputs.of([source], settings, sample)
    task = Scanning(settings, explaining)
    done = look(inputs, task, verb="scan", report=report, progress=progress, tally=tally.add)
    named = None
    if wanted is not None:
        named = wanted.name if isinstance(palette, Palette) else os.fspath(palette or "")
    return _concluded(tally, done, (source, wanted, named), settings)


def _exchanged(palette: Palette) -> Palette:
    """A palette with red and blue exchanged."""
    classes = tuple(replace(entry, rgb=entry.rgb[::-1]) for entry in palette.classes)
    return replace(palette, classes=classes, name=f"{palette.name}-bgr", merged=())


def _concluded(
    tally: Tally,
    report: Report,
    asked: tuple[str, Palette | None, str | None],
    settings: ReadOptions,
) -> Scan:
    src, wanted, named = asked

    def read(name: str) -> NDArray[np.uint8] | None:
        return _read_colours(_image(src, name), settings.max_pixels)

    found = candidates(tally) if tally.coloured else []
    chosen = choose(found, tally, wanted)
    lack = find_lack(chosen, tally, read) if chosen is not None else None
    table = find_table(src, tally) if wanted is None and tally.coloured else None
    evidence = Evidence(tally, src, found, chosen, lack, named, _repeated(settings), table)
    told = tuple(notes(evidence))
    return Scan(conclude(evidence), told, chosen, lack, tuple(found), tally, report)


def _repeated(settings: ReadOptions) -> str:
    """The options that the next command needs to find and take the same files."""
    pattern = f" --pattern={shell_word(settings.pattern)}" if settings.pattern else ""
    largest = settings.max_pixels
    return pattern + (f" --max-pixels {largest}" if largest != DEFAULT_MAX_PIXELS else "")


def _image(src: str, name: str) -> ImageFile:
    """A file of SRC, by its relative path; no bytes where it is gone."""
    if not is_folder(src):
        path = src
    else:
        path = (
            storage.join(src, name) if storage.is_url(src) else os.path.join(src, *name.split("/"))
        )
    if not storage.is_url(path):
        return path
    try:
        return storage.read(path)
    except OSError:
        return b""


def _read_colours(path: ImageFile, max_pixels: int) -> NDArray[np.uint8] | None:
    """The colours of an image's pixels, uint8 (H, W, 3), None where it has none any more."""
    try:
        image = read_stored(path, max_pixels)
    except MaskError:  # gone or damaged since it was counted
        return None
    if image.pixels is None or image.kind not in ("RGB", "palette"):
        return None
    if image.plte is not None:
        table = np.zeros((256, 3), np.uint8)
        colours = np.frombuffer(image.plte, np.uint8).reshape(-1, 3)
        table[: len(colours)] = colours
        return np.asarray(table[image.pixels])
    return np.asarray(image.pixels)


@dataclass(frozen=True, slots=True)
class Scanning:
    """The task of counting what an image holds."""

    options: ReadOptions
    explaining: Explaining

    def run(self, source: Source) -> FileResult:
        """Count one image; whatever happens becomes its row."""
        return look_at(source, self.options.max_pixels, self._counted)

    def _counted(self, census: Census) -> Counted:
        verdict = judge(census)
        none = np.empty(0, np.int64)
        keys, pixels = none, none
        without = verdict.code in _NO_COLOURS or (census.lossy and is_photograph(census.counts))
        if census.kind in ("RGB", "palette") and not without:
            keys, pixels = census.colours()
        indexed = census.kind in ("palette", "grey") and verdict.code != "photograph"
        return Counted(
            facts=facts_of(census, verdict),
            values=census.values if indexed else none,
            counts=census.counts if indexed else none,
            keys=keys,
            pixels=pixels,
            explained=self.explaining.bits(keys) if len(keys) else 0,
        )
