"""What a user has to say of annotations that their files leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpuseg.errors import UsageError
from gpuseg.options import DEFAULT_MAX_PIXELS

Crowd = Literal["ignore", "class", "skip"]
"""What becomes of a crowd: pixels of no class, pixels of its class, or nothing."""

CROWD = "crowd"
"""What a row calls crowds that are left out."""

MOST_WIDTH = 1 << 10
"""Pixels of the widest line."""


@dataclass(frozen=True, kw_only=True)
class ReadingChoices:
    """How annotations are read.

    size: width and height of images whose annotation does not tell. images: a folder of them, for
    their sizes. line_width: of lines, in pixels, and twice the radius of points; None takes what
    the tool draws, which may be nothing. crowd: None takes the format's own. label_key: the
    attribute that names the class, for formats without classes of their own. masks: a folder of
    the masks that annotations name, where it is not the usual one. max_pixels: of an image.
    """

    size: tuple[int, int] | None = None
    images: str | None = None
    line_width: int | None = None
    crowd: Crowd | None = None
    label_key: str | None = None
    masks: str | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS

    @property
    def tells_instances(self) -> bool:
        """Whether what is drawn tells shapes of one class apart."""
        return False

    def __post_init__(self) -> None:
        if self.size is not None and not all(side > 0 for side in self.size):
            raise UsageError(f"size must be WIDTHxHEIGHT, both above 0, got {self.size}")
        if self.line_width is not None and not 1 <= self.line_width <= MOST_WIDTH:
            raise UsageError(f"line_width must be 1 to {MOST_WIDTH} pixels, got {self.line_width}")
        if self.crowd not in (None, "ignore", "class", "skip"):
            raise UsageError(f"crowd must be ignore, class or skip, got {self.crowd!r}")
