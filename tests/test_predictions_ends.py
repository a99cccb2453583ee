"""How saving predictions goes on and ends: back-pressure, errors, Ctrl-C, nobody who closes."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import PredictionWriter
from gpuseg.errors import (
    Interrupted,
    OutputError,
    UsageError,
    WorkerError,
)
from gpuseg.predicting.saving import Saving
from gpuseg.report_file import ReportWriter
from tests.helpers import ROOT, environment, read_report, temps, tree
from tests.making import PALETTE
from tests.predicting.batches import LONG, Gate, check, logits, names, raise_after, save_all


def test_the_model_goes_on_until_the_queue_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    with PredictionWriter(tmp_path, PALETTE, workers=1, queue=4) as writer:
        save_all(writer, 4)  # returns though nothing is written
        assert gate.reached.wait(LONG)
        assert tree(tmp_path) == []
        fifth = threading.Thread(target=writer.save, args=(logits(4), names(4)))
        fifth.start()
        fifth.join(0.3)  # it cannot go on, however long it is watched
        assert fifth.is_alive()
        gate.open.set()
        fifth.join(LONG)
        assert not fifth.is_alive()
    check(tmp_path, 5)
    assert writer.waited > 0


def test_arrays_may_be_used_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    memory, labels = logits(0), np.empty((3, 12, 17), np.uint8)
    with PredictionWriter(tmp_path, PALETTE) as writer:
        writer.save(memory, names(0))
        memory[...] = np.nan
        labels[...] = logits(1).argmax(1)
        writer.save(labels, names(1))
        labels[...] = 5
        gate.open.set()
    check(tmp_path, 2)


def test_errors_of_writing_stop_nothing_and_come_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "town0" / "frame00.png").mkdir(parents=True)
    (tmp_path / "town1").write_text("no folder")
    writer = PredictionWriter(tmp_path, PALETTE, workers=1)
    save_all(writer, 3)
    with pytest.raises(OutputError) as caught:
        writer.close()
    message = str(caught.value)
    assert message.startswith("4 of 9 predictions could not be saved, first town0/frame00.jpg: ")
    assert "is a folder, a pipe or a device" in message
    assert "gpuseg-report.jsonl names all of them" in message
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert lines.failed() == sorted(["town0/frame00.jpg", *names(1)])
    assert tree(tmp_path / "town0") == [f"frame{b}{i}.png" for b in (0, 2) for i in range(3)
                                        if b or i]  # fmt: skip
    assert writer.report.failed == 4
    writer.close()  # told once


def test_what_the_body_raises_wins_and_all_that_was_handed_in_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    (tmp_path / "town1" / "frame10.png").mkdir(parents=True)
    with pytest.raises(KeyError, match="the model") as caught:
        raise_after(2, tmp_path, gate.open.set)
    assert "1 of 6 predictions could not be saved" in caught.value.__notes__[0]
    assert len(tree(tmp_path)) == 5
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert (lines.summary["stopped"], lines.summary["exit_code"]) == ("error", 1)


def test_a_thread_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(*arguments: Any) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(ReportWriter, "add", add)
    writer = PredictionWriter(tmp_path, PALETTE, workers=1, queue=1)
    with pytest.raises(WorkerError, match="RuntimeError"):
        save_all(writer, 50)
    with pytest.raises(WorkerError, match="RuntimeError"):
        writer.close()
    with pytest.raises(KeyError) as caught:
        raise_after(1, tmp_path / "b", lambda: None)
    assert "died" in caught.value.__notes__[0]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    writer = PredictionWriter(tmp_path, PALETTE, workers=1)
    save_all(writer, 3)
    assert gate.reached.wait(LONG)
    backlog = writer._run.backlog

    def interrupt() -> None:
        while not backlog._ends:
            pass
        os.kill(os.getpid(), signal.SIGINT)
        while not backlog._dropped:
            pass
        gate.open.set()

    watcher = threading.Thread(target=interrupt, daemon=True)
    watcher.start()
    with pytest.raises(Interrupted) as caught:
        writer.close()
    watcher.join(LONG)
    assert (caught.value.report.exit_code, caught.value.report.done) == (130, 1)
    assert len(tree(tmp_path)) == 1  # what was in hand; the rest is dropped
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert lines.summary["stopped"] == "interrupted"
    assert len(lines.files) == 1
    writer.close()


def test_a_writer_that_is_closed(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, PALETTE) as writer:
        pass
    writer.close()
    with pytest.raises(UsageError, match="closed"):
        writer.save(logits(0), names(0))
    assert read_report(tmp_path / "gpuseg-report.jsonl").files == {}


def test_several_threads_save_at_once(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, PALETTE, queue=1) as writer:
        threads = [
            threading.Thread(target=writer.save, args=(logits(batch), names(batch)))
            for batch in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    check(tmp_path, 8)


FORGOTTEN = """
import sys
from gpuseg import PredictionWriter
from tests.making import PALETTE
from tests.predicting.batches import logits, names

writer = PredictionWriter(sys.argv[1], PALETTE)
for batch in range(3):
    writer.save(logits(batch), names(batch))
"""


def run(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_a_writer_that_nobody_closes_ends_with_the_program(tmp_path: Path) -> None:
    done = run(FORGOTTEN, tmp_path / "dst")
    assert done.returncode == 0, done.stderr
    check(tmp_path / "dst", 3)
    assert len(read_report(tmp_path / "dst" / "gpuseg-report.jsonl").files) == 9
    (tmp_path / "bad" / "town0" / "frame00.png").mkdir(parents=True)
    done = run(FORGOTTEN, tmp_path / "bad")
    assert "OutputError: 1 of 9 predictions could not be saved" in done.stderr


@pytest.mark.filterwarnings("ignore:a PredictionWriter was not closed")
def test_a_writer_that_a_thread_of_its_own_clears_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage is collected on any thread, and one of those that write cannot wait for itself."""
    gate, real = Gate(monkeypatch), Saving.run

    def run(saving: Saving, prediction: Any) -> Any:
        found = real(saving, prediction)
        gc.collect()
        return found

    monkeypatch.setattr(Saving, "run", run)
    writer = PredictionWriter(tmp_path, PALETTE, workers=1)
    save_all(writer, 2)
    before, [own] = set(threading.enumerate()), writer._run.backlog._threads
    writer.itself = writer  # type: ignore[attr-defined]  # only the collector clears it away
    alive = weakref.ref(writer)
    del writer
    gate.open.set()
    own.join(LONG)
    assert not own.is_alive()
    assert alive() is None
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
    check(tmp_path, 2)
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert (len(lines.files), lines.summary["exit_code"]) == (6, 0)


FORKED = """
import os, sys
from gpuseg import PredictionWriter
from tests.making import PALETTE
from tests.predicting.batches import logits, names

with PredictionWriter(sys.argv[1], PALETTE) as writer:
    writer.save(logits(0), names(0))
    child = os.fork()
    if not child:
        for batch in range(2, 11):  # more than the queue takes, and nobody writes here
            try:
                writer.save(logits(batch), names(batch))
            except ValueError as error:
                print(error)
        sys.exit(3)  # leaves the `with`, and runs what is to be run at the end
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    writer.save(logits(1), names(1))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_copy_saves_nothing_and_says_so(tmp_path: Path) -> None:
    done = run(FORKED, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("make a writer in each process") == 9
    check(tmp_path, 2)
    text = (tmp_path / "gpuseg-report.jsonl").read_text()
    assert [json.loads(row)["type"] for row in text.splitlines()] == [
        "run",
        *["file"] * 6,
        "summary",
    ]
    assert temps(tmp_path) == []
