"""Every benchmark runs, on tiny inputs, and its checks for equality hold. Speed is not judged."""

import json
import sys
from time import perf_counter

import numpy as np
import pytest

from benchmarks import (
    compression,
    device,
    device_kernels,
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
from benchmarks.parts import Outcome, Part, run_part
from gpuseg.kernels import cpu
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


class HostDevice:
    """Memory of the host in place of a device's, to prove the measuring code."""

    def upload(self, array):
        return array.copy()

    def download(self, array):
        return array.copy()

    def empty(self, size, dtype):
        return np.full(size, 77, dtype)

    def pinned(self, size):
        return np.empty(size, np.uint8)

    def index(self, pixels, offsets, table, labels, unknown):
        cpu.index_pixels(pixels, offsets, table, labels, unknown)

    def copy(self, target, source):
        np.copyto(target, source)

    def send(self, target, source):
        np.copyto(target, source)

    def fetch(self, target, source):
        np.copyto(target, source)

    def seconds(self, launches):
        start = perf_counter()
        for launch in launches:
            launch()
        return (perf_counter() - start) / len(launches)


def test_device_kernels_on_the_host():
    kernels, copies = device_kernels.measure(HostDevice(), 1, tiny=True)
    assert len(kernels.rows) == 6
    assert all(row["equal"] for row in kernels.rows)
    assert [row["direction"] for row in copies.rows] == ["to the device", "to the host"] * 2


def test_device_kernels_notice_a_wrong_kernel(monkeypatch):
    monkeypatch.setattr(HostDevice, "index", lambda *arguments: None)
    kernels, _ = device_kernels.measure(HostDevice(), 1, tiny=True)
    assert not any(row["equal"] for row in kernels.rows)


@pytest.mark.gpu
def test_device_kernels(tmp_path):
    if problem := device_kernels.gpu_problem():
        pytest.skip(problem)
    found = results(device_kernels.SCRIPT, tmp_path)
    rows = found["CUDA index kernel against a copy within the device"]
    assert all(row["equal"] for row in rows)


def test_device_needs_a_gpu(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(device, "gpu_problem", lambda: "there is none")
    assert device.main(["--out", str(tmp_path)]) == 2
    assert "needs an NVIDIA GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_device_parts_fit_in_eight_minutes():
    found = device.parts()
    assert len({part.name for part in found}) == len(found)
    assert sum(part.budget for part in found) <= 8 * 60
    assert device.TOTAL <= 8 * 60


def test_device_runs_parts_and_writes_results(tmp_path, capsys):
    tiny = ["-m", "benchmarks.kernel", "--tiny", "--tables", "--json", "{json}"]
    say = "print('3 passed, 2 deselected in 1 s')"
    todo = [
        Part("kernel", [sys.executable, *tiny], 60),
        Part("tests", [sys.executable, "-c", say], 30, tests=True),
        Part("no tests", [sys.executable, "-c", "print('5 skipped')"], 30, tests=True),
        Part("broken", [sys.executable, "-c", "raise SystemExit('ouch')"], 30),
        Part("endless", [sys.executable, "-c", "import time; time.sleep(60)"], 1.5),
        Part("absent", [], 30, skip="no such tool"),
    ]
    assert device.run_all(todo, {"device": "GPU"}, tmp_path / "out" / "gpu", 100) == 1
    data = json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))
    states = {part["name"]: part["state"] for part in data["parts"]}
    assert states == {
        "kernel": "passed",
        "tests": "passed",
        "no tests": "failed",
        "broken": "failed",
        "endless": "cut",
        "absent": "skipped",
    }
    assert len(data["parts"][0]["tables"]) == 3
    page = (tmp_path / "out" / "gpu.md").read_text(encoding="utf-8")
    assert "| endless | cut |" in page
    assert "### Direct table against perfect hash" in page
    assert "ouch" in page
    assert "| tests | passed |" in capsys.readouterr().out


def test_a_part_without_time_left_is_skipped(tmp_path):
    outcome = run_part(Part("late", [sys.executable, "-c", "pass"], 30), 0.5, tmp_path)
    assert (outcome.state, outcome.says) == ("skipped", "no time was left for it")


def test_unequal_results_fail_a_part(tmp_path):
    save = "import json, sys; json.dump({'tables': [{'title': 'T', 'rows': [{'equal': False}],"
    code = f"{save} 'notes': []}}]}}, open(sys.argv[1], 'w'))"
    outcome = run_part(Part("wrong", [sys.executable, "-c", code, "{json}"], 30), 30, tmp_path)
    assert (outcome.state, outcome.says) == ("failed", "unequal results in: T")


def test_highlights_name_the_kernel_and_the_bars():
    kernels, _ = device_kernels.measure(HostDevice(), 1, tiny=True)
    bars = Table("Bars: x")
    bars.add(ratio="a / b", of_the_best=1.05, bar="≤ 1.10", met=True)
    contenders = Table("End to end: x")
    contenders.add(contender="gpuseg --device cuda", workers=2, best__ms_a_file=1.5)
    python = Table("Python's own cost")
    python.add(set="x", fastest_run__ms_a_file=0.1, bar="≤ 0.2", met=True)
    made = [table.as_dict() for table in (kernels, bars, contenders, python)]
    lines = device.highlights([Outcome("all", "passed", tables=made)])
    assert len(lines) == 8
    assert "1.05 (bar ≤ 1.10: met)" in lines[6]


def test_compression(tmp_path):
    found = results(compression.SCRIPT, tmp_path)
    assert len(found) == 3
    for rows in found.values():
        assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    for row in found["Row filters, each with Z_RLE"]:
        best = min(row["None: bytes"], row["Up: bytes"])
        assert row["smaller of both: bytes"] <= best + 1e-9
    assert all(row["zlib-ng: ms"] > 0 for row in found["Inflating the masks"])


def test_scanlines(tmp_path):
    [rows] = results(scanlines.SCRIPT, tmp_path).values()
    assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    assert all(row["index"] > 0 and row["filter"] > 0 for row in rows)
