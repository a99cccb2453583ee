"""Every benchmark runs, on tiny inputs, and its checks for equality hold. Speed is not judged."""

import numpy as np
import pytest

from benchmarks import (
    boundary,
    compression,
    kernel,
    lookups,
    memory,
    samples,
    scanlines,
    stages,
    startup,
    tables,
)
from benchmarks.common import Table, Times, cell, interleaved
from tests.benchmarks.running import results


def test_kernel(tmp_path, capsys):
    found = results(kernel.SCRIPT, tmp_path)
    lookup = [rows for title, rows in found.items() if title.startswith("Lookup of")]
    assert len(lookup) == 4
    for rows in lookup:
        assert [row["way"] for row in rows] == list(lookups.usable_ways())
        assert all(row["equal"] for row in rows)
    growth = next(rows for title, rows in found.items() if "against the number" in title)
    assert [row["K"] for row in growth] == [2, 21, 64, 256]
    exact = {row["way"]: row for row in found["Exactness"]}
    assert exact["gpuseg"]["wrong pixels VOC 256"] == 0
    assert exact["gpuseg"]["wrong pixels 256 greys"] == 0
    assert exact["Pillow quantize"]["wrong pixels 256 greys"] > 0
    assert "class 0, in silence" in str(exact["colour loop (np.all)"])
    printed = capsys.readouterr().out
    assert "zlib under Pillow" in printed
    assert "| gpuseg |" in printed


def test_kernel_skips_what_would_take_too_long(tmp_path, capsys):
    found = results(kernel.SCRIPT, tmp_path, "--limit", "1e-9")
    assert "skipped, one run would take about" in capsys.readouterr().out
    assert any(len(rows) < len(lookups.usable_ways()) for rows in found.values())


def test_tables(tmp_path):
    found = results(kernel.SCRIPT, tmp_path, "--tables")
    speed = [rows for title, rows in found.items() if title.startswith("Direct table")]
    assert len(speed) == 2
    assert all(row["equal"] for rows in speed for row in rows)
    assert len(found["What the tables cost to make"]) == 3


@pytest.mark.parametrize("classes", [1, 21, 256])
def test_perfect_hash_keeps_colours_apart(classes):
    palette = samples.voc_palette(classes)
    found = tables.perfect_hash(palette)
    assert len(np.unique(found.entries)) == classes


@pytest.mark.parametrize(
    ("flags", "stages_"),
    [
        (["--workers", "1"], {"read", "inflate", "index", "encode", "write"}),
        (["--workers", "2", "--verify"], {"read", "inflate", "index", "encode", "write", "verify"}),
        (["--codec", "pillow"], {"decode", "index", "encode", "write"}),
    ],
)
def test_stages(tmp_path, flags, stages_):
    found = results(stages.SCRIPT, tmp_path, *flags)
    assert len(found) == 2
    for rows in found.values():
        names = {row["stage"] for row in rows}
        assert names == {*stages_, "rest: Python's own part", "all"}
        shares = [row["share (%)"] for row in rows[:-1]]
        assert sum(shares) == pytest.approx(100, abs=60)  # medians of two runs add up roughly


def test_startup(tmp_path):
    pytest.importorskip("click")
    rows = results(startup.SCRIPT, tmp_path, "--repeats", "1")["Start-up, whole processes"]
    by_name = {row["process"]: row for row in rows}
    assert by_name[startup.HELP]["bar (s)"] == startup.BAR_HELP
    assert by_name[startup.SMALL_RUN]["bar (s)"] == startup.BAR_SMALL_RUN


def test_memory(tmp_path):
    pytest.importorskip("resource")
    found = results(memory.SCRIPT, tmp_path)
    assert [row["files"] for row in found["Converting small files (64×48 px)"]] == [20, 60]
    for rows in found.values():
        assert all(row["peak (MiB)"] >= row["before (MiB)"] > 1 for row in rows)


def test_synthetic_masks_are_the_same_each_time():
    first, second = (samples.blobs(40, 50, 20, seed=4) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.max() < 20
    assert len(np.unique(first)) > 5


def test_interleaved_runs_slow_ones_once():
    calls = []

    def contender(name, seconds):
        def run():
            calls.append(name)
            return seconds

        return run

    times = interleaved({"slow": contender("slow", 9), "fast": contender("fast", 1)}, 3)
    assert times == {"slow": Times((9,)), "fast": Times((1, 1, 1))}
    assert calls == ["slow", "fast", "fast", "fast", "fast"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (True, "yes"), (1234567, "1,234,567"), (0.12345, "0.123"), (1234.5, "1,234")],
)
def test_cells(value, text):
    assert cell(value) == text


def test_a_table_in_markdown():
    table = Table("T", notes=["a note"])
    table.add(way="a|b", speed__Mpx_per_s=12.345)
    assert table.markdown() == (
        "### T\n\n| way | speed (Mpx/s) |\n|---|---|\n| a\\|b | 12.3 |\n\n- a note\n"
    )


def test_boundary(tmp_path):
    rows = results(boundary.SCRIPT, tmp_path)["The boundary F-score, one thread"]
    assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    for row in rows:
        assert row["equal"] in (True, None)  # None without SciPy
        assert 0 < row["matched (%)"] <= 100
        assert row["boundary"] > 0


def test_compression(tmp_path):
    found = results(compression.SCRIPT, tmp_path)
    assert len(found) == 3
    for rows in found.values():
        assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    for row in found["Row filters"]:
        best = min(row["None: bytes"], row["Up: bytes"])
        assert row["smaller of both: bytes"] <= best + 1e-9
    for row in found["Deflating rows filtered by rule"]:
        assert row["gpuseg: bytes"] == pytest.approx(row["zlib-ng RLE: bytes"], rel=0.1)
    assert all(row["zlib-ng: ms"] > 0 for row in found["Inflating the masks"])


def test_scanlines(tmp_path):
    [rows] = results(scanlines.SCRIPT, tmp_path).values()
    assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    assert all(row["index"] > 0 and row["filter"] > 0 for row in rows)
