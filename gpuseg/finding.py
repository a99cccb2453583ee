"""What SRC is: a folder, one file, or a place in a storage."""

from __future__ import annotations

import os

from gpuseg import storage
from gpuseg.archives.braces import has_braces, kind_at
from gpuseg.discover import Listed, Walk
from gpuseg.errors import UsageError
from gpuseg.listings import Listing

Files = Walk | Listed | Listing


def find(src: str, pattern: str | None, skip: str | None = None) -> Files:
    """The files of SRC: a folder is walked, a file is itself, a URL is listed.

    skip: as in Walk, or a URL. Raises UsageError for what does not exist, or cannot be asked.
    """
    if storage.is_url(src):
        return _stored(src, pattern, skip)
    if os.path.isdir(src):
        return Walk(src, pattern, skip)
    if not os.path.lexists(src):
        raise UsageError(f"{src} does not exist; give a folder of images or one image")
    if pattern is not None:
        raise UsageError(f"a pattern chooses files of a folder, got {pattern!r} with a file")
    return Listed([src])


def is_file(src: str) -> bool:
    """Whether SRC is one file. Raises UsageError for a storage that cannot be asked."""
    if not storage.is_url(src):
        return os.path.isfile(src)
    if src.endswith("/") and not src.endswith("://"):
        return False
    try:
        return storage.info(src) is not None
    except OSError as error:
        raise UsageError(
            f"{src} cannot be looked at: {error.strerror or error}; mend that, or name another"
        ) from error


def is_archive(path: str, *, target: bool = False) -> bool:
    """Whether a place is an archive by its name, or stands for many by braces; see `archives`.

    target: it is to be written, and need not exist. Raises UsageError as `is_file`.
    """
    if kind_at(path) is None:
        return False
    if has_braces(path):
        return True
    if target:
        return storage.is_url(path) or not os.path.isdir(path)
    return is_file(path)


def is_folder(src: str) -> bool:
    """Whether SRC is a folder, or may be one: a storage only knows files."""
    return not is_file(src) if storage.is_url(src) else os.path.isdir(src)


def _stored(src: str, pattern: str | None, skip: str | None) -> Files:
    if not is_file(src):
        return Listing(src, pattern, skip)
    if pattern is not None:
        raise UsageError(f"a pattern chooses files of a folder, got {pattern!r} with a file")
    return Listed([src])
