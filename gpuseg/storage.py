"""Storage beyond local folders: buckets and whatever else fsspec has a driver for.

The only home of fsspec. A place is named by a URL, `s3://bucket/masks`; who may read it is the
driver's business (environment variables, profiles, see its documentation), never ours.
"""

from __future__ import annotations

import errno
import glob
import io
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from inspect import signature
from typing import IO, Any

from gpuseg.answers import Entry, Stream, entry_of, told
from gpuseg.errors import UsageError

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)  # two letters: C:// is a drive

_EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "az"),
}
"""The extra of ours that brings the driver of a scheme."""

_WHOLE_AT_ONCE = frozenset({*_EXTRAS, "memory"})
"""Schemes whose writes are whole or not at all. Elsewhere a file is written beside its target
and then renamed."""

CONNECTIONS = 64
"""Requests to a storage that one process has in hand at once; s3fs would hold back all but 10."""

_LOCAL = frozenset({"file", "local"})
_VERSION = "?versionId="


def is_url(path: str) -> bool:
    """Whether a place is named by a URL, and not by a path of this machine."""
    return "://" in path and _URL.match(path) is not None  # most are paths: asked often


def is_shared(url: str) -> bool:
    """Whether other processes see what lies there: all but `memory://`."""
    return _scheme(url) != "memory"


def join(url: str, relative: str) -> str:
    """The URL of a key below a place."""
    return f"{url.rstrip('/')}/{relative}"


def read(url: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    fs, path = _open(url)
    # s3fs would ask for the size of each file first, to read a large one in parts at once
    apart = {"max_concurrency": 1} if _reads_in_parts(fs.__class__) else {}
    found: bytes = told(url, lambda: fs.cat_file(path, **apart))
    return found


def read_start(url: str, size: int) -> bytes | None:
    """The first bytes of a file, `size` at most, None where there is none. Raises OSError."""
    fs, path = _open(url)
    try:
        found: bytes = told(url, lambda: fs.cat_file(path, start=0, end=size))
    except FileNotFoundError:
        return None
    except OSError:
        entry = info(url)
        if entry is not None and entry.size == 0:  # no first byte: S3 answers with an error
            return b""
        raise
    return found


def open_stream(url: str) -> IO[bytes]:
    """A file to be read from its start, or sought in. Raises OSError."""
    fs, path = _open(url)
    raw = told(url, lambda: fs.open(path, "rb", block_size=1 << 23, cache_type="readahead"))
    return io.BufferedReader(Stream(url, raw), 1 << 20)


def write(url: str, data: bytes) -> None:
    """Write a file, whole or not at all: one PUT, where the storage has that. Raises OSError."""
    fs, path = _open(url)
    _put(url, path, lambda place: fs.pipe_file(place, data))


def upload(local: str, url: str) -> None:
    """Write a file that lies on this machine, whole or not at all. Raises OSError."""
    fs, path = _open(url)
    _put(url, path, lambda place: fs.put_file(local, place))


def _put(url: str, path: str, write: Callable[[str], object]) -> None:
    """Have a file written, beside its target where the storage shows it before it is whole."""
    if _scheme(url) in _WHOLE_AT_ONCE:
        told(url, lambda: write(path))
    else:
        _by_rename(url, path, write)


def remove(url: str) -> None:
    """Remove a file. Raises OSError."""
    fs, path = _open(url)
    told(url, lambda: fs.rm_file(path))


def info(url: str) -> Entry | None:
    """What is known of a file, None where there is none. Raises OSError."""
    fs, path = _open(url)
    try:
        facts = told(url, lambda: fs.info(path, refresh=True) if _is_s3(fs) else fs.info(path))
    except FileNotFoundError:
        return None
    if facts.get("type") == "directory":
        return None
    return entry_of(url, url.rsplit("/", 1)[-1], facts)


def entries(url: str, at_once: int = 1000) -> Iterator[Entry]:
    """All files below a place, page by page where the storage is S3, else folder by folder.

    at_once: of a page; S3 takes 1,000 at most.

    On S3 they are sorted by key, elsewhere the folders are, and the names in each.
    Raises OSError; FileNotFoundError where there is no such place and the storage can tell.
    """
    fs, root = _open(url)
    root = root.rstrip("/")
    return _pages(url, fs, root, at_once) if _is_s3(fs) else _walk(url, fs, root)


def _pages(url: str, fs: Any, root: str, at_once: int) -> Iterator[Entry]:
    """The keys of an S3 bucket, some at a time."""
    bucket, prefix, _ = fs.split_path(root)
    prefix = f"{prefix}/" if prefix else ""
    for facts in _listed(url, fs, Bucket=bucket, Prefix=prefix, MaxKeys=at_once):
        relative = facts["Key"][len(prefix) :]
        if not relative.endswith("/") and relative:  # as consoles mark folders
            yield entry_of(join(url, relative), relative, {**facts, "size": facts["Size"]})


def _listed(url: str, fs: Any, **asked: Any) -> Iterator[dict[str, Any]]:
    """What S3 says of each key, page by page."""
    while True:
        try:
            page = told(url, lambda: fs.call_s3("list_objects_v2", **asked))
        except FileNotFoundError:  # a place without files would be an empty page
            raise OSError(errno.ENXIO, f"there is no bucket {asked['Bucket']}", url) from None
        yield from page.get("Contents", ())
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def beginning_with(url: str) -> list[str]:
    """The URLs of the files that begin with this one and lie in the same folder; sorted.

    However many other files there are, S3 is asked for these only. Raises OSError.
    """
    fs, start = _open(url)
    folder = url[: url.rindex("/")]
    if _is_s3(fs):
        bucket, prefix, _ = fs.split_path(start)
        found = [
            facts["Key"] for facts in _listed(url, fs, Bucket=bucket, Prefix=prefix, Delimiter="/")
        ]
    else:
        fs.invalidate_cache()
        found = told(url, lambda: fs.glob(f"{glob.escape(start)}*"))
    return sorted(join(folder, str(name).rpartition("/")[2]) for name in found)


def _walk(url: str, fs: Any, root: str) -> Iterator[Entry]:
    """The files of folder after folder."""
    pending = [root]
    while pending:
        folder = pending.pop()
        fs.invalidate_cache(folder)
        listed = told(url, lambda: fs.ls(folder, detail=True))  # noqa: B023
        below = []
        for facts in sorted(listed, key=lambda facts: str(facts["name"])):
            name = str(facts["name"]).rstrip("/")
            if name == folder:  # a file, or how some mark a folder
                continue
            if facts.get("type") == "directory":
                below.append(name)
                continue
            relative = name[len(root) :].lstrip("/")
            yield entry_of(join(url, relative), relative, facts)
        fs.invalidate_cache(folder)  # a listing is not kept
        pending.extend(reversed(below))


def _by_rename(url: str, path: str, write: Callable[[str], object]) -> None:
    """Write beside the target, then rename."""
    import secrets

    fs, _ = _open(url)
    folder, _, name = path.rpartition("/")
    beside = f"{folder}/.gpuseg-{secrets.token_hex(8)}.tmp"
    try:
        told(url, lambda: fs.makedirs(folder, exist_ok=True))
        told(url, lambda: write(beside))
        told(url, lambda: fs.mv(beside, f"{folder}/{name}"))
    except BaseException:
        with_it = f"{url.rpartition('/')[0]}/{beside.rpartition('/')[2]}"
        _forget(with_it)
        raise


def _forget(url: str) -> None:
    try:
        remove(url)
    except OSError:  # it was never written, or the storage is gone: told already
        return


def _scheme(url: str) -> str:
    found = _URL.match(url)
    return found[1].lower() if found else ""


def _is_s3(fs: Any) -> bool:
    return hasattr(fs, "call_s3")


@cache
def _reads_in_parts(driver: type[object]) -> bool:
    """Whether it is an s3fs that reads large files so, as those from 2026 do."""
    if not hasattr(driver, "call_s3"):
        return False
    return "max_concurrency" in signature(getattr(driver, "_cat_file")).parameters  # noqa: B009


@lru_cache(maxsize=64)
def _filesystem(scheme: str, place: str) -> Any:
    """The driver of a place. Raises UsageError where it is not installed or does not fit."""
    if scheme in _LOCAL:  # by a path it is known whether DST is SRC, and what is a link
        raise UsageError(f"{scheme}:// is this machine: give the path without it")
    extra = _EXTRAS.get(scheme, "storage")
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{scheme}:// needs fsspec and its driver: pip install 'gpuseg[{extra}]'"
        ) from None
    try:
        fs, _ = fsspec.url_to_fs(place, use_listings_cache=False, **_settings(scheme))
    except ImportError as error:
        raise UsageError(
            f"{scheme}:// needs a driver: {error}; pip install 'gpuseg[{extra}]'"
        ) from None
    except Exception as error:  # a driver raises what it likes
        raise UsageError(
            f"{place} cannot be used: {error}; mend the URL (s3://bucket/folder), or what its "
            "driver is told"
        ) from error
    return fs


def _settings(scheme: str) -> dict[str, Any]:
    """What a driver is told besides what its user has configured."""
    if _EXTRAS.get(scheme) != "s3":
        return {}
    from fsspec.config import conf

    theirs = conf.get("s3", {}).get("config_kwargs", {})
    return {"config_kwargs": {"max_pool_connections": CONNECTIONS, **theirs}}


def _open(url: str) -> tuple[Any, str]:
    """The driver of a URL, and the path that it knows it by."""
    scheme = _scheme(url)
    host = url[: url.find("/", len(scheme) + 3)] if "/" in url[len(scheme) + 3 :] else url
    fs = _filesystem(scheme, host)
    if _is_s3(fs) and _VERSION in url:  # s3fs would take the key before it
        raise OSError(errno.EINVAL, f"a key with {_VERSION} in it cannot be named", url)
    path = str(fs._strip_protocol(url))
    if _is_s3(fs) and not path.strip("/"):
        raise OSError(errno.EINVAL, "it names no bucket", url)
    return fs, path
