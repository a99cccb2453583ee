"""Child processes: Python started as this process was, and what became of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any

from gpuseg.errors import WorkerError


def start(command: str, *arguments: str, **pipes: Any) -> subprocess.Popen[bytes]:
    """Start Python as this process was, with a command, and its arguments before `sys.path`.

    Ctrl-C does not reach it. pipes: of `subprocess.Popen`. Raises WorkerError.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        raise WorkerError("cannot be started: this program is no Python interpreter")
    apart: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    try:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, *flags(), "-c", command, *arguments, *_paths()], **pipes, **apart
        )
    except (OSError, ValueError) as error:  # ValueError: a null byte in a path
        reason = getattr(error, "strerror", None) or error
        raise WorkerError(f"cannot be started: {reason}") from error


def flags() -> list[str]:
    """How this interpreter was started (-I, -X utf8 …), as multiprocessing hands it on."""
    flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags", list)()
    return flags


def _paths() -> list[str]:
    """Where modules are found, '' being the current folder, if there still is one."""
    here = ""
    with contextlib.suppress(OSError):
        here = os.getcwd()
    return [os.path.join(here, path) if here or path else path for path in sys.path]


def cause(code: int) -> str:
    """What became of a process that ended with `code`."""
    if code == -getattr(signal, "SIGKILL", 9):
        return "killed from outside, perhaps for want of memory; use fewer --workers"
    if code < 0:
        return f"killed by signal {-code}"
    return f"ended with code {code}"
