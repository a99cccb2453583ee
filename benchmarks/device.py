"""Everything that needs a GPU, in one command: tests, sanitizer, benchmarks, results as files.

Takes at most 8 minutes: each part has a time budget, one that overruns is cut. Writes
NAME.json and NAME.md, NAME being the device's, and prints a summary last. Needs no network
and neither click nor rich. Without a GPU it exits with code 2.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from benchmarks.common import ROOT, cell, facts_line, machine
from benchmarks.device_facts import NEEDS, found_apart
from benchmarks.parts import Outcome, Part, run_part
from gpuseg.options import usable_cpus

TOTAL = 460.0
"""Seconds for all parts together."""

GPU_TESTS = (
    *("test_cuda.py", "test_devices.py", "test_cuda_confusion.py"),
    *("test_index.py", "test_backend.py"),
    *("../test_arrays.py", "../test_labels.py", "../test_pipeline.py"),
    *("../test_predictions_gpu.py", "../torch_door/test_transform_gpu.py"),
    "../benchmarks/test_device.py",
)
"""Files below tests/kernels whose tests need a device, but neither hypothesis nor click."""

MEMCHECK, RACECHECK = (*GPU_TESTS[:4], *GPU_TESTS[5:7]), GPU_TESTS[1:3]
"""Those that run each kernel; and those of kernels whose threads share memory."""


def parts() -> list[Part]:
    """What is run, the most telling first."""
    cores = str(usable_cpus())
    cpu_bars = ["--workers", "1", "2", "--copies", "1", "--repeats", "3", "--no-scripts"]
    devices = ["--devices", "cpu", "cuda", "--codecs", "auto", "--workers", cores]
    devices += ["--copies", "8", "--repeats", "3", "--no-usual-script"]
    few_files = ["--files", "1000", "5000", "--names", "1000", "50000"]
    picture = ["--picture", "{out}/timeline.png"]
    return [
        _tests("gpu tests", [], GPU_TESTS, 90),
        _benchmark("device_scan", 40),
        _benchmark("device_kernels", 40),
        _benchmark("device_confusion", 20),
        _benchmark("end_to_end", 80, *devices, name="end_to_end cuda"),
        _benchmark("timeline", 20, *picture),
        _sanitizer("memcheck", MEMCHECK, 50),
        _sanitizer("racecheck", RACECHECK, 40),
        _benchmark("ceiling", 20, "--repeats", "3", "--copies", "8"),
        _benchmark("kernel", 20, "--repeats", "3", "--limit", "1"),
        _benchmark("end_to_end", 30, *cpu_bars, name="end_to_end bars"),
        _benchmark("stages", 10, "--repeats", "3"),
        _benchmark("startup", 10, "--repeats", "3"),
        _benchmark("memory", 10, *few_files),
    ]


def _benchmark(script: str, budget: float, *flags: str, name: str = "") -> Part:
    words = [sys.executable, "-m", f"benchmarks.{script}", "--json", "{json}", *flags]
    return Part(name or script, words, budget)


def _tests(
    name: str, before: Sequence[str], files: Sequence[str], budget: float, *flags: str
) -> Part:
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider"]
    paths = [os.path.normpath(os.path.join("tests", "kernels", file)) for file in files]
    words = [*before, *command, "--continue-on-collection-errors", *flags, *paths]
    skip = "" if find_spec("pytest") else "pytest is not installed"
    return Part(name, words, budget, tests=True, skip=skip)


def _sanitizer(tool: str, files: Sequence[str], budget: float) -> Part:
    found = find_sanitizer()
    if found is None:
        return Part(tool, [], budget, skip="compute-sanitizer was not found")
    before = [found, "--tool", tool, "--error-exitcode", "9"]
    quick = ["-m", "gpu and not slow", "-p", "benchmarks.sanitized"]  # the last -m counts
    return _tests(tool, before, files, budget, *quick)


def find_sanitizer() -> str | None:
    """Path of compute-sanitizer, from PATH, a CUDA toolkit or NVIDIA's package for pip."""
    toolkits = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    folders = [str(Path(home, "bin")) for home in toolkits if home]
    package = find_spec("nvidia")
    for folder in (package.submodule_search_locations or []) if package else []:
        folders += [str(path) for path in sorted(Path(folder).glob("*/bin"))]
    return shutil.which("compute-sanitizer") or shutil.which(
        "compute-sanitizer", path=os.pathsep.join(folders)
    )


def run_all(todo: Sequence[Part], facts: Mapping[str, str], base: Path, total: float) -> int:
    """Run the parts and write `base`.json and .md after each; 0 if none failed, else 1."""
    deadline = monotonic() + total
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="gpuseg-device-") as work:
        for part in todo:
            print(f"{part.name} … ", end="", flush=True)
            outcome = run_part(part, deadline - monotonic(), Path(work), base.parent)
            outcomes.append(outcome)
            print(f"{outcome.state} ({outcome.seconds:.0f} s): {outcome.says}", flush=True)
            if outcome.state == "failed":
                print("\n".join(f"    {line}" for line in outcome.tail), flush=True)
            save(base, facts, outcomes)
    print(f"\n{summary(outcomes)}\nresults: {base}.json, {base}.md")
    return int(any(outcome.state == "failed" for outcome in outcomes))


def save(base: Path, facts: Mapping[str, str], outcomes: Sequence[Outcome]) -> None:
    """Write what there is so far, for programs and for people."""
    base.parent.mkdir(parents=True, exist_ok=True)
    data = {"machine": dict(facts), "parts": [outcome.as_dict() for outcome in outcomes]}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    base.with_name(f"{base.name}.json").write_text(text, encoding="utf-8")
    title = f"# {facts.get('device', 'device')}\n\n{facts_line(facts)}\n"
    page = [title, summary(outcomes), *(outcome.markdown() for outcome in outcomes)]
    base.with_name(f"{base.name}.md").write_text("\n".join(page), encoding="utf-8")


def summary(outcomes: Sequence[Outcome]) -> str:
    """One row a part, then the key figures."""
    lines = ["| part | state | s | says |", "|---|---|---|---|"]
    lines += [f"| {o.name} | {o.state} | {o.seconds:.0f} | {cell(o.says)} |" for o in outcomes]
    return "\n".join([*lines, "", *(f"- {line}" for line in highlights(outcomes))]) + "\n"


def highlights(outcomes: Sequence[Outcome]) -> list[str]:
    """The figures that one looks for first."""
    lines = []
    for table in (table for outcome in outcomes for table in outcome.tables):
        for row in table["rows"]:
            if "scan (GB/s)" in row:
                lines.append(
                    f"scan, {row['images']}, {row['content']}: {cell(row['scan (GB/s)'])} GB/s, "
                    f"{cell(row['share of the copy (%)'])} % of a copy within the device (bar "
                    f"{row['bar (%)']}); equal to the CPU: {cell(row['equal'])}"
                )
            elif "of the copy (%)" in row:
                lines.append(
                    f"confusion, {cell(row['Mpx'])} Mpx of {row['content']}, {row['dtype']}, "
                    f"{row['classes']} classes: {cell(row['kernel (GB/s)'])} GB/s, "
                    f"{cell(row['of the copy (%)'])} % of a copy within the device; equal to the "
                    f"CPU: {cell(row['equal'])}"
                )
            elif "share of the copy (%)" in row:
                lines.append(
                    f"index kernel, {cell(row['Mpx'])} Mpx of {row['content']}: "
                    f"{cell(row['kernel (GB/s)'])} GB/s, {cell(row['share of the copy (%)'])} % "
                    f"of a copy within the device (bar {row['bar (%)']}); equal to the CPU: "
                    f"{cell(row['equal'])}"
                )
            if str(row.get("contender")).startswith("gpuseg"):
                lines.append(
                    f"{table['title']}: {row['contender']}, {row['workers']} workers: "
                    f"{cell(row['best (ms a file)'])} ms a file"
                )
            if row.get("bar") is not None and "of the best" in row:
                lines.append(
                    f"{table['title']}: {row.get('ratio') or row['set']} = "
                    f"{cell(row['of the best'])} (bar {row['bar']}: "
                    f"{'met' if row['met'] else 'not met'})"
                )
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for."""
    names = [part.name for part in parts()]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--only", nargs="+", choices=names, metavar="PART", default=names)
    args = parser.parse_args(argv)
    problem, facts = found_apart()
    if problem:
        print(f"benchmarks.device: {NEEDS}, but {problem}", file=sys.stderr)
        return 2
    facts = {**facts, **machine()}
    base = args.out / re.sub(r"[^A-Za-z0-9]+", "-", facts["device"]).strip("-").lower()
    todo = [part for part in parts() if part.name in args.only]
    return run_all(todo, facts, base, TOTAL)


if __name__ == "__main__":
    sys.exit(main())
