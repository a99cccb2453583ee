"""Writing so that what is written is finished: temp file beside the target, then os.replace.

A kill at any moment leaves whole files or none under their names, and at worst a temp file,
which the next run that writes to that folder sweeps. (Against a power cut, the file system's
own promises hold: nothing is fsynced.)
"""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import secrets
import stat
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gpuseg import storage
from gpuseg.errors import GpusegError, OutputError

PREFIX = ".gpuseg-"
SUFFIX = ".tmp"

FOREIGN_STALE_SECONDS = 24 * 3600
"""Age after which a temp file of another machine counts as left behind."""

_HEAD = 4096
"""Bytes of a file that tell whether it is one of ours."""


def _machine() -> str:
    """Where a process id means this process: containers may share a host name, not the ids."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        space = ""
    return f"{zlib.crc32((platform.node() + space).encode('utf-8', 'replace')):08x}"


_HOST = _machine()
_token = secrets.token_hex(4)  # of the run; tells it from an earlier one with the same pid
_current = _token  # that of the run that others began, if this process has joined one
_joined: frozenset[str] = frozenset({_token})  # all runs that it is part of
_own: frozenset[str] = _joined  # and all that it was part of, whose names its files may have
_joining = threading.Lock()
_COUNTER = itertools.count()
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn \n into \r\n without it


def token() -> str:
    """The token of this run, which is in the names of its temp files."""
    return _current


def join_run(token: str) -> None:
    """Be part of a run that another process began: its temp files are not swept.

    A worker of a cluster may take part in several runs at once.
    """
    global _current, _joined, _own
    with _joining:
        _current, _joined, _own = token, _joined | {token}, _own | {token}


def leave_run(token: str) -> None:
    """Be no longer part of a run, of which nothing is being written any more."""
    global _current, _joined
    with _joining:
        _joined -= {token}
        if _current == token:
            _current = next(iter(_joined))


@contextmanager
def new_run() -> Iterator[str]:
    """The token of a run besides others that this process may have at the same time."""
    token = secrets.token_hex(4)
    join_run(token)
    try:
        yield token
    finally:
        leave_run(token)


def write_atomically(target: str, data: bytes, check: Callable[[str], None] | None = None) -> None:
    """Write a whole file under its name, replacing what was there, or leave all as it was.

    check: called with the path of the file that was written, before it gets its name.
    Raises OutputError, and what `check` raises, with the temp file removed.
    """
    check_local(target)
    temp = temp_path(os.path.dirname(target))
    try:
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        try:
            _write_all(handle, data)
        finally:
            os.close(handle)
        if check is not None:
            check(temp)
        os.replace(temp, target)
    except BaseException as error:
        remove(Path(temp))
        if isinstance(error, (OSError, ValueError)) and not isinstance(error, OutputError):
            raise _not_written(target, error) from error
        raise


@contextlib.contextmanager
def open_atomically(target: str) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which gets its name at the end; else all is as it was.

    target: a path or a URL. Raises OutputError where it cannot be written; with any error the
    temp file is removed.
    """
    if storage.is_url(target):
        with tempfile.TemporaryDirectory(prefix="gpuseg-") as folder:
            local = os.path.join(folder, "whole")
            with open_atomically(local) as file:
                yield file
            try:
                storage.upload(local, target)
            except OSError as error:
                raise _not_written(target, error) from error
        return
    temp = temp_path(os.path.dirname(target))
    try:
        if "\0" in target:  # better told now than when it gets its name
            raise ValueError("there is a null byte in the name")
        file = open(temp, "xb")  # noqa: SIM115  # closed below
    except (OSError, ValueError) as error:
        raise _not_written(target, error) from error
    try:
        with file:
            yield file
        os.replace(temp, target)
    except BaseException as error:
        remove(Path(temp))
        if isinstance(error, OSError) and not isinstance(error, GpusegError):
            raise _not_written(target, error) from error
        raise


def _not_written(target: str, error: OSError | ValueError) -> OutputError:
    reason = getattr(error, "strerror", None) or error  # ValueError: a null byte in the name
    return OutputError(
        f"{target} cannot be written: {reason}; what was there before is untouched; mend that, "
        "or choose another place"
    )


def check_local(path: str) -> None:
    """Raise OutputError for a URL, which would become a folder `s3:` of this machine."""
    if storage.is_url(path):
        raise OutputError(f"{path} must be a place on this machine; write it there, then copy it")


def check_replaceable(path: str, mark: bytes | None, advice: str) -> None:
    """Refuse a place where a single file may not go, better before the work than after it.

    mark: what the first 4 KiB of a file that may be replaced hold; an empty file may be, too.
    With an empty mark any file may be, with None only an empty one.
    advice: what to do, the end of the message.
    Raises OutputError: there is no such folder, or something that is no file, or another file.
    """
    check_local(path)
    folder = os.path.dirname(path) or "."
    try:
        if not os.path.isdir(folder):
            raise OutputError(f"{path} cannot be written: {folder} is no folder; {advice}")
        if not os.access(folder, os.W_OK):  # read-only, or somebody else's
            raise OutputError(f"{path} cannot be written: {folder} takes no files; {advice}")
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe could wait for ever
            raise OutputError(f"{path} cannot be written: it is no regular file; {advice}")
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return
    except OutputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} cannot be written: {reason}; {advice}") from error
    if head and mark is None:
        raise OutputError(f"{path} exists already and would be replaced; {advice}")
    if head and mark is not None and mark not in head:
        raise OutputError(f"{path} is a file that gpuseg did not write here before; {advice}")


def temp_path(folder: str, run: str | None = None) -> str:
    """The path of a new temp file in a folder, which `sweep` removes once this process is gone.

    run: the token of its run, if that may not be `token`.
    """
    name = f"{PREFIX}{_HOST}-{os.getpid()}-{run or _current}-{next(_COUNTER)}{SUFFIX}"
    return os.path.join(folder, name)


@contextmanager
def marker(folder: str | None, run: str) -> Iterator[str | None]:
    """A run's empty temp file in a folder, by which other machines know that they see the same.

    None without a folder, and where it takes no file, which is told when targets are written.
    """
    temp = temp_path(folder, run) if folder is not None else None
    if temp is not None:
        try:
            os.close(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except OSError:
            temp = None
    try:
        yield temp
    finally:
        if temp is not None:
            remove(Path(temp))


def folds_case(folder: str) -> bool:
    """Whether the file system of a folder ignores case in names. Raises OSError."""
    temp = temp_path(folder)
    os.close(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        return os.path.exists(os.path.join(folder, os.path.basename(temp).upper()))
    finally:
        remove(Path(temp))


def sweep(folder: str) -> int:
    """Remove temp files that killed runs left in a folder; returns how many."""
    swept = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
                path = Path(entry.path)
                swept += _is_stale(path) and remove(path)
    return swept


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _is_stale(path: Path) -> bool:
    """Whether the process that wrote a temp file is gone."""
    parts = path.name[len(PREFIX) : -len(SUFFIX)].split("-")
    if len(parts) != 4 or not parts[1].isdecimal():
        return False  # not a name of ours
    host, pid, token, _ = parts
    if host != _HOST:
        try:
            return token not in _joined and _age(path) > FOREIGN_STALE_SECONDS
        except OSError:
            return False
    if int(pid) == os.getpid():  # a file of one run may have the name of another, left since
        return token not in _own
    if os.name == "nt":
        return True  # an open file cannot be removed there, so trying is safe
    return not _is_running(int(pid))


def _age(path: Path) -> float:
    """Seconds since a file was written, by the clock that stamps its folder. Raises OSError.

    The clocks of this machine, of a file server and of the machine that wrote the file may be
    days apart: only times of one clock tell an age.
    """
    temp = temp_path(str(path.parent))
    handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        return os.fstat(handle).st_mtime - path.stat().st_mtime
    finally:
        os.close(handle)
        remove(Path(temp))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def remove(path: Path) -> bool:
    """Remove a file; whether it was there and could be."""
    try:
        path.unlink()
    except (OSError, ValueError):
        return False
    return True
