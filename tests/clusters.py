"""Clusters that tests start on this machine, and tasks for them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpuseg.discover import Source
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult
from tests.helpers import environment

PATIENCE = 120.0
"""Seconds that anything is waited for; a machine that is only slow must not fail a test."""


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Look again and again."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@dataclass
class ForeignCluster:
    """A scheduler and workers, started as people start them: by Dask's own commands.

    prefix: commands under which all are started, for instance in a network namespace.
    """

    folder: Path
    host: str = "127.0.0.1"
    prefix: Sequence[str] = ()
    settings: dict[str, str] = field(default_factory=dict)
    scheduler: subprocess.Popen[bytes] = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = self._start(
            "scheduler", "--host", self.host, "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        # it is not written at once
        wait_until(lambda: self.file.exists() and self.file.read_text(), "a scheduler file")

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        return str(json.loads(self.file.read_text())["address"])

    def add_worker(
        self, *options: str, prefix: Sequence[str] | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        """A worker of one thread, without a nanny unless `options` say otherwise."""
        options = options or ("--no-nanny",)
        number = len(self.workers)
        scratch = self.folder / f"scratch{number}"
        arguments = [
            "worker", self.address, "--nthreads", "1", "--memory-limit", "0", "--no-dashboard",
            "--name", f"w{number}", "--local-directory", str(scratch), *options,
        ]  # fmt: skip
        worker = self._start(*arguments, prefix=prefix, **variables)
        self.workers.append(worker)
        return worker

    def _start(
        self, *arguments: str, prefix: Sequence[str] | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        with open(self.folder / f"{arguments[0]}{len(self.workers)}.log", "ab") as log:
            return subprocess.Popen(
                [
                    *(self.prefix if prefix is None else prefix),
                    sys.executable, "-m", "dask", *arguments,
                ],
                env=environment(**self.settings, **variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def tasks(self) -> dict[str, Any]:
        """What the scheduler still knows of, by key."""
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=PATIENCE) as client:
            return dict(client.run_on_scheduler(_tasks))


def _tasks(dask_scheduler: Any) -> dict[str, str]:
    plugins = {name: "plugin" for name in dask_scheduler.worker_plugins if "gpuseg" in name}
    return {str(key): task.state for key, task in dask_scheduler.tasks.items()} | plugins


@contextlib.contextmanager
def foreign_cluster(folder: Path, workers: int = 2, **fields: Any) -> Iterator[ForeignCluster]:
    folder.mkdir(parents=True, exist_ok=True)
    cluster = ForeignCluster(folder, **fields)
    try:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.stop()


@dataclass(frozen=True)
class Poisoned:
    """A task over files, which ends the worker that comes to one named poison."""

    options: ReadOptions
    seconds: float = 0.0

    def run(self, source: Source) -> FileResult:
        if "poison" in source.relative:
            os._exit(7)
        time.sleep(self.seconds)
        return FileResult(source=source.relative, status="read", width=1, height=1)


@dataclass(frozen=True)
class Waiting:
    """A task that begins a file by making one beside it, and ends it when that is gone."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        flag = Path(f"{source.path}.begun")
        flag.touch()
        wait_until(lambda: not flag.exists(), "leave to end a file")
        return FileResult(source=source.relative, status="read")


@dataclass(frozen=True)
class Unpicklable:
    """A task that no worker can unpack."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        raise NotImplementedError

    def __reduce__(self) -> Any:
        return _refuse, ()


def _refuse() -> None:
    raise ImportError("no such module here")


def play_device(number: int) -> Any:
    """A device that is played by this process."""
    from tests.kernels.host_device import HostDevice

    assert number == 0
    return HostDevice()
