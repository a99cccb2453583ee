"""`evaluate` as a run: shards, processes, what ends it early, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import Shard, convert_directory, evaluate, processes
from gpuseg.errors import Interrupted, OutputError, PaletteError, UsageError
from gpuseg.evaluation.evaluating import Evaluating
from tests import impatient
from tests.dumps import save_label_map
from tests.evaluation.making import evaluated, made_pairs, rows, save_pairs
from tests.helpers import read_report
from tests.making import PALETTE, indices, save_mask


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A folder with `pred` and `truth`, whose label maps are pairs."""
    save_pairs(tmp_path, made_pairs())
    return tmp_path


def test_shards_sum_to_the_whole(dump: Path) -> None:
    for k in range(6):
        save_label_map(dump / f"pred/extra{k}.png", indices(9, 9))
        save_label_map(dump / f"truth/lost{k}.png", indices(9, 9))
    whole, lines = rows(dump)
    parts, files = [], {}
    for k in (1, 2):
        part, own = rows(dump, shard=Shard(k, 2))
        assert not files.keys() & own.files.keys()
        files |= own.files
        parts.append(part)
    assert {name: row["status"] for name, row in files.items()} == {
        name: row["status"] for name, row in lines.files.items()
    }
    total = sum(part.scores.confusion for part in parts)
    assert np.array_equal(total, whole.scores.confusion)
    assert sum(part.ignored_pixels for part in parts) == whole.ignored_pixels
    assert all(part.pairs for part in parts)


def test_fail_fast_stops(dump: Path) -> None:
    shutil.rmtree(dump / "pred/sub")
    for path in (dump / "pred").glob("*.png"):
        path.write_bytes(b"")
    found = evaluated(dump, fail_fast=True, workers=1)
    assert (found.report.done, found.report.stopped, found.report.exit_code) == (1, "fail-fast", 1)


def test_ctrl_c_leaves_a_report_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_pairs(tmp_path, {f"{i}.png": (indices(9, 9), indices(9, 9)) for i in range(400)})
    heard, run = threading.Event(), Evaluating.run
    begun = []

    def slow(task: Evaluating, source: Any) -> Any:
        begun.append(source)
        if len(begun) > 3:
            assert heard.wait(120)
        return run(task, source)

    def interrupt(_: Any) -> None:
        if len(begun) > 3:
            heard.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(Evaluating, "run", slow)
    with pytest.raises(Interrupted) as told:
        evaluated(tmp_path, report=tmp_path / "r", progress=interrupt, workers=2)
    lines = read_report(tmp_path / "r")
    assert (told.value.report.exit_code, lines.summary["stopped"]) == (130, "interrupted")
    assert 3 <= len(lines.files) < 400
    assert {row["miou"] for row in lines.files.values()} == {1}


def test_nothing_is_written(dump: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in dump.rglob("*")}
    evaluated(dump)
    assert {path: path.stat().st_mtime_ns for path in dump.rglob("*")} == before


@pytest.mark.skipif(os.name != "posix", reason="names of bytes are POSIX's")
def test_names_that_are_no_text(dump: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    save_label_map(dump / "truth" / "a.png", indices(9, 9))
    for side in ("truth", "pred"):
        shutil.copy(dump / "truth/a.png", dump / side / name)
    (dump / "truth/a.png").unlink()
    found, lines = rows(dump)
    assert lines.files[name]["status"] == "read"
    json.dumps(found.as_dict()).encode("ascii")


def test_nothing_found_is_wrong(tmp_path: Path) -> None:
    for side in ("truth", "pred"):
        (tmp_path / side).mkdir()
    assert evaluated(tmp_path).report.exit_code == 1


def test_usage(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(told: str, pred: Any = dump / "pred", truth: Any = dump / "truth", **more: Any):
        with pytest.raises(UsageError, match=told):
            evaluate(pred, truth, **more)

    one = dump / "pred/0.png"
    refused("PRED .* does not exist", pred=dump / "nowhere")
    refused("TRUTH .* does not exist", truth=dump / "nowhere")
    refused("must both be folders, or both files", pred=one)
    refused("must both be folders, or both files", truth=one)
    refused("PRED must not be TRUTH", pred=dump / "truth")
    (dump / "link").symlink_to(dump / "truth")
    refused("PRED must not be TRUTH", pred=dump / "link")
    os.link(dump / "truth/0.png", dump / "other.png")
    refused("PRED must not be TRUTH", dump / "truth/0.png", dump / "other.png")
    refused("must be on this machine, got s3://b/x", pred="s3://b/x")
    refused("must be on this machine, got memory://x", truth="memory://x")
    (dump / "a.tar").touch()
    (dump / "b.zip").touch()
    refused("TRUTH must be a folder.*an archive", truth=dump / "a.tar")
    refused("PRED must be a folder.*an archive", pred=dump / "b.zip", truth=dump / "a.tar")
    refused("column", column="mask")
    refused("choose files of folders", one, dump / "truth/0.png", pattern="*")
    refused("choose files of folders", one, dump / "truth/0.png", pred_suffix="x")
    for options in (
        {"ignore_index": 65536}, {"ignore_index": -1}, {"ignore_index": True}, {"worst": -1},
        {"unmapped": "drop"}, {"workers": 0},
    ):  # fmt: skip
        refused("must be", **options)
    with pytest.raises(PaletteError):
        evaluated(dump, palette="no-such-palette")
    with pytest.raises(TypeError):
        evaluated(dump, no_such_option=1)


def test_a_report_that_tells_of_label_maps_is_not_replaced(tmp_path: Path) -> None:
    save_mask(tmp_path / "src/a.png")
    convert_directory(tmp_path / "src", tmp_path / "truth", PALETTE)
    shutil.copytree(tmp_path / "truth", tmp_path / "pred")
    with pytest.raises(OutputError, match="would replace that of `gpuseg convert`"):
        evaluated(tmp_path, report=tmp_path / "truth/gpuseg-report.jsonl")


def many(folder: Path) -> dict[str, Any]:
    """Many pairs, some files that fail or are alone; what one thread finds in them."""
    save_pairs(folder, {f"{i % 3}/{n}": p for i in range(8) for n, p in made_pairs(5 + i).items()})
    (folder / "truth/1/0.png").write_bytes(b"")
    (folder / "pred/2/0.png").unlink()
    (folder / "truth/0/0.png").unlink()
    return evaluated(folder, workers=1, worst=7).as_dict()


def test_processes_find_what_threads_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    want = many(tmp_path)
    plain, lines = rows(tmp_path, workers=2, worst=7)
    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    monkeypatch.setattr(processes.ProcessFlow, "_is_decided", impatient.decided)
    started = []
    worker = processes.Worker
    monkeypatch.setattr(processes, "Worker", lambda *a, **k: started.append(1) or worker(*a, **k))
    found, others = rows(tmp_path, workers=2, worst=7)
    assert started
    assert json.dumps(found.as_dict()) == json.dumps(plain.as_dict()) == json.dumps(want)
    assert found.report.files == plain.report.files
    for row in [*lines.files.values(), *others.files.values()]:
        row.pop("seconds", None)
    assert others.files == lines.files


@pytest.mark.slow
def test_the_workers_of_a_cluster_find_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By paths that are relative to the current folder of this process only."""
    pytest.importorskip("distributed", reason="needs the extra dask")
    want = many(tmp_path)
    monkeypatch.chdir(tmp_path)
    report = tmp_path / "evaluate.jsonl"
    found = evaluate("pred", "truth", palette=PALETTE, worst=7, scheduler="local:2", report=report)
    assert json.dumps(found.as_dict()) == json.dumps(want)
    assert found.report.files == {"read": found.pairs, "missing": 1, "extra": 1, "failed": 1}
    assert len(read_report(report).files) == found.report.done
