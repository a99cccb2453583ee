"""Files that a report names, found below a folder and nowhere else."""

from __future__ import annotations

import os
import stat

from gpuseg.codecs.opening import SUFFIXES

_SUFFIXES = (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES))


def below(folder: str | None, relative: str) -> str | None:
    """The path of a regular file below a folder, None where there is none.

    relative: as in a report, which anybody may have written: a path that leads up or out, of
    any system, names no file.
    """
    if not folder or not is_plain(relative):
        return None
    path = os.path.join(folder, relative)
    try:
        return path if stat.S_ISREG(os.stat(path).st_mode) else None  # a pipe could wait for ever
    except (OSError, ValueError):  # ValueError: what the file system cannot name
        return None


def is_plain(relative: str) -> bool:
    """Whether a path is relative and leads only down."""
    if not relative or "\0" in relative or os.path.isabs(relative) or relative.startswith("/"):
        return False
    if os.name == "nt" and (":" in relative or "\\" in relative):
        return False
    return ".." not in relative.split("/")


def of_stem(folder: str | None, target: str) -> str | None:
    """The image that has the place and stem of a target, None where there is not exactly one."""
    stem = os.path.splitext(target)[0]
    found = [path for suffix in _SUFFIXES if (path := below(folder, stem + suffix))]
    return found[0] if len({os.path.realpath(path) for path in found}) == 1 else None
