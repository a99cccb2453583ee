"""Runs that start worker processes at once; and workers that die. Executed, not imported, by tests.

`python -m tests.impatient ARGUMENTS…` is `gpuseg ARGUMENTS…` without the wait for processes.
"""

from __future__ import annotations

import os
import sys
from typing import Any

COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from tests.impatient import {0}; {0}()"
"""What a worker process runs instead; to be filled with a function of this module."""


def hurry() -> None:
    """Start worker processes for any number of files, at once."""
    from gpuseg import processes

    processes.PATIENCE, processes.ENOUGH, processes.TIMES_DONE = 0.0, 1, 0


def decided(flow: Any) -> bool:
    """Decided beforehand: while a thread finds out, another may convert all of a few files."""
    flow._worthwhile = True
    return True


def poisoned() -> None:
    """A worker that is killed when it comes to a file named poison.png."""
    from gpuseg import pipeline, worker

    convert = pipeline.convert_source

    def convert_or_die(source: Any, job: Any) -> Any:
        if source.path.endswith("poison.png"):
            os.kill(os.getpid(), 9)
        return convert(source, job)

    pipeline.convert_source = convert_or_die
    worker.main()


def talkative() -> None:
    """A worker in which somebody prints to standard output."""
    from gpuseg import pipeline, worker

    convert = pipeline.convert_source

    def convert_and_talk(source: Any, job: Any) -> Any:
        print("hello from a library")
        os.write(1, b"and from C\n")
        return convert(source, job)

    pipeline.convert_source = convert_and_talk
    worker.main()


def dies_once() -> None:
    """A worker that is killed at its first request; none after it starts."""
    from gpuseg import worker

    flag = os.environ["GPUSEG_TEST_FLAG"]
    if os.path.exists(flag):
        sys.exit(3)

    def die(*_: Any) -> Any:
        open(flag, "x").close()
        os.kill(os.getpid(), 9)

    worker._run = die
    worker.main()


def chatty_start() -> None:
    """A worker whose interpreter prints before gpuseg comes to work."""
    print("hello from sitecustomize")
    print("no line end", end="", flush=True)
    poisoned()


def stillborn() -> None:
    """A worker that ends before it is ready."""
    sys.exit(3)


if __name__ == "__main__":
    hurry()
    from gpuseg.__main__ import run

    run()
