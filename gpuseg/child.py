"""The parent's end of a worker process.

The processes are our own and not those of multiprocessing, which imports the main module of
the program anew in each: a script without `if __name__ == "__main__"` would start itself.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from gpuseg import output
from gpuseg.discover import Source
from gpuseg.errors import WorkerError
from gpuseg.task import LOCAL, Reach, Task
from gpuseg.worker import READY, Done, Opens

START_LIMIT = 60.0
"""Seconds that a process may take to be ready."""

_COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from gpuseg.worker import main; main()"


class Worker:
    """The parent's end of a worker process. Its methods raise WorkerError once it is dead.

    opens: how the process opens its device, if it has one (`worker.Opens`). lines: whether it
    makes the lines of the report, too. reach: where the files lie.
    """

    def __init__(
        self,
        task: Task,
        opens: Opens | None = None,
        *,
        lines: bool = True,
        reach: Reach = LOCAL,
    ) -> None:
        self._process = start(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        watchdog = threading.Timer(START_LIMIT, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self.send((task, output.token(), opens, lines, reach.at_once))
            while (line := self._pipe(self._process.stdout).readline()) != READY:
                if not line:  # what else its interpreter prints at the start is no answer
                    raise self._dead()
        except BaseException:
            self._process.kill()
            self.close()
            raise
        finally:
            watchdog.cancel()

    def run(self, sources: list[Source]) -> list[Done]:
        """Have files done; their results in order, under --fail-fast up to the first failure."""
        self.send(sources)
        results: list[Done] = self.receive()
        return results

    def close(self) -> None:
        """Let the process end, and wait until it has."""
        stream = self._pipe(self._process.stdin)
        # said and not only hung up: where the program has forked, others hold the pipe open
        with contextlib.suppress(OSError, ValueError):
            pickle.dump(None, stream)
            stream.flush()
        with contextlib.suppress(OSError):  # it is dead and its pipe broken
            stream.close()
        self._process.wait()
        self._pipe(self._process.stdout).close()

    def kill(self) -> None:
        """End the process at once; `close` then does not wait for it to finish."""
        self._process.kill()

    def send(self, message: object) -> None:
        """Send what the process expects, see `worker`."""
        stream = self._pipe(self._process.stdin)
        try:
            pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()
        except (OSError, ValueError):  # ValueError: it was closed meanwhile
            raise self._dead() from None

    def receive(self) -> Any:
        """The next answer."""
        try:
            return pickle.load(self._pipe(self._process.stdout))  # noqa: S301
        except Exception:  # damaged pickles raise nearly anything
            raise self._dead() from None

    def _dead(self) -> WorkerError:
        """The error, once it does not answer as it should."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return WorkerError(f"died: {cause(self._process.wait(1))}")
        self._process.kill()
        return WorkerError("died: it gave no answer that can be read")

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None  # noqa: S101  # for mypy: both are pipes
        return stream


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
            [sys.executable, *_flags(), "-c", command, *arguments, *_paths()], **pipes, **apart
        )
    except (OSError, ValueError) as error:  # ValueError: a null byte in a path
        reason = getattr(error, "strerror", None) or error
        raise WorkerError(f"cannot be started: {reason}") from error


def _flags() -> list[str]:
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
