"""What a storage says of a file, however its driver puts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a storage.

    path: its URL. relative: its key below the place that was listed. size: bytes. mtime_ns: time
    of last change, ns, 0 where it is not known. tag: what the storage says of its content (an
    ETag), "" where it says nothing.
    """

    path: str
    relative: str
    size: int
    mtime_ns: int
    tag: str


def entry_of(url: str, relative: str, facts: Mapping[str, Any]) -> Entry:
    """The file at a URL. facts: as `info` and `ls` of a driver tell them."""
    time = next((facts[key] for key in _TIMES if facts.get(key)), None)
    tag = next((str(facts[key]) for key in _TAGS if facts.get(key)), "")
    return Entry(url, relative, int(facts.get("size") or 0), _nanoseconds(time), tag.strip('"'))


def _nanoseconds(time: object) -> int:
    """A time as drivers tell it: a datetime, its ISO text, or seconds; 0 for none of them."""
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return 0
    if isinstance(time, datetime):
        return int(time.timestamp() * 1_000_000) * 1_000
    return int(time * 1e9) if isinstance(time, (int, float)) else 0
