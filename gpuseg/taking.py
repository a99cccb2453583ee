"""Which names are taken for masks, and which target each becomes."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter

from gpuseg.codecs.opening import SUFFIXES
from gpuseg.errors import CollisionError

MAX_KINDS = 64
"""Suffixes of other files that are counted apart; the rest are `others`."""


def takes(name: str, pattern: str | None) -> bool:
    """Whether a file of this name (its last part) is taken.

    pattern: glob; None takes the known image suffixes and leaves hidden files alone.
    """
    if pattern is not None:
        return fnmatch.fnmatch(name, pattern)
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def key_of(name: str, ending: str) -> str | None:
    """A name without its suffix and this ending; None for one that ends otherwise."""
    stem = os.path.splitext(name)[0]
    if not stem.endswith(ending):
        return None
    return stem[: len(stem) - len(ending)]


def leave(left_alone: Counter[str], kind: str) -> None:
    """Count a file that is not taken. kind: its suffix, or what else it is."""
    if kind not in left_alone and len(left_alone) >= MAX_KINDS:
        kind = "others"
    left_alone[kind] += 1


def suffix_of(name: str) -> str:
    """The kind that a file is counted under when it is left alone."""
    return "hidden" if name.startswith(".") else os.path.splitext(name)[1].lower()


def target_name(name: str) -> str:
    """`a/b.jpg` -> `a/b.png`."""
    if name[-4:] == ".png" and name[-5:-4].isalnum():  # the usual name is its own target
        return name
    return os.path.splitext(name)[0] + ".png"


def target_key(name: str, folds_case: bool) -> str:
    """Names whose keys are equal have one target. folds_case: DST takes a.png for A.png."""
    target = target_name(name)
    return target.casefold() if folds_case else target


def collision(name: str, target: str = "") -> CollisionError:
    """The error of a file that is not the only one with its target, by its name unless told."""
    return CollisionError(
        f"several files would become {target or target_name(name)}; rename them, or choose one "
        "kind with --pattern"
    )
