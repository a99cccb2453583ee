"""Which format annotations are in, by what they hold."""

from __future__ import annotations

import codecs
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import IO

from gpuseg.annotations.ade20k import Ade20k, Ade20kPolygons
from gpuseg.annotations.bdd100k import Bdd100k
from gpuseg.annotations.cityscapes import Cityscapes
from gpuseg.annotations.coco import Coco
from gpuseg.annotations.coco_panoptic import CocoPanoptic
from gpuseg.annotations.cvat import Cvat
from gpuseg.annotations.fields import shown
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.json_elements import elements
from gpuseg.annotations.labelme import LabelMe
from gpuseg.annotations.scalabel import Scalabel
from gpuseg.annotations.supervisely import Supervisely
from gpuseg.annotations.via import Via
from gpuseg.annotations.voc_masks import VocMasks
from gpuseg.annotations.xml_elements import children
from gpuseg.errors import AnnotationError, UsageError
from gpuseg.text import shell_word

FORMATS: tuple[Format, ...] = (
    CocoPanoptic(),
    Ade20k(),
    Ade20kPolygons(),
    LabelMe(),
    Coco(),
    Cityscapes(),
    Scalabel(),
    Bdd100k(),
    Supervisely(),
    Via(),
    VocMasks(),
    Cvat(),
)
"""All formats, the more particular first."""


def format_names() -> tuple[str, ...]:
    """What --format takes, besides auto."""
    return tuple(sorted(format.name for format in FORMATS))


def format_of(name: str) -> Format:
    """The format of this name. Raises UsageError."""
    for format in FORMATS:
        if format.name == name:
            return format
    raise UsageError(f"format must be auto or one of {', '.join(format_names())}, got {name!r}")


def recognise(path: str) -> Format:
    """The format of an annotation file, or of the files below a folder. Raises UsageError."""
    try:
        if os.path.isdir(path):
            return _of_folder(path)
        if not os.path.isfile(path):  # a pipe could be waited for without end
            raise UsageError(f"{shell_word(path)} is neither a file nor a folder; give one")
        found = _of_file(path)
    except AnnotationError as error:
        raise UsageError(f"{shell_word(path)} {error}") from error
    except OSError as error:
        raise UsageError(f"{shell_word(path)} cannot be read: {error.strerror}") from error
    if found is None:
        raise UsageError(
            _unknown(f"{path} {_told(path)}, and is in no format of annotations that is known")
        )
    return found


def _of_folder(path: str) -> Format:
    """That which the names in a folder tell, else that of the first file below it in any, else
    that which the names in a folder below it tell.

    Raises UsageError, also for files beside the folders of another format: either may be meant.
    """
    names = os.listdir(path)
    whole = _by(Outline("folder", dict.fromkeys(names, frozenset())))
    inside, found = next(
        _files_below(path) if whole is None else _files_in(path, names), ("", None)
    )
    if whole is not None and found is not None:
        raise UsageError(
            f"{shell_word(path)} holds two formats, {whole.title}, and {found.title} in "
            f"{shell_word(os.path.basename(inside))}; choose by --format {whole.name} or "
            f"--format {found.name}"
        )
    chosen = whole or found or next(_of_folders_below(path), None)
    if chosen is None:
        raise UsageError(
            _unknown(f"{path} holds no annotations (.json, .xml) in a format that is known")
        )
    return chosen


def first_file_of(path: str, format: Format) -> str | None:
    """The first file of a format below a folder, by folder and name."""
    return next((inside for inside, found in _files_below(path) if found is format), None)


def _walk(path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """A folder and those below it, by name, each with its folders and files; none is hidden."""
    for folder, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield folder, below, names


def _of_folders_below(path: str) -> Iterator[Format]:
    """The formats of folders below one that their names tell."""
    for _, below, names in _walk(path):
        found = _by(Outline("folder", dict.fromkeys((*below, *names), frozenset())))
        if found is not None:
            yield found


def _files_below(path: str) -> Iterator[tuple[str, Format]]:
    """The files below a folder that are in any format, by folder and name."""
    for folder, _, names in _walk(path):
        yield from _files_in(folder, names)


def _files_in(folder: str, names: list[str]) -> Iterator[tuple[str, Format]]:
    """Those of these files of a folder that are in any format, by name.

    What cannot be read is passed over: it becomes a row of the run.
    """
    for name in sorted(names):
        inside = os.path.join(folder, name)
        taken = name.lower().endswith(_SUFFIXES) and not name.startswith(".")
        if taken and os.path.isfile(inside):
            with suppress(AnnotationError, OSError):
                found = _of_file(inside)
                if found is not None:
                    yield inside, found


_SUFFIXES = (".json", ".xml")


def _by(outline: Outline) -> Format | None:
    return next((format for format in FORMATS if format.recognises(outline)), None)


def _unknown(what: str) -> str:
    return f"{what} ({', '.join(format.title for format in FORMATS)}); name it by --format"


def _told(path: str) -> str:
    """What a file in no format holds."""
    with open(path, "rb") as file:
        *_, outline = (Outline("json"), *_outlines(file))
    if outline.kind == "xml":
        ((root, below),) = outline.keys.items()
        return f"has the element {shown(root)} around {_listed(below)}"
    if "" in outline.keys:
        return f"is a list, its first element with {_listed(outline.of(''))}"
    return f"has {_listed(outline.keys)}"


def _listed(names: Collection[str]) -> str:
    """The first of some names, in alphabetical order: sets have none."""
    told = [*map(shown, sorted(names)[:_MOST]), *(["…"] if len(names) > _MOST else [])]
    return ", ".join(told) or "nothing"


_MOST = 6
"""Names that are told of a file in no format."""


def _of_file(path: str) -> Format | None:
    """None for a file in no format. Raises AnnotationError for one that is damaged, OSError."""
    with open(path, "rb") as file:
        return next(filter(None, map(_by, _outlines(file))), None)


def _outlines(file: IO[bytes]) -> Iterator[Outline]:
    """What shows of a file, more and more of it."""
    begins = file.read(_BEGINNING).removeprefix(codecs.BOM_UTF8).lstrip()
    file.seek(0)
    if begins and not begins.startswith((b"<", b"{", b"[")):
        raise AnnotationError(
            f"begins with {begins[:_SHOWN]!r}, and annotations with {{ or [ (JSON in UTF-8) or "
            "< (XML); name a file of annotations, or a folder of them"
        )
    yield from _outlines_xml(file) if begins.startswith(b"<") else _outlines_json(file)


_BEGINNING = 256
"""Bytes in which the first that is no space is looked for."""

_SHOWN = 8


def _outlines_json(file: IO[bytes]) -> Iterator[Outline]:
    names, keys = set[str](), dict[str, frozenset[str]]()
    # Latin-1 takes all: only keys are looked at
    for element in elements(file, encoding="latin-1", keys=names):
        if element.key not in keys:
            raw = element.raw
            keys[element.key] = frozenset(raw) if isinstance(raw, dict) else frozenset()
            yield Outline("json", dict.fromkeys(names, frozenset[str]()) | keys)
    yield Outline("json", dict.fromkeys(names, frozenset[str]()) | keys)


def _outlines_xml(file: IO[bytes]) -> Iterator[Outline]:
    tags = frozenset[str]()
    for child in children(file):
        if child.tag not in tags:
            tags |= {child.tag}
            yield Outline("xml", {child.root: tags})
