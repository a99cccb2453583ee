"""Which photograph belongs to which label map: the same path without its suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypedDict, get_args

from gpuseg import storage
from gpuseg.discover import Walk
from gpuseg.errors import CollisionError, GpusegError, UsageError
from gpuseg.results import count
from gpuseg.torch.names import Names

Unpaired = Literal["error", "skip"]

_SHOWN = 3


class PairKeywords(TypedDict, total=False):
    """The fields of `PairOptions` as keyword arguments."""

    pattern: str | None
    label_pattern: str | None
    endings: tuple[str, str]
    unpaired: Unpaired


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """How photographs and label maps are told and paired.

    pattern, label_pattern: globs for file names of either; None takes the known image suffixes
        and leaves hidden files alone.
    endings: what paths without suffix end with on either side and is not compared, for instance
        ("_leftImg8bit", "_gtFine_labelTrainIds"); files that do not end so are left alone.
    unpaired: files without a partner are an `error`, or `skip` leaves them out.
    """

    pattern: str | None = None
    label_pattern: str | None = None
    endings: tuple[str, str] = ("", "")
    unpaired: Unpaired = "error"

    def __post_init__(self) -> None:
        if self.unpaired not in get_args(Unpaired):
            raise UsageError(f"unpaired must be 'error' or 'skip', got {self.unpaired!r}")
        texts = [isinstance(ending, str) for ending in self.endings]
        if isinstance(self.endings, str) or texts != [True, True]:
            raise UsageError(
                "endings must be two strings, of photographs and of label maps, got "
                f"{self.endings!r}"
            )


class Pairs(NamedTuple):
    """Paths of photographs and of their label maps, below their folders, by path.

    unpaired: how many photographs and how many label maps have no partner.
    """

    images: Names
    labels: Names
    unpaired: tuple[int, int]


def find_pairs(images: str, labels: str, options: PairOptions) -> Pairs:
    """Pair the files of two folders.

    Raises UsageError for what is no folder of this machine, for files without a partner and
    several of one path without suffix, and where there is no pair at all; UnreadableMaskError
    for a folder that cannot be read.
    """
    photos = dict(_files("photographs", images, options.pattern, options.endings[0]))
    maps = dict(_files("label maps", labels, options.label_pattern, options.endings[1]))
    shared = sorted(photos.keys() & maps.keys())
    if not shared:
        raise UsageError(
            f"no photograph in {images} ({_examples([*photos.values()])}) has a label map of the "
            f"same path without suffix in {labels} ({_examples([*maps.values()])}); name the "
            "folders that belong together, or pass endings=(…, …) of their names"
        )
    bare = sorted(name for stem, name in photos.items() if stem not in maps)
    lone = sorted(name for stem, name in maps.items() if stem not in photos)
    if options.unpaired == "error" and (bare or lone):
        said = [
            f"{count(len(names), what)} in {folder} {'has' if len(names) == 1 else 'have'} no "
            f"{partner} ({_examples(names)})"
            for names, what, folder, partner in (
                (bare, "photograph", images, "label map"),
                (lone, "label map", labels, "photograph"),
            )
            if names
        ]
        raise UsageError(f"{', and '.join(said)}; add them, or pass unpaired='skip'")
    return Pairs(
        Names(photos[stem] for stem in shared),
        Names(maps[stem] for stem in shared),
        (len(bare), len(lone)),
    )


def _files(what: str, folder: str, pattern: str | None, ending: str) -> Iterator[tuple[str, str]]:
    """(path without suffix and ending, path below the folder) of each file."""
    if storage.is_url(folder) or not os.path.isdir(folder):
        raise UsageError(f"{what} must lie in a folder of this machine, got {folder}")
    for source in Walk(folder, pattern, ending=ending):
        if isinstance(source.error, CollisionError):
            raise UsageError(
                f"several {what} in {folder} have the path of {source.relative} without its "
                "suffix; remove all but one, or choose by pattern or label_pattern"
            )
        if isinstance(source.error, GpusegError):
            raise type(source.error)(f"{source.path} {source.error}") from source.error
        yield os.path.splitext(source.relative)[0].removesuffix(ending), source.relative


def _examples(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} …" if len(names) > _SHOWN else shown or "none at all"
