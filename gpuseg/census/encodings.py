"""Colours that are numbers: ids, instances or indices in channels, and no palette at all.

Evidence, not proof: each rule says what a data set is known to write, and asks for enough of it
that colours of a palette do not fit by chance. Presets are asked first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.census.presets import all_presets
from gpuseg.kernels.lut import key_colours

Code = Literal["grey", "one-channel", "ade", "coco-panoptic", "two-channel", "ids"]

NEAR = 30
"""How far panopticapi's IdGenerator moves each channel of a category's colour at most."""

MOST_IDS = 4_096
"""More different colours are a photograph, or a dump whose images tell more, one by one."""

SMALL = 20
"""A value from 1 to this is an index and no shade: greys that people choose are further apart."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """code: stable word. words: what the channels hold. classes: different ones, if known."""

    code: Code
    words: str
    classes: int = 0


def find_encoding(keys: NDArray[np.int64]) -> Encoding | None:
    """What these colours, keys int64 (K,), encode, if they look like numbers."""
    if len(keys) > MOST_IDS:
        return None
    colours = key_colours(keys.astype(np.uint32)).astype(np.int64)
    for rule in (_in_grey, _in_one, _ade, _panoptic, _two_channel, _ids):
        found = rule(colours)
        if found is not None:
            return found
    return None


def numbers_of(keys: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The index that each colour stands for, int64 (K,); None where it takes more than it."""
    encoding = find_encoding(keys)
    if encoding is None or encoding.code not in ("grey", "one-channel"):
        return None
    numbers: NDArray[np.int64] = key_colours(keys.astype(np.uint32)).max(axis=1).astype(np.int64)
    return numbers


def _in_grey(colours: NDArray[np.int64]) -> Encoding | None:
    values = colours[:, 0]
    if (colours != values[:, None]).any() or not has_small(values):
        return None
    return Encoding("grey", "the class index in all three channels alike", len(values))


def _in_one(colours: NDArray[np.int64]) -> Encoding | None:
    for channel, name in enumerate(("red", "green", "blue")):
        others = np.delete(colours, channel, axis=1)
        if not others.any() and has_small(colours[:, channel]):
            words = f"the class index, or an id below 256, in the {name} channel alone"
            return Encoding("one-channel", words, len(colours))
    return None


def has_small(values: NDArray[np.int64]) -> bool:
    """Whether some value is an index rather than a shade."""
    return bool(((values >= 1) & (values <= SMALL)).any())


def _ade(colours: NDArray[np.int64]) -> Encoding | None:
    """ADE20K: class = (R // 10) * 256 + G, instance in B (CSAILVision/ADE20K, utils)."""
    red, green, blue = colours.T
    classes = len(np.unique(red * 256 + green))
    several = len(colours) > classes  # instances of one class
    if (red % 10).any() or red.max() > 130 or len(np.unique(red)) < 3:
        return None
    if not several or len(np.unique(blue)) < 4 or len(colours) < 6:
        return None
    words = "ADE20K's full encoding: class = (R // 10) * 256 + G, instance in B"
    return Encoding("ade", words, classes)


def _panoptic(colours: NDArray[np.int64]) -> Encoding | None:
    """COCO panoptic: stuff has its category's colour, things have one up to NEAR away."""
    preset = next(p for p in all_presets().palettes if p.name == "coco-panoptic")
    categories = preset.colours.astype(np.int64)
    solid = colours[colours.any(axis=1)]
    if len(solid) < 4:
        return None
    steps = np.abs(solid[:, None, :] - categories[None]).max(axis=2)
    nearest = steps.argmin(axis=1)
    exact = steps.min(axis=1) == 0
    if steps.min(axis=1).max() > NEAR or not 2 <= exact.sum() < len(solid):
        return None
    words = (
        "COCO panoptic ids: id = R + 256 G + 65536 B, colours near those of categories; "
        "what an id means stands in the JSON beside the images"
    )
    return Encoding("coco-panoptic", words, len(np.unique(nearest)))


def _two_channel(colours: NDArray[np.int64]) -> Encoding | None:
    red, green, blue = colours.T
    classes = len(np.unique(red))
    if blue.any() or len(colours) < 4 or len(colours) == classes or not has_small(green):
        return None
    return Encoding("two-channel", "the category in R, the instance in G", classes)


def _ids(colours: NDArray[np.int64]) -> Encoding | None:
    red, green, blue = colours.T
    low, high = (red, blue) if blue.max() <= red.max() else (blue, red)
    if high.max() > 8 or len(colours) < 4 or len(np.unique(low)) * 2 < len(np.unique(green)):
        return None
    words = "ids in several channels: id = R + 256 G + 65536 B"
    if low is blue:
        words = "ids in several channels: id = B + 256 G + 65536 R"
    return Encoding("ids", words)
