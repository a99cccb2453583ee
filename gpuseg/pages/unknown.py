"""Unknown colours for a page: which, how much, what is near, and the places where they sit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gpuseg.codecs import thumbnails
from gpuseg.codecs.thumbnails import Picture, RGBPixels
from gpuseg.errors import MaskError
from gpuseg.pages.classes import Classes
from gpuseg.pages.gathered import Colour, Gathered, Place
from gpuseg.pages.places import below
from gpuseg.palette_entries import hex_of

MAX_ROWS = 48
"""Unknown colours that a page lists; the rest are counted."""

MAX_CROPPED = 16
"""Colours whose places are shown."""

SIDE = 48
"""Width and height of a crop, in pixels of the mask."""

ZOOM = 3
"""Width and height of one of its pixels on the page."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The surroundings of one pixel. picture: None where `note` says why."""

    source: str
    x: int
    y: int
    picture: Picture | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """One unknown colour. nearest: name, colour and distance of a class, None without palette."""

    hex: str
    pixels: int
    files: int
    nearest: tuple[str, str, float] | None
    crops: tuple[Crop, ...]


@dataclass(frozen=True, slots=True)
class UnknownTable:
    """All of them. more: colours that are not listed. unlisted: pixels that no row names."""

    rows: tuple[UnknownRow, ...]
    pixels: int
    files: int
    more: int
    unlisted: int


def unknown_table(
    gathered: Gathered, src: str | None, classes: Classes, max_pixels: int
) -> UnknownTable:
    """The unknown colours that reports tell of. src: the folder of the masks, for crops."""
    shown = gathered.most_frequent(MAX_ROWS)
    crops = _crops(shown[:MAX_CROPPED], src, max_pixels)
    rows = tuple(
        UnknownRow(
            hex=hex_of(colour.rgb),
            pixels=colour.pixels,
            files=colour.files,
            nearest=classes.nearest(colour.rgb),
            crops=tuple(crops[place, colour.rgb] for place in colour.places)
            if n < MAX_CROPPED
            else (),
        )
        for n, colour in enumerate(shown)
    )
    more = len(gathered.colours) - len(shown)
    return UnknownTable(
        rows, gathered.unknown_pixels, gathered.files_with_unknown, more, gathered.unlisted
    )


def _crops(
    colours: list[Colour], src: str | None, max_pixels: int
) -> dict[tuple[Place, tuple[int, int, int]], Crop]:
    """The crop of each place; each mask is opened once."""
    wanted: dict[str, list[tuple[Place, tuple[int, int, int]]]] = {}
    for colour in colours:
        for place in colour.places:
            wanted.setdefault(place.source, []).append((place, colour.rgb))
    return {
        key: crop
        for source, places in wanted.items()
        for key, crop in zip(places, _of_mask(source, places, src, max_pixels), strict=True)
    }


def _of_mask(
    source: str,
    places: list[tuple[Place, tuple[int, int, int]]],
    src: str | None,
    max_pixels: int,
) -> Iterator[Crop]:
    path, pixels, note = below(src, source), None, ""
    if path is None:
        note = "the mask is not there: --src names its folder"
    else:
        try:
            pixels = thumbnails.read_colours(path, max_pixels)
        except MaskError as error:
            note = f"the mask {error}"
    for place, rgb in places:
        if pixels is not None and _has(pixels, place, rgb):
            picture = thumbnails.flat_picture(crop_around(pixels, place.x, place.y))
            yield Crop(source, place.x, place.y, picture)
        else:
            why = note or "this colour is not there any more: the mask has changed since"
            yield Crop(source, place.x, place.y, None, why)


def _has(pixels: RGBPixels, place: Place, rgb: tuple[int, int, int]) -> bool:
    height, width, _ = pixels.shape
    if place.x >= width or place.y >= height:
        return False
    return tuple(pixels[place.y, place.x].tolist()) == rgb


def crop_around(pixels: RGBPixels, x: int, y: int) -> RGBPixels:
    """The surroundings of a pixel, `SIDE` wide and high, zoomed; a frame around the pixel.

    At the border of the image the pixel is not in the middle. The frame is a black line in a
    white one, so that it is seen on every colour, and leaves the pixel itself free.
    """
    height, width, _ = pixels.shape
    left = max(0, min(x - SIDE // 2, width - SIDE))
    top = max(0, min(y - SIDE // 2, height - SIDE))
    part = pixels[top : top + SIDE, left : left + SIDE]
    large = part.repeat(ZOOM, 0).repeat(ZOOM, 1)
    for distance, value in ((3, 255), (2, 0), (1, 255)):
        _frame(large, (x - left) * ZOOM - distance, (y - top) * ZOOM - distance, distance, value)
    return large


def _frame(image: RGBPixels, left: int, top: int, distance: int, value: int) -> None:
    """Draw the outline of a square, as much of it as lies in the image."""
    last = ZOOM + 2 * distance - 1
    rows, columns = np.mgrid[top : top + last + 1, left : left + last + 1]
    edge = (rows == top) | (rows == top + last) | (columns == left) | (columns == left + last)
    inside = (rows >= 0) & (rows < image.shape[0]) & (columns >= 0) & (columns < image.shape[1])
    seen = edge & inside
    image[rows[seen], columns[seen]] = value
