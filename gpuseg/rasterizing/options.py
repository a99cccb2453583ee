"""How annotations become label maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gpuseg.annotations.choices import Crowd, ReadingChoices
from gpuseg.errors import UsageError
from gpuseg.options import Depth, WriteKeywords, WriteOptions
from gpuseg.rasterizing.renaming import Renaming
from gpuseg.shapes import ORDERS, Order

UnknownLabel = Literal["error", "ignore"]
"""What a label that the palette does not hold does: fail the image, or become no class."""

BadShapes = Literal["error", "skip"]
"""What a shape that cannot be drawn does: fail the image, or be left out and told of."""

Instances = Literal["16", "palette"]
"""How instance maps are written: 16-bit greyscale, or palette PNG of up to 254 instances."""

MOST_BORDER = 255
"""Pixels of the widest void border, on either side."""


class RasterizeKeywords(WriteKeywords, total=False):
    """The fields of `RasterizeOptions` as keyword arguments."""

    format: str
    size: tuple[int, int] | None
    images: str | None
    line_width: int | None
    crowd: Crowd | None
    label_key: str | None
    masks: str | None
    labels: Renaming | None
    unknown: UnknownLabel
    bad_shapes: BadShapes
    order: Order | None
    border: int
    instances: Instances | None
    background: str | int | None
    ignore_index: int | None
    depth: Depth


@dataclass(frozen=True, kw_only=True)
class RasterizeOptions(ReadingChoices, WriteOptions):
    """How annotations become label maps: `WriteOptions`, `ReadingChoices`, and these.

    format: of the annotations; `auto` finds it out.
    labels: what labels become, a class by name or index, `ignore` or `skip`: a dictionary, or a
        file of them.
    unknown: what becomes of a label that no class has: `error` fails the image, `ignore` gives
        its pixels the ignore index and counts them.
    bad_shapes: a shape that cannot be drawn: `error` fails the image, `skip` leaves it out.
    order: which shape lies over which; None takes the format's own.
    border: pixels on either side of where two instances, or one and the background, meet that
        get the ignore index.
    instances: write instance maps instead of class maps, and how.
    background: the class, by name or index, of pixels that no shape covers, or `ignore` for the
        ignore index; None takes the class that is called background or unlabeled, else `ignore`.
    ignore_index: None takes the palette's own, else 255 (65535 at depth 16).
    depth: bits of a label: 8 (palette PNG) or 16 (greyscale PNG).
    """

    format: str = "auto"
    labels: Renaming | None = None
    unknown: UnknownLabel = "error"
    bad_shapes: BadShapes = "error"
    order: Order | None = None
    border: int = 0
    instances: Instances | None = None
    background: str | int | None = None
    ignore_index: int | None = None
    depth: Depth = 8

    @property
    def tells_instances(self) -> bool:
        """Whether what is drawn tells shapes of one class apart."""
        return self.instances is not None or self.border > 0

    def __post_init__(self) -> None:
        ReadingChoices.__post_init__(self)
        WriteOptions.__post_init__(self)
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(
                    f"{name} must be one of {', '.join(map(str, allowed))}, "
                    f"got {getattr(self, name)!r}"
                )
        if self.instances == "palette" and self.depth != 8:
            raise UsageError(
                f"instance maps in palette PNGs have 8 bits, got depth {self.depth}; choose "
                "--instances 16, or leave the depth out"
            )
        if not 0 <= self.border <= MOST_BORDER:
            raise UsageError(f"border must be 0 to {MOST_BORDER} pixels, got {self.border}")
        top = (1 << self.depth) - 1
        if self.ignore_index is not None and not 0 <= self.ignore_index <= top:
            raise UsageError(
                f"ignore_index must be 0 to {top} at depth {self.depth}, got {self.ignore_index}"
            )


_CHOICES = {
    "unknown": get_args(UnknownLabel),
    "bad_shapes": get_args(BadShapes),
    "order": (None, *ORDERS),
    "instances": (None, *get_args(Instances)),
    "depth": get_args(Depth),
}
