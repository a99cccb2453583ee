"""Maps of the shapes themselves: instances, class maps by way of them, and the borders between."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import AnnotationError
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.shapes import Picture, Uncounted

Pixels = NDArray[np.unsignedinteger]

MOST = {"palette": 254, "16": 65534}
"""Instances that a map can tell apart; 0 is the background, and the one above them void."""


def instance_map(
    picture: Picture,
    indices: Sequence[int],
    numbers: Pixels,
    labels: Labels,
    options: RasterizeOptions,
) -> Pixels:
    """Class indices or instances, with void borders, from the shape of each pixel.

    indices: the class of each shape. numbers: (H, W), 0 for no shape, n for the n-th.
    Returns uint8 or uint16 (H, W). Raises AnnotationError for too many instances.
    """
    from gpuseg.kernels import tables
    from gpuseg.kernels.outline import draw_outline

    instances = _instances(picture, indices, labels, parted=options.instances is None)
    if options.instances is None:
        table = np.array([labels.background, *indices], np.min_scalar_type(labels.top))
        void = labels.ignored
    else:
        void = MOST[options.instances] + 1
        if max(instances, default=0) >= void:
            raise AnnotationError(
                f"has {max(instances)} instances, and maps of this kind hold {void - 1}; "
                + ("use --instances 16" if void < 256 else "divide the image")
            )
        told = [void if number < 0 else number for number in instances]
        bare = void if labels.bare_is_void else 0
        table = np.array([bare, *told], np.min_scalar_type(void))
    made = tables.chosen(table, numbers)
    if options.border:
        least = np.min_scalar_type(len(instances) + 1)
        all_of_them = (-int(labels.bare_is_void), *instances)
        whose = np.array([number + 1 for number in all_of_them], least)  # -1 becomes 0
        draw_outline(tables.chosen(whose, numbers), options.border, made, void)
    return made


def _instances(
    picture: Picture, indices: Sequence[int], labels: Labels, *, parted: bool
) -> list[int]:
    """The instance of each shape, numbered from 1 as they come; 0 of the background, -1 of none.

    Those that are none by their label have a number, too, which no pixel gets, as labelme counts
    them (6.3.1, `labelme.utils.shapes_to_label`).
    parted: whether what is not counted is numbered, too, for the borders between.
    """
    known: dict[Hashable, int] = {}
    found = []
    for shape, index in zip(picture.shapes, indices, strict=True):
        number = 0 if shape.instance is Uncounted.STUFF else -1
        if parted or not isinstance(shape.instance, Uncounted):
            alone = shape.instance in (None, Uncounted.GROUP)
            key = (shape.number,) if alone else (shape.label, shape.instance)
            number = known.setdefault(key, len(known) + 1)
        if index == labels.ignored:
            number = -1
        elif index == labels.background:
            number = 0
        found.append(number)
    return found
