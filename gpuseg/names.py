"""Names of files: which are archives, and which that buckets and archives hold are safe."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["tar", "tar.gz", "zip", "parquet"]

ARCHIVES: dict[str, Kind] = {
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".zip": "zip",
    ".parquet": "parquet",
}
"""Kinds of archives by the suffix of their names."""

OTHERS = (".gz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".tzst", ".lz4", ".7z", ".rar")
"""Suffixes of archives that are neither read nor written, where none of `ARCHIVES` fits."""

MAX_NAME = 4096
"""Bytes of a name: PATH_MAX of Linux."""

MAX_PART = 255
"""Bytes of each part of it: NAME_MAX of nearly all file systems."""

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROKEN = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # between are bytes that are no UTF-8


def why_unsafe(name: str) -> str:
    """Why a name must not become a path below a folder, "" where it may.

    Safe are relative names with slashes, on every system: no way up, no root, no drive, no
    backslash, no empty part, no control or half characters, no longer than file systems take.
    """
    raw = name.encode("utf-8", "surrogatepass")
    parts = name.split("/")
    if not name:
        return "it is empty"
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "it is an absolute path"
    if "\\" in name:
        return "it has a backslash, which is a folder on Windows"
    if ".." in parts:
        return "it leads out of the folder (..)"
    if "" in parts or "." in parts:
        return "it has an empty part (// or /./)"
    if _CONTROL.search(name):
        return "it has control characters"
    if _BROKEN.search(name):
        return "it has half a character (a lone surrogate)"
    if len(raw) > MAX_NAME or max(map(len, raw.split(b"/"))) > MAX_PART:
        return f"it is too long ({len(raw):,} bytes)"
    return ""


def kind_of(path: str) -> Kind | None:
    """Which kind of archive a path or URL names, None for none."""
    name = path.lower()
    return next((kind for suffix, kind in ARCHIVES.items() if name.endswith(suffix)), None)


def without_suffix(path: str) -> str:
    """`a/train-000000.tar.gz` -> `a/train-000000`."""
    found = next((suffix for suffix in ARCHIVES if path.lower().endswith(suffix)), "")
    return path[: len(path) - len(found)]
