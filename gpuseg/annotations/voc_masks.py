"""Folders of segmentation masks as Pascal VOC has them, and CVAT and Datumaro export them.

By docs.cvat.ai (dataset management, formats, Segmentation Mask): `SegmentationClass` holds masks
in the colours of classes, `SegmentationObject` masks of the same names in the colours of
instances. `labelmap.txt` says which colour is which class, and may be missing where they are
those of Pascal VOC. The n-th instance has the n-th colour of VOC's colour map (Datumaro 1.13,
`mask_tools.generate_colormap`), so instances keep their numbers where each of them has a pixel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gpuseg import storage
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import content_of
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.segment_masks import read_mask
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, PaletteError, UnknownColourError
from gpuseg.id_maps import IdMap, read_id_map
from gpuseg.palettes.load import load_palette, read_draft
from gpuseg.results import UnknownColour
from gpuseg.shapes import Picture, Shape
from gpuseg.taking import target_name

CLASSES, OBJECTS, TABLE = "SegmentationClass", "SegmentationObject", "labelmap.txt"

BACKGROUND, VOID = "background", "ignored"
"""What labelmap.txt calls pixels of nothing, and, as Datumaro writes it, those of no class."""

_VOID_ID = 224 | 224 << 8 | 192 << 16
_SHOWN = 3

Names = Mapping[int, tuple[str, ...]]
"""The classes of a colour, by r + 256 g + 65536 b."""


class VocMasks(Format):
    """The format."""

    name = "voc"
    title = "VOC segmentation masks"
    ignored = frozenset({VOID})
    background = frozenset({BACKGROUND})
    pattern = None
    leaves_open: ClassVar[frozenset[str]] = frozenset()

    def recognises(self, outline: Outline) -> bool:
        """The folder of masks is there: detections have a labelmap.txt, too."""
        return outline.kind == "folder" and outline.has(CLASSES)

    def takes(self, relative: str) -> bool:
        """Masks of classes."""
        return CLASSES in relative.split("/")[:-1]

    def target(self, relative: str) -> str:
        """`a/SegmentationClass/b.png` -> `a/b.png`."""
        above, below = _divided(relative)
        return target_name("/".join((*above, *below)))

    def beside(self, source: Source, choices: ReadingChoices) -> tuple[str, ...]:
        """The table of classes, and the mask of instances where it is read."""
        if storage.is_url(source.path):
            return ()
        table = _table(source)
        objects = [_objects(source)] if choices.tells_instances else []
        return tuple(objects if table is None else [table, *objects])

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The classes of one mask, or its instances."""
        names = _names(source)
        mask = read_id_map(source.image, choices.max_pixels)
        labels = _labels(mask, names)
        things = [label for label in dict.fromkeys(labels) if label != BACKGROUND]
        places = {label: place for place, label in enumerate(things, 1)}
        drawn = mask.numbered([places.get(label, 0) for label in labels])
        shapes = tuple(Shape(label, (), place) for label, place in places.items())
        if choices.tells_instances:
            path = _objects(source)
            shapes, drawn = _told_apart(things, drawn.copy(), path, choices.max_pixels)
        return Picture(*mask.size, shapes, "coco", drawn=drawn)


def _divided(relative: str) -> tuple[Sequence[str], Sequence[str]]:
    """The parts of a path before and after SegmentationClass, without which it is no mask's."""
    parts = relative.split("/")
    if CLASSES not in parts:
        return parts[:-1], parts[-1:]
    place = parts.index(CLASSES)
    return parts[:place], parts[place + 1 :]


def _root(source: Source) -> str:
    """The folder that SegmentationClass is in."""
    _, below = _divided(source.relative)
    root = os.path.dirname(source.path)
    for _ in below:
        root = os.path.dirname(root)
    return root


def _objects(source: Source) -> str:
    return os.path.join(_root(source), OBJECTS, *_divided(source.relative)[1])


def _table(source: Source) -> str | None:
    """The nearest labelmap.txt, up to the folder that SRC is."""
    folder = _root(source)
    for _ in range(len(_divided(source.relative)[0]) + 1):
        path = os.path.join(folder, TABLE)
        if os.path.lexists(path):
            return path
        folder = os.path.dirname(folder)
    return None


def _names(source: Source) -> Names:
    """Raises AnnotationError, UnreadableMaskError."""
    if storage.is_url(source.path):
        raise AnnotationError(f"lies in a storage, and {TABLE} is read from this machine; copy it")
    path = _table(source)
    return _names_voc() if path is None else _names_of(content_of(Source(path, path)))


@lru_cache(maxsize=8)
def _names_of(data: bytes) -> Names:
    try:
        classes = read_draft(data, TABLE).classes
    except PaletteError as error:
        raise AnnotationError(f"has a table of classes that cannot be read: {error}") from error
    names: dict[int, tuple[str, ...]] = {}
    for entry in classes:
        id = _id(*entry.rgb)
        names[id] = (*names.get(id, ()), entry.name)
    return names


@lru_cache(maxsize=1)
def _names_voc() -> Names:
    voc = load_palette("voc").classes
    return {**{_id(*entry.rgb): (entry.name,) for entry in voc}, _VOID_ID: (VOID,)}


def _labels(mask: IdMap, names: Names) -> list[str]:
    """The class of each colour of a mask. Raises UnknownColourError, AnnotationError."""
    ids = mask.ids.tolist()
    strange = np.array([id not in names for id in ids])
    if strange.any():
        raise _unknown(mask, mask.ids[strange], mask.counts[strange])
    for id in ids:
        if len(names[id]) > 1:
            raise AnnotationError(
                f"has pixels of {_hex(id)}, which {TABLE} gives to {' and '.join(names[id])}; give "
                "each class a colour of its own, and export the masks anew"
            )
    return [names[id][0] for id in ids]


def _unknown(mask: IdMap, ids: NDArray[np.uint32], counts: NDArray[np.int64]) -> UnknownColourError:
    """The error of colours that are no class's."""
    ranked = np.lexsort((ids, -counts))[:_SHOWN]
    colours = []
    for id, count in zip(ids[ranked].tolist(), counts[ranked].tolist(), strict=True):
        rgb = _rgb(id)
        y, x = divmod(int((mask.pixels == rgb).all(axis=2).argmax()), mask.size[0])
        colours.append(UnknownColour(rgb, count, x, y))
    shown = "; ".join(map(str, colours)) + ("; …" if len(ids) > _SHOWN else "")
    total = int(counts.sum())
    return UnknownColourError(
        f"{total:,} of {mask.pixels.size // 3:,} pixels have a colour that {TABLE} does not hold: "
        f"{shown}; add it there, or take gpuseg convert, which has --unknown for colours",
        tuple(colours),
        total,
    )


def _told_apart(
    things: Sequence[str], classes: NDArray[np.unsignedinteger], path: str, max_pixels: int
) -> tuple[tuple[Shape, ...], NDArray[np.unsignedinteger]]:
    """Instances of classes, and which of them each pixel belongs to, as in Picture.

    things: the classes. classes: (H, W), 0 for none, n for the n-th. path: of the mask of
    instances. Raises MaskError.
    """
    if not os.path.lexists(path):
        raise AnnotationError(
            f"has no mask of instances {path}, which --instances and --border need; export it, too"
        )
    objects = read_mask(path, max_pixels)
    if objects.size != classes.shape[::-1]:
        width, height = classes.shape[::-1]
        raise AnnotationError(
            f"is {width} x {height} pixels, and its mask of instances {path} "
            f"{objects.size[0]} x {objects.size[1]}; export both anew"
        )
    step = len(objects.ids)
    pairs = classes.astype(np.uint32) * np.uint32(step) + objects.numbered(range(step))
    has = np.zeros((len(things) + 1) * step, np.bool_)
    has[pairs] = True
    has[:step] = False  # the background, whatever the mask of instances says of it
    found = np.flatnonzero(has).tolist()
    numbers = [instance_number(id) for id in objects.ids.tolist()]
    found.sort(key=lambda pair: (numbers[pair % step], pair // step))
    table = np.zeros(has.size, np.min_scalar_type(len(found)))
    table[found] = range(1, len(found) + 1)
    shapes = tuple(
        Shape(things[pair // step - 1], (), place, numbers[pair % step])
        for place, pair in enumerate(found, 1)
    )
    return shapes, table[pairs]


def instance_number(id: int) -> int:
    """Which entry of VOC's colour map a colour is: `palette.voc_colormap`, beyond 255, too."""
    return sum(
        (id >> (8 * channel + 7 - bit) & 1) << (3 * bit + channel)
        for bit in range(8)
        for channel in range(3)
    )


def _id(red: int, green: int, blue: int) -> int:
    return red | green << 8 | blue << 16


def _rgb(id: int) -> tuple[int, int, int]:
    return id & 255, id >> 8 & 255, id >> 16


def _hex(id: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*_rgb(id))
