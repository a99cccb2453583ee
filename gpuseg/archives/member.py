"""A member of an archive, and which members are wanted."""

from __future__ import annotations

import io
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Literal, TypeVar

from gpuseg.archives.naming import Names, normal
from gpuseg.archives.spool import Spool
from gpuseg.errors import NO_MEMORY, ArchiveError, MaskError, MaskSizeError, MemberError
from gpuseg.names import why_unsafe
from gpuseg.taking import leave, suffix_of, takes

Result = TypeVar("Result")

Part = Literal["mask", "other", "left"]

IN_MEMORY = 1 << 20
"""Bytes of a kept member above which it waits for its turn in a temp file."""

_LAST_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One member of an archive, in its place.

    name: its own among the rows of the archive; safe, with slashes, unless there is an error.
    data: its bytes; of a kept one (`part` is `other`) a file to be read from its start, which
    whoever takes it closes. mtime_ns: time of last change, ns, 0 where there is none.
    error: why it cannot be used, if so; then it has no data.
    """

    name: str
    data: bytes | IO[bytes] = field(default=b"", repr=False)
    mtime_ns: int = 0
    part: Part = "mask"
    error: Exception | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which members are masks, and what becomes of the others.

    max_bytes: no member that is larger is read. pattern: glob for the last part of a name; None
    takes the known image suffixes and leaves hidden names alone. keep_others: other members are
    handed out, too. column: of a table, the column that holds the masks; None where there is
    only one. left_alone: members that are not handed out, counted by suffix.
    """

    max_bytes: int
    pattern: str | None = None
    keep_others: bool = False
    column: str | None = None
    left_alone: Counter[str] = field(default_factory=Counter)

    def part_of(self, name: str) -> Part:
        """What a member is, by its name; what is left is counted."""
        folder, _, base = name.rpartition("/")
        hidden = self.pattern is None and "/." in f"/{folder}"
        if takes(base, self.pattern) and not hidden:
            return "mask"
        if self.keep_others:
            return "other"
        leave(self.left_alone, "hidden" if hidden else suffix_of(base))
        return "left"

    def read(self, file: IO[bytes], size: int, part: Part, spool: Spool) -> bytes | IO[bytes]:
        """The data of a member. size: bytes that it claims. spool: keeps it if it is large.

        Raises MaskSizeError above the limit, MemberError where it has more or less than it
        claims, and whatever the file raises.
        """
        if size > self.max_bytes:
            raise MaskSizeError(
                f"has {size:,} bytes, a member may have {self.max_bytes:,} by --max-pixels; if "
                "the archive can be trusted, raise that"
            )
        if part == "mask" or size <= IN_MEMORY:
            data = file.read(size + 1)
            _check_size(len(data), size)
            return data if part == "mask" else io.BytesIO(data)
        return _spooled(file, size, spool)


class Gate:
    """Who of one archive's members comes in."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._names = Names()

    def judge(
        self, raw: str, mtime_ns: int, why: str = "", *, hostile: bool = False
    ) -> Member | None:
        """A member without its data; with an error if it must not be read, None if not wanted.

        raw: its name in the archive. why: why it cannot be used, if its kind says so; hostile:
        nobody packs such a thing by chance, so it has a row even if nobody wants it.
        """
        name = normal(raw)
        row = self._names.row(name)
        if reason := why_unsafe(name):
            why = f"has a name that no member may have: {reason}; make the archive again without it"
        elif not hostile:
            part = self.choice.part_of(name)
            if part == "left":
                return None
            if row != name:
                why = (
                    f"is not the first member named {name}: which of them is meant cannot be "
                    "told; make the archive again with one"
                )
            if not why:
                return Member(row, b"", mtime_ns, part)
        return Member(row, b"", mtime_ns, "mask", MemberError(why))


def nanoseconds(seconds: Any) -> int:
    """A time as archives have it, in ns; 0 where it is none that a file could have."""
    try:
        found = float(seconds)
    except (TypeError, ValueError, OverflowError):
        return 0
    if not math.isfinite(found) or not 0 <= found * 1e9 <= _LAST_NS:
        return 0
    return seconds * 1_000_000_000 if isinstance(seconds, int) else int(found * 1e9)


def size_of(file: IO[bytes]) -> int:
    """Bytes from where a file stands to its end."""
    at = file.tell()
    size = file.seek(0, os.SEEK_END) - at
    file.seek(at)
    return size


def damaged(reason: object) -> ArchiveError:
    """The error of an archive that cannot be read on."""
    return ArchiveError(
        f"cannot be read to its end ({reason}): members before that are looked at, none after it; "
        "restore it from its source"
    )


def told(do: Callable[[], Result]) -> Result:
    """Do what may meet damage; nearly anything that is raised then is an ArchiveError."""
    try:
        return do()
    except MaskError:
        raise
    except MemoryError as error:
        raise damaged(NO_MEMORY) from error
    # libraries raise nearly anything on damaged input: OSError, EOFError, ValueError, zlib.error …
    except Exception as error:
        reason = getattr(error, "strerror", None) or error
        raise damaged(str(reason) or type(error).__name__) from error


def _check_size(found: int, size: int) -> None:
    if found != size:
        raise MemberError(
            f"is damaged: it has {'more' if found > size else f'{found:,}'} bytes and claims "
            f"{size:,}; restore the archive from its source"
        )


def _spooled(file: IO[bytes], size: int, spool: Spool) -> IO[bytes]:
    """A copy of a large member in a temp file."""
    copy, found = spool.copy(file, size)
    try:
        _check_size(found, size)
    except MemberError:
        copy.close()
        raise
    return copy
