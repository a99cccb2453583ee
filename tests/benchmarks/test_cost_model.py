"""The cost model: it runs, the simulation agrees with the formula, and nothing is invented."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import cost_model
from benchmarks.cost_formula import WAYS, limit, names, seconds_by
from benchmarks.cost_parts import GIVEN
from benchmarks.cost_simulation import simulate
from tests.benchmarks.running import results

VALUES = {
    **{name: part.value for name, part in GIVEN.items()},
    "file": 5e-4, "bytes_in": 1e4, "bytes_out": 1e4, "walk": 6e-6, "row": 2e-6, "merge": 1e-5,
    "start": 1.0, "request": 5e-3, "listed": 6e-5, "shard": 1e-2,
}  # fmt: skip


def test_it_runs_and_every_part_names_its_source(tmp_path: Path) -> None:
    for module in ("s3fs", "moto", "distributed"):
        pytest.importorskip(module)
    found = results(cost_model.SCRIPT, tmp_path, "--files", "1000000")
    parts = {row["part"]: row for row in found["Parts"]}
    assert set(parts) == {*GIVEN, *cost_model.MEASURED}
    assert all(row["source"] and row["value"] > 0 for row in parts.values())
    assert {name: row["unit"] for name, row in parts.items()} == cost_model.UNITS
    assert {row["way"] for row in found["1,000,000 files"]} == {way.name for way in WAYS}
    assert {row["way"] for row in found["Where each way saturates"]} == {way.name for way in WAYS}
    saved = tmp_path / "saved.json"
    (tmp_path / "results.json").rename(saved)
    flags = ["--parts", str(saved), "--given", "latency=0.05:a guess for this test"]
    again = {row["part"]: row for row in results(cost_model.SCRIPT, tmp_path, *flags)["Parts"]}
    assert again.pop("latency")["source"] == "a guess for this test"
    assert again == {name: row for name, row in parts.items() if name != "latency"}


@pytest.mark.parametrize("way", [way for way in WAYS if way.engine == "dask"], ids=str)
@pytest.mark.parametrize("cores", [1, 16, 200])
def test_the_simulation_agrees_with_the_formula(way: object, cores: int) -> None:
    shards = 60 * cores
    files = shards * VALUES["archive_files" if way.archives else "shard_files"]
    _, seconds = limit(way, files, cores, VALUES)
    assert simulate(way, shards, cores, VALUES) == pytest.approx(seconds, rel=0.1)
    assert simulate(way, shards, cores, VALUES, seed=1) == pytest.approx(seconds, rel=0.1)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_more_files_take_longer_and_parts_are_told_in_seconds(way: object) -> None:
    took = [limit(way, files, 16, VALUES)[1] for files in (10**5, 10**6, 10**8)]
    assert took == sorted(took)
    assert took[-1] == max(seconds_by(way, 10**8, 16, VALUES).values()) + VALUES["start"]


def test_what_saturates_by_hand() -> None:
    """10⁸ files by one prefix of S3: the published 3,500 PUTs a second, whatever the cores."""
    (way,) = [way for way in WAYS if way.name == "Dask, S3"]
    name, seconds = limit(way, 10**8, 1024, VALUES)
    assert (name, seconds) == ("PUTs of a prefix", 10**8 / 3500 + 1)
    name, seconds = limit(way, 10**8, 2, VALUES)
    assert (name, seconds) == ("waiting for answers", pytest.approx(10**8 * 0.4 / 32 + 1))
    (packed,) = [way for way in WAYS if way.name == "Dask, archives on S3"]
    assert names(packed, 10**8, VALUES) == 10**4
    name, seconds = limit(packed, 10**8, 1024, VALUES)
    assert name == "coordinator"
    per_file = VALUES["shard"] / 512 + VALUES["row"] + VALUES["listed"] / 1e4
    assert seconds == pytest.approx(10**8 * per_file + 1)


@pytest.mark.parametrize("text", ["latency", "latency=1", "latency=1: ", "speed=1:me"])
def test_a_part_without_a_source_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be NAME=VALUE:SOURCE"):
        cost_model.given(text)


def test_parts_of_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"tables": []}))
    with pytest.raises(ValueError, match="not enough values"):
        cost_model.read_parts(tmp_path / "other.json")
