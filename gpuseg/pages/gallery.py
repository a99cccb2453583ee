"""The gallery: source, label map and overlay of a few files, small and large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels, Shape
from gpuseg.codecs import thumbnails
from gpuseg.codecs.thumbnails import Picture, RGBPixels
from gpuseg.errors import MaskError
from gpuseg.label_maps import read_label_map
from gpuseg.pages.classes import Classes
from gpuseg.pages.places import below, of_stem

SMALL = 320
"""Longest side of a thumbnail, in pixels."""

LARGE = 1024
"""Longest side of what opens when a thumbnail is chosen, in pixels."""

MAX_LEGEND = 24
"""Classes that the legend of one file names."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture of a file, small and large (the same where the file is small)."""

    title: str
    small: Picture
    large: Picture


@dataclass(frozen=True, slots=True)
class Share:
    """A class in one file: part of its pixels, 0 to 1."""

    name: str
    hex: str
    share: float


@dataclass(frozen=True, slots=True)
class Item:
    """One file of the gallery. more: classes that the legend has no room for.

    notes: what could not be shown, and why. line: what else there is to say of it.
    """

    name: str
    width: int = 0
    height: int = 0
    views: tuple[View, ...] = ()
    legend: tuple[Share, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    line: str = ""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie: label maps, colour masks, and photographs to lay labels over."""

    dst: str
    src: str | None = None
    over: str | None = None


def make_item(
    name: str, sources: Mapping[str, str], folders: Folders, classes: Classes, max_pixels: int
) -> Item:
    """What the gallery shows of one label map.

    name: relative to DST. sources: of targets, as the report says; else the source has the
    same place and stem. max_pixels: larger images are not opened.
    """
    path = below(folders.dst, name)
    try:
        if path is None:
            return Item(name, notes=("The label map is not there any more.",))
        found = read_label_map(path, max_pixels)
    except MaskError as error:
        return Item(name, notes=(f"The label map {error}.",))
    if classes.palette is None:
        classes = Classes(None, classes.ignore_index, found.plte)
    notes: list[str] = []
    size = (found.width, found.height)
    source = _source(folders.src, name, sources.get(name), size, max_pixels, notes)
    photo = photograph(folders.over, name, size, max_pixels, notes)
    file = _File(found.labels, source, photo, classes)
    legend, more = _legend(found.labels, classes)
    return Item(name, *size, file.views(), legend, more, tuple(notes))


def views_of(shape: Shape, pictures: Callable[[int], Mapping[str, Picture]]) -> tuple[View, ...]:
    """Each picture of an image of (H, W), small and large. pictures: by title, to fit a box."""
    height, width = shape
    small = pictures(SMALL)
    if thumbnails.fitted(width, height, LARGE) == thumbnails.fitted(width, height, SMALL):
        return tuple(View(title, each, each) for title, each in small.items())
    large = pictures(LARGE)
    return tuple(View(title, each, large[title]) for title, each in small.items())


@dataclass(frozen=True, slots=True)
class _File:
    """All that pictures are made of.

    source: RGB of the same size. photo: RGB that fits `LARGE`.
    """

    labels: Labels
    source: RGBPixels | None
    photo: RGBPixels | None
    classes: Classes

    def views(self) -> tuple[View, ...]:
        return views_of(self.labels.shape, self._pictures)

    def _pictures(self, box: int) -> dict[str, Picture]:
        """By title, no larger than the box."""
        height, width = self.labels.shape
        size = thumbnails.fitted(width, height, box)
        labels = thumbnails.nearest(self.labels, *size)
        colours = thumbnails.painted(labels, self.classes.colours())
        pictures: dict[str, Picture] = {}
        ground: RGBPixels | None = None
        if self.source is not None:
            pixels = thumbnails.nearest(self.source, *size)
            pictures["Source"] = thumbnails.flat_picture(pixels)
            ground = thumbnails.greyed(pixels)
        pictures["Label map"] = thumbnails.flat_picture(colours)
        if self.photo is not None:
            ground = thumbnails.averaged(self.photo, *size)
        if ground is not None:
            shows = labels != self.classes.ignore_index
            overlay = thumbnails.blended(ground, colours, shows)
            pictures["Overlay"] = thumbnails.photo_picture(overlay)
        return pictures


def _source(
    src: str | None,
    name: str,
    source: str | None,
    size: tuple[int, int],
    max_pixels: int,
    notes: list[str],
) -> RGBPixels | None:
    """The pixels of the file that a label map was made of, as RGB; why not goes to `notes`."""
    if src is None:  # said once for all
        return None
    path = below(src, source) if source else of_stem(src, name)
    if path is None:
        notes.append("The source is not there, or there are several.")
        return None
    try:
        pixels = thumbnails.read_colours(path, max_pixels)
    except MaskError as error:
        notes.append(f"The source {error}.")
        return None
    if (pixels.shape[1], pixels.shape[0]) != size:
        notes.append(f"The source has another size: {pixels.shape[1]} × {pixels.shape[0]}.")
        return None
    return pixels


def photograph(
    over: str | None, name: str, size: tuple[int, int], max_pixels: int, notes: list[str]
) -> RGBPixels | None:
    """The photograph that belongs to a label map, to fit `LARGE`; why not goes to `notes`."""
    if over is None:
        return None
    path = of_stem(over, name)
    if path is None:
        notes.append("There is no photograph of this name, or several.")
        return None
    try:
        found = thumbnails.size_of(path, max_pixels)
        if found == size:
            return thumbnails.read_colours(path, max_pixels, LARGE)
    except MaskError as error:
        notes.append(f"The photograph {error}.")
    else:
        notes.append(f"The photograph has another size: {found[0]} × {found[1]}.")
    return None


def _legend(labels: Labels, classes: Classes) -> tuple[tuple[Share, ...], int]:
    """The classes of one file, the largest first, and how many more there are."""
    counts: NDArray[np.int64] = np.bincount(labels.reshape(-1))
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    shown = order[:MAX_LEGEND]
    colours = classes.hexes(shown)
    legend = tuple(Share(classes.name(i), colours[i], int(counts[i]) / labels.size) for i in shown)
    return legend, len(order) - len(shown)
