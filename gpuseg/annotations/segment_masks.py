"""Masks that belong to annotations: which segment each of their colours is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import AnnotationError, MaskError, UnreadableMaskError
from gpuseg.id_maps import MOST, IdMap, read_id_map
from gpuseg.shapes import BadShape

SHOWN = 3
"""Strange ids that a message names."""


def read_mask(path: str, max_pixels: int) -> IdMap:
    """The mask of an annotation; valid until this thread reads the next. Raises MaskError."""
    try:
        return read_id_map(path, max_pixels)
    except MaskError as error:
        if isinstance(error, UnreadableMaskError) and not os.path.lexists(path):
            raise UnreadableMaskError(
                f"has no mask {path}; name the folder of the masks by --masks"
            ) from error
        raise type(error)(f"has a mask, {path}, which {error}") from error


def as_drawn(
    mask: IdMap,
    size: tuple[int, int],
    places: Mapping[int, int],
    number: int,
    tell: Callable[[int], str] = str,
) -> tuple[NDArray[np.unsignedinteger], tuple[BadShape, ...]]:
    """Which shape each pixel belongs to, (H, W), 0 for none, and pixels that should have one.

    size: width and height that the image has. places: of the shapes, from 1, by their ids; 0 for
    ids that are none. number: of the bad shape that ids without a place make. tell: an id, for
    messages. Valid until this thread reads the next. Raises AnnotationError.
    """
    if mask.size != size:
        raise AnnotationError(
            f"is {size[0]} x {size[1]} pixels, and its mask {mask.size[0]} x {mask.size[1]}; "
            "find the mask that belongs to it"
        )
    if max(places.values(), default=0) > MOST:
        raise AnnotationError(f"has more than {MOST:,} segments; divide the image")
    ids = mask.ids.tolist()
    drawn = mask.numbered([places.get(id, 0) for id in ids])
    counts = mask.counts.tolist()
    strange = {id: n for id, n in zip(ids, counts, strict=True) if id not in places}
    if not strange:
        return drawn, ()
    ranked = sorted(strange, key=lambda id: (-strange[id], id))
    told = [f"{tell(id)} ({strange[id]:,} px)" for id in ranked[:SHOWN]]
    more = f" and {len(strange) - SHOWN:,} more" if len(strange) > SHOWN else ""
    why = (
        f"is in the mask alone: {sum(strange.values()):,} pixels belong to nothing that the "
        f"annotation lists: {', '.join(told)}{more}"
    )
    return drawn, (BadShape(number, "", why),)
