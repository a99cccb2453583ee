"""How predictions are evaluated: frozen and validated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from gpuseg.errors import UsageError
from gpuseg.options import DEFAULT_BATCH_PIXELS, ReadKeywords, ReadOptions
from gpuseg.palette import MAX_INDEX
from gpuseg.palettes.index_table import Unmapped

Theta = float | Literal["auto"]
"""How far apart boundaries may be, in pixels; auto: a part of each image's diagonal."""

WORST = 10
"""Pairs with the lowest mean IoU that are named, if nothing else is said."""


class EvaluateKeywords(ReadKeywords, total=False):
    """The fields of `EvaluateOptions` as keyword arguments."""

    ignore_index: int | None
    unmapped: Unmapped
    pred_suffix: str
    truth_suffix: str
    worst: int
    boundary: Theta | None
    device: str
    batch_pixels: int


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(ReadOptions):
    """How pairs are read and scored: `ReadOptions` (`pattern` chooses truths), and these.

    ignore_index: pixels whose truth it is do not count; None takes the palette's, else 255, or
        65535 where the palette has indices above 255, if that is no class of the palette.
    unmapped: an index that a map does not name: `error` fails the pair, `keep` lets it be,
        `ignore` makes it the ignore index.
    pred_suffix, truth_suffix: what names end in before their own suffixes, where the two differ:
        with `_leftImg8bit` and `_gtFine_labelIds` what comes before it pairs them, and files
        that do not end so are left alone.
    worst: how many of the pairs with the lowest mean IoU are named.
    boundary: also score boundaries, which may be so many pixels apart; `auto`: 0.75 % of each
        image's diagonal; see `evaluation.boundary`.
    device: who counts cells: `cpu`, `cuda` (the first device) or `cuda:1`. The CPU counts in less
        time than a copy to a device takes; a device helps where the CPU has other work.
        Boundaries are the CPU's in any case.
    batch_pixels: pixels that are on their way to a device at once, of either side.
    """

    ignore_index: int | None = None
    unmapped: Unmapped = "error"
    pred_suffix: str = ""
    truth_suffix: str = ""
    worst: int = WORST
    boundary: Theta | None = None
    device: str = "cpu"
    batch_pixels: int = DEFAULT_BATCH_PIXELS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unmapped not in get_args(Unmapped):
            raise UsageError(f"unmapped must be error, keep or ignore, got {self.unmapped!r}")
        if self.ignore_index is not None and not _is_whole(self.ignore_index, MAX_INDEX):
            raise UsageError(f"ignore_index must be 0 to {MAX_INDEX}, got {self.ignore_index!r}")
        if not _is_whole(self.worst, 1_000_000):
            raise UsageError(f"worst must be 0 to 1,000,000, got {self.worst!r}")
        if self.boundary not in (None, "auto") and not _is_distance(self.boundary):
            raise UsageError(
                f"boundary must be auto, or pixels from 0 on, got {self.boundary!r}; auto is "
                "0.75 % of each image's diagonal"
            )
        self._check_device()

    def _check_device(self) -> None:
        if not re.fullmatch(r"cpu|cuda(:[0-9]+)?", str(self.device)):
            raise UsageError(f"device must be cpu, cuda or cuda:N, got {self.device!r}")
        if self.device != "cpu" and self.scheduler is not None:
            raise UsageError(
                f"with a scheduler the CPUs of its workers count, got device {self.device!r}; "
                "leave one of them out"
            )
        if not _is_whole(self.batch_pixels, 1 << 40) or not self.batch_pixels:
            raise UsageError(f"batch_pixels must be 1 at least, got {self.batch_pixels!r}")


def unsaid_ignore(index: int, classes: str, advice: str) -> UsageError:
    """The error of the ignore index where none was said and it is a class, which would not count.

    classes: what it is one of. advice: how to say one.
    """
    return UsageError(
        f"{index}, the ignore index where nothing else is said, is one of {classes}; {advice}, for "
        f"instance {MAX_INDEX}, or {index} if it means no class"
    )


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _is_distance(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    )
