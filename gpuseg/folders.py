"""SRC and DST as folders: which pairs are refused, and how target folders are made ready."""

from __future__ import annotations

import os
import re
import stat
from functools import lru_cache
from typing import Literal

from gpuseg import output, storage
from gpuseg.codecs.opening import SUFFIXES
from gpuseg.errors import OutputError, UsageError
from gpuseg.names import ARCHIVES, OTHERS, kind_of

_ONE_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")


class Folders:
    """Target folders, each made, checked and swept once (the last few thousand remembered)."""

    def __init__(self, dst: str) -> None:
        self._dst, self._root = dst, os.path.realpath(dst)
        self.prepare = lru_cache(maxsize=4096)(self._prepare)

    def __reduce__(self) -> tuple[type[Folders], tuple[str]]:
        return Folders, (self._dst,)  # a worker process remembers for itself

    def _prepare(self, folder: str) -> None:
        """Make a folder below DST and sweep it. Raises OutputError."""
        wanted = os.path.join(self._root, os.path.relpath(folder, self._dst))
        real = os.path.realpath(folder)
        if os.path.normcase(real) != os.path.normcase(os.path.normpath(wanted)):
            # out of DST it could fall on anything, inside DST on another mask's target
            raise OutputError(f"the target folder {folder} is led to {real}; remove that link")
        try:
            os.makedirs(folder, exist_ok=True)
            output.sweep(folder)
        except OSError as error:
            raise OutputError(
                f"the target folder {folder} cannot be used: {error.strerror}; make room for "
                "it, or choose another DST"
            ) from error


def folds_case(dst: str) -> bool:
    """Whether DST takes a.png and A.png for one file (macOS, Windows, exFAT, SMB …).

    Tries it with a temp file; a DST that cannot be written to is told later, file by file.
    """
    try:
        os.makedirs(dst, exist_ok=True)
        return output.folds_case(dst)
    except OSError:
        return False


def check_folders(src: str, dst: str) -> None:
    """Refuse folders between which an input could be overwritten. Raises UsageError."""
    check_source(src)
    check_target(dst)
    if storage.is_url(src) != storage.is_url(dst):
        return
    if storage.is_url(src):
        source, target = src.rstrip("/") + "/", dst.rstrip("/") + "/"
        is_same, is_inside = source == target, source.startswith(target)
    else:
        source, target = os.path.realpath(src), os.path.realpath(dst)
        is_same = source == target or (os.path.isdir(dst) and os.path.samefile(src, dst))
        is_inside = _is_inside(source, target)
    if is_same:
        raise UsageError(
            f"DST must not be SRC ({src}): files would be their own targets; choose another"
        )
    if is_inside:
        raise UsageError(
            f"SRC ({src}) must not lie inside DST ({dst}): targets could fall on inputs; "
            "choose another DST"
        )


def check_source(src: str) -> None:
    """Refuse a SRC that is no folder, as far as that can be told. Raises UsageError."""
    if storage.is_url(src):
        return
    kind = _kind(src)
    if kind is None:
        check_slashes("SRC", src)
        raise UsageError(f"SRC {src} does not exist; {source_wanted(src)}")
    if kind != "folder":
        raise UsageError(f"SRC must be a folder, got {src}, which is a file{_of_archives(src)}")


def check_slashes(called: str, place: str) -> None:
    """Refuse a URL that lacks a slash and would be taken for a path. Raises UsageError."""
    if _ONE_SLASH.match(place) and not os.path.lexists(place):
        scheme, rest = place.split(":/", 1)
        raise UsageError(
            f"{called} {place} is neither a path that exists nor a URL; write {scheme}://{rest}, "
            f"or ./{place} for a path"
        )


def source_wanted(src: str) -> str:
    """What to give in the place of a SRC that does not exist."""
    if set(src) & set("*?"):
        return "many archives are named by braces ('train-{000..099}.tar'), files by --pattern"
    return "give a folder of masks, an archive, a URL or one mask"


def _is_inside(path: str, folder: str) -> bool:
    if os.path.splitdrive(path)[0] != os.path.splitdrive(folder)[0]:
        return False
    return os.path.commonpath([path, folder]) == folder


def real(dst: str) -> str:
    """The one name of DST: a path without links, or the URL itself."""
    return dst if storage.is_url(dst) else os.path.realpath(dst)


def _kind(path: str) -> Literal["folder", "file"] | None:
    """What lies at a path, None for nothing. One look: another shard may make DST meanwhile."""
    try:
        return "folder" if stat.S_ISDIR(os.stat(path).st_mode) else "file"
    except (OSError, ValueError):  # ValueError: a null byte
        return None


def _of_archives(path: str) -> str:
    """Which archives there are, for who names one of another kind."""
    other = kind_of(path) is None and path.lower().endswith(OTHERS)
    return f"; archives are {', '.join(ARCHIVES)}" if other else ""


def check_target(dst: str) -> None:
    """Refuse a DST that is a file, or named like one. Raises UsageError."""
    kind = None if storage.is_url(dst) else _kind(dst)
    if kind == "folder":
        return
    if kind is not None:
        raise UsageError(f"DST must be a folder, got {dst}, which is a file")
    if kind_of(dst) is not None:
        raise UsageError(
            f"DST must be a folder here, got {dst}, a name for an archive; convert, colorize, "
            "recolor, remap and repair make archives, of folders and of archives"
        )
    check_slashes("DST", dst)
    if told := _of_archives(dst):
        raise UsageError(f"DST must be a folder here, got {dst}, a name for an archive{told}")
    if dst.lower().endswith(SUFFIXES):
        raise UsageError(
            f"DST must be a folder, got {dst}, a name for a file; label maps get the names of "
            "their masks"
        )
