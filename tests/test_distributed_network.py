"""Workers in network namespaces with addresses of their own; one is cut off, and comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

from tests.clusters import foreign_cluster, wait_until
from tests.helpers import Place, temps
from tests.test_distributed_faults import Run, check, place  # noqa: F401  # a fixture

pytestmark = pytest.mark.slow


def ip(*arguments: str) -> bool:
    """Run `ip`; whether that worked."""
    return not subprocess.run(["ip", *arguments], capture_output=True).returncode


@dataclass
class Network:
    """A namespace for the scheduler and its client, and one for each of two workers.

    Each worker has a cable of its own to the scheduler's, 10.231.N.2 at its end.
    """

    name: str

    def namespace(self, part: str) -> str:
        return f"{self.name}-{part}"

    def within(self, part: str) -> list[str]:
        """The command under which a program runs in a namespace."""
        return ["ip", "netns", "exec", self.namespace(part)]

    def make(self) -> bool:
        """Whether all of it could be made."""
        hub = self.namespace("hub")
        done = ip("netns", "add", hub) and ip("-n", hub, "link", "set", "lo", "up")
        for n in (1, 2):
            far = self.namespace(str(n))
            done = (
                done
                and ip("netns", "add", far)
                and ip("-n", far, "link", "set", "lo", "up")
                and ip(
                    "-n", hub, "link", "add", f"to{n}", "type", "veth", "peer", "eth", "netns", far
                )
                and ip("-n", hub, "addr", "add", f"10.231.{n}.1/24", "dev", f"to{n}")
                and ip("-n", far, "addr", "add", f"10.231.{n}.2/24", "dev", "eth")
                and ip("-n", hub, "link", "set", f"to{n}", "up")
                and ip("-n", far, "link", "set", "eth", "up")
                and ip("-n", far, "route", "add", "default", "via", f"10.231.{n}.1")
            )
        return done

    def cut(self, n: int) -> None:
        assert ip("-n", self.namespace("hub"), "link", "set", f"to{n}", "down")

    def mend(self, n: int) -> None:
        assert ip("-n", self.namespace("hub"), "link", "set", f"to{n}", "up")

    def remove(self) -> None:
        for part in ("hub", "1", "2"):
            ip("netns", "del", self.namespace(part))


@pytest.fixture
def network() -> Iterator[Network]:
    if not shutil.which("ip"):
        pytest.skip("needs ip (iproute2) for network namespaces")
    made = Network(f"gpuseg{os.getpid()}")
    try:
        if not made.make():
            pytest.skip("network namespaces can only be made by root on Linux")
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize("lasts", ["for a moment", "until it is given up"])
def test_a_worker_that_is_cut_off_and_comes_back(
    place: Place,
    network: Network,
    tmp_path: Path,
    lasts: str,
) -> None:
    """For a moment: TCP bridges it. For long: its shards are done by others, and it goes on too."""
    limits = {
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "60s" if lasts == "for a moment" else "11s",
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "11s",
    }
    with ExitStack() as stack:
        some = stack.enter_context(
            foreign_cluster(
                tmp_path / "cluster",
                workers=0,
                host="10.231.1.1",
                prefix=network.within("hub"),
                settings=limits,
            )
        )
        for n in (1, 2):
            some.add_worker(prefix=network.within(str(n)))
        run = Run(place, some.address, prefix=network.within("hub"))
        run.wait_for(60)
        network.cut(2)
        run.wait_for(run.done() + 200)  # the other one goes on
        if lasts == "until it is given up":
            wait_until(lambda: some.workers[1].poll() is not None, "the end of the worker")
            network.mend(2)
            some.add_worker(prefix=network.within("2"))  # as a supervisor would
        else:
            network.mend(2)
        run.end()
        check(place, run.report())
        assert temps(place.dst) == []
        shares = run.report().summary["workers"]
        assert shares["w0"]["files"]
