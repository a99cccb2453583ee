"""The benchmarks for GPU machines, on the host: what measures is right, and the parts run."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageColor

from benchmarks import (
    ceiling,
    device,
    device_confusion,
    device_facts,
    device_kernels,
    device_scan,
    free_device,
    timeline,
)
from benchmarks.common import ROOT, Table, child_environment
from benchmarks.parts import Outcome, Part, run_part
from gpuseg.kernels import confusion, cpu, reference
from tests.benchmarks.running import results


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


class HostConfusionDevice(HostDevice):
    """The same for pairs of label maps."""

    def confuse(self, truth, prediction, offsets, slots, counts):
        confusion.confuse(truth, prediction, offsets, slots, counts)


def test_device_confusion_on_the_host(monkeypatch):
    table = device_confusion.measure(HostConfusionDevice(), 1, tiny=True)
    assert [row["equal"] for row in table.rows] == [True] * 8
    told = device.highlights([Outcome("x", "passed", tables=[table.as_dict()])])
    assert sum(line.startswith("confusion, ") for line in told) == 8
    monkeypatch.setattr(HostConfusionDevice, "confuse", lambda *arguments: None)
    table = device_confusion.measure(HostConfusionDevice(), 1, tiny=True)
    assert not any(row["equal"] for row in table.rows)


class HostScanDevice(HostDevice):
    """The same for batches of scanlines."""

    def prepare(self, batch, lookup):
        lines = [free_device.label_lines(batch, i, lookup) for i in range(len(batch))]
        return SimpleNamespace(scan=lambda: None, filter_rows=lambda: np.concatenate(lines))

    def copier(self, size):
        source, target = np.zeros(size, np.uint8), np.empty(size, np.uint8)
        return lambda: np.copyto(target, source)


def test_device_scan_on_the_host():
    table = device_scan.measure(HostScanDevice(), 1, tiny=True)
    assert [row["equal"] for row in table.rows] == [True] * 3
    assert "scan, " in "".join(
        device.highlights([Outcome("x", "passed", tables=[table.as_dict()])])
    )


@pytest.mark.parametrize("kind", [None, 0, 1, 2, 3, 4])
def test_scanlines_that_are_measured_are_right(kind):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    lines = device_scan.filtered(pixels, kind)
    assert kind is None or (lines[:, 0] == kind).all()
    found = reference.unfilter(lines.tobytes(), 9, 21, 3)
    assert np.array_equal(found.reshape(9, 7, 3), pixels)


def test_ceiling(tmp_path):
    rows, stages, copies = results(ceiling.SCRIPT, tmp_path, "--workers", "2").values()
    assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    assert all(row["of the best"] > 0 for row in rows)
    assert [row["by"] for row in stages] == ["cpu", "free"] * 2
    assert all(row["inflate"] > 0 and row["encode"] > 0 for row in stages)
    for row in copies:
        assert all(row[f"{way} (ms)"] > 0 for way in ("inflate alone", "plain copy"))


def test_timeline(tmp_path):
    class Timed(free_device.FreeDevice):
        def index(self, *arguments):
            lines = super().index(*arguments)
            return replace(lines, seconds={"upload": 1e-4, "index": 2e-4, "download": 1e-4})

    picture = tmp_path / "deep" / "timeline.png"
    args = timeline.SCRIPT.parser().parse_args(["--tiny", "--workers", "2"])
    args.picture = picture
    table = timeline.measure(Timed(), args, tmp_path)
    assert [row["what"] for row in table.rows] == list(timeline.COLOURS)
    assert all(row["ms a file"] > 0 for row in table.rows if "ms a file" in row)
    with Image.open(picture) as image:
        colours = {colour for _, colour in image.getcolors(1 << 16)}
    assert {ImageColor.getrgb(colour) for colour in timeline.COLOURS.values()} <= colours


@pytest.mark.gpu
def test_device_scan_and_timeline(tmp_path):
    if problem := device_facts.gpu_problem():
        pytest.skip(problem)
    for script in (device_scan.SCRIPT, device_confusion.SCRIPT):
        [rows] = results(script, tmp_path).values()
        assert all(row["equal"] for row in rows)
    assert results(timeline.SCRIPT, tmp_path)


@pytest.mark.gpu
def test_device_kernels(tmp_path):
    if problem := device_facts.gpu_problem():
        pytest.skip(problem)
    found = results(device_kernels.SCRIPT, tmp_path)
    rows = found["CUDA index kernel against a copy within the device"]
    assert all(row["equal"] for row in rows)


def test_device_needs_a_gpu(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(device, "found_apart", lambda: ("there is none", {}))
    assert device.main(["--out", str(tmp_path)]) == 2
    assert "needs an NVIDIA GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_facts_of_a_device_come_from_a_process_of_their_own():
    problem, facts = device_facts.found_apart()
    assert problem == device_facts.gpu_problem()
    assert bool(problem) != bool(facts)


LEAN = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("hypothesis", "click", "rich", "cv2"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import pytest

sys.exit(pytest.main(sys.argv[1:]))
"""


def test_gpu_tests_need_nothing_that_a_gpu_machine_may_lack():
    """All files that have such tests are named, and found by a Python with few packages."""
    folder = ROOT / "tests" / "kernels"
    named = {(folder / file).resolve() for file in device.GPU_TESTS}
    marked = {
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"mark\.gpu|index_batch: IndexBatch", path.read_text("utf-8"))
    }
    assert marked - {folder / "test_index_any.py"} == named
    done = subprocess.run(
        [sys.executable, "-c", LEAN, "--collect-only", "-q", "-m", "gpu", *map(str, named)],
        env=child_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for path in named:
        assert path.name in done.stdout


def test_device_parts_fit_in_eight_minutes():
    found = device.parts()
    assert len({part.name for part in found}) == len(found)
    assert sum(part.budget for part in found) <= 8 * 60
    assert device.TOTAL <= 8 * 60


def test_device_runs_parts_and_writes_results(tmp_path, capsys):
    tiny = ["-m", "benchmarks.kernel", "--tiny", "--tables", "--json", "{json}"]
    say = "print('3 passed, 2 deselected in 1 s')"
    todo = [
        Part("kernel", [sys.executable, *tiny], 300),
        Part("tests", [sys.executable, "-c", say], 30, tests=True),
        Part("no tests", [sys.executable, "-c", "print('5 skipped')"], 30, tests=True),
        Part("broken", [sys.executable, "-c", "raise SystemExit('ouch')"], 30),
        Part("endless", [sys.executable, "-c", "import time; time.sleep(60)"], 1.5),
        Part("no verdict", [sys.executable, "-c", "import time; time.sleep(60)"], 1.5, tests=True),
        Part("absent", [], 30, skip="no such tool"),
    ]
    assert device.run_all(todo, {"device": "GPU"}, tmp_path / "out" / "gpu", 900) == 1
    data = json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))
    states = {part["name"]: part["state"] for part in data["parts"]}
    assert states == {
        "kernel": "passed",
        "tests": "passed",
        "no tests": "failed",
        "broken": "failed",
        "endless": "cut",
        "no verdict": "failed",
        "absent": "skipped",
    }
    assert len(data["parts"][0]["tables"]) == 3
    page = (tmp_path / "out" / "gpu.md").read_text(encoding="utf-8")
    assert "| endless | cut |" in page
    assert "### Direct table against perfect hash" in page
    assert "ouch" in page
    assert "| tests | passed |" in capsys.readouterr().out


def test_a_part_without_time_left_is_skipped(tmp_path):
    outcome = run_part(Part("late", [sys.executable, "-c", "pass"], 30), 0.5, tmp_path, tmp_path)
    assert (outcome.state, outcome.says) == ("skipped", "no time was left for it")


def test_unequal_results_fail_a_part(tmp_path):
    save = "import json, sys; json.dump({'tables': [{'title': 'T', 'rows': [{'equal': False}],"
    code = f"{save} 'notes': []}}]}}, open(sys.argv[1], 'w'))"
    outcome = run_part(
        Part("wrong", [sys.executable, "-c", code, "{json}"], 30), 30, tmp_path, tmp_path
    )
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
