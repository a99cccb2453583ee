"""Runs between buckets that are killed, interrupted, spread over processes, or meet no server."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gpuseg import processes
from gpuseg.child import Worker
from gpuseg.task import REQUESTS
from tests import impatient
from tests.faults import Request, seeded
from tests.helpers import gpuseg_process
from tests.s3 import Bucket
from tests.stored import Stored

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

FILES = 90


@pytest.fixture
def place(tmp_path: Path, bucket: Bucket) -> Stored:
    made = Stored(tmp_path, bucket)
    made.fill(FILES)
    return made


def at_label_map(
    number: int, do: Callable[[subprocess.Popen[bytes]], None], place: Stored
) -> subprocess.Popen[bytes]:
    """A run to which something is done as it asks to write so many label maps, then ended."""
    runs: list[subprocess.Popen[bytes]] = []
    seen = place.bucket.proxy.count("PUT", ".png")

    def plan(request: Request) -> None:
        asked = place.bucket.proxy.count("PUT", ".png") - seen
        if request.method == "PUT" and request.path.endswith(".png") and asked == number:
            do(runs[0])

    place.bucket.proxy.plan = plan
    runs.append(place.start())
    return runs[0]


def test_killed_and_finished(place: Stored) -> None:
    kept: set[str] = set()
    for number in (1, 5, 2, 9, 3):
        own = set(place.bucket.proxy.connections)
        run = at_label_map(number, lambda run: run.kill(), place)
        run.communicate(timeout=120)
        assert run.returncode == -signal.SIGKILL
        place.bucket.proxy.wait_for_others(own)  # a label map under way arrives all the same
        found = place.bucket.contents("out")
        place.check_whole(found)
        assert kept <= set(found)
        kept = set(found)
    assert 0 < len(kept) < FILES
    place.bucket.proxy.plan = lambda request: None
    run = place.start()
    assert run.communicate(timeout=120)[1] == b""
    place.check_same(place.bucket.contents("out"))
    rows = place.stored_report().files
    assert {row["target"] for row in rows.values() if row["status"] == "unchanged"} == kept


def test_interrupted(place: Stored) -> None:
    run = at_label_map(5, lambda run: run.send_signal(signal.SIGINT), place)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (130, b""), out
    found = place.bucket.contents("out")
    place.check_whole(found)
    report = place.stored_report()
    assert report.summary["stopped"] == "interrupted"
    assert {row["target"] for row in report.files.values()} == set(found)
    assert 5 <= len(found) < FILES
    assert len(found) <= 5 + 4 * REQUESTS, "what is in hand is finished, and no more"


def test_worker_processes(place: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a third of all requests fails at first."""
    started: list[Worker] = []

    class Noted(Worker):
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, **more)  # type: ignore[arg-type]
            started.append(self)

    monkeypatch.setattr(processes, "Worker", Noted)
    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    monkeypatch.setattr(processes.ProcessFlow, "_is_decided", impatient.decided)
    run = place.to(place.inside, place.out)
    assert run.code == 0, run
    assert len(started) == 2
    place.check_same(place.bucket.contents("out"))
    assert place.bucket.proxy.count("PUT", ".png") == FILES, "one PUT a label map"

    for key in place.bucket.keys("out/"):
        place.bucket.delete(key)
    place.bucket.proxy.plan = seeded(5, 0.3, most=1)
    run = place.to(place.inside, place.out, "--verify")
    assert run.code == 0, run
    assert sum(place.bucket.proxy.faults.values()) > 15
    place.check_same(place.bucket.contents("out"))
    assert place.stored_report().summary["files"]["converted"] == FILES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
    ],
)
def test_a_store_that_cannot_be_reached(
    place: Stored, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], reason: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    for src, dst in ((place.inside, place.root / "other"), (place.src, place.out)):
        run = gpuseg_process("convert", str(src), str(dst), *place.options())
        assert run.code == 2
        assert reason in run.err
        assert run.err.count("\n") == 1
        assert not (place.root / "other").exists()
