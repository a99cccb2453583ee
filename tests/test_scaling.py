"""docs/scaling.md: its scripts run as they stand, with stand-ins for Slurm's commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gpuseg
from gpuseg.cli import main
from tests.helpers import ROOT, Place, check_exact, environment, read_report

PAGE = (ROOT / "docs" / "scaling.md").read_text("utf-8")

SBATCH = """#!/bin/bash
# runs the tasks of an array one by one, as soon as it is called
for last; do true; done
if [[ "$*" == *--wrap* ]]; then bash -c "$last" >&2; exit; fi
range=$(sed -n 's/^#SBATCH --array=0-//p' "$last")
export SLURM_NTASKS=3
if [ -z "$range" ]; then exec bash "$last"; fi
for task in $(seq 0 "$range"); do SLURM_ARRAY_TASK_ID=$task bash "$last" >&2; done
echo 4711
"""

SRUN = """#!/bin/bash
# runs a command as often as --ntasks says, on this machine
while [[ "$1" == --* ]]; do
  if [[ "$1" == --ntasks=* ]]; then count=${1#*=}; fi
  shift
done
trap 'kill $(jobs -p)' TERM
for _ in $(seq "$count"); do "$@" & done
wait
"""

COMMANDS = {
    "sbatch": SBATCH,
    "srun": SRUN,
    "gpuseg": f'#!/bin/bash\nexec "{sys.executable}" -m gpuseg "$@"\n',
    "dask": f'#!/bin/bash\nexec "{sys.executable}" -m dask "$@"\n',
}


def blocks(kind: str) -> dict[str, str]:
    """The code blocks of the page that a comment names, for instance `<!-- run: array -->`."""
    return dict(re.findall(rf"<!-- {kind}: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Masks in `masks`, their palette, the files of the page, and commands of ours."""
    place = Place(tmp_path)
    place.good(20)
    place.src.rename(tmp_path / "masks")
    place.src.symlink_to("masks")
    place.dst = tmp_path / "labels"
    place.palette.rename(tmp_path / "classes.csv")
    for name, text in blocks("file").items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bin").mkdir()
    for name, text in COMMANDS.items():
        command = tmp_path / "bin" / name
        command.write_text(text)
        command.chmod(0o755)
    return place


def run(place: Place, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(place.root / "bin"), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", script],
        cwd=place.root, env=environment(PATH=path, **more), capture_output=True, text=True,
    )  # fmt: skip


pytestmark = pytest.mark.skipif(os.name == "nt", reason="bash")


@pytest.mark.slow
def test_an_array(place: Place) -> None:
    done = run(place, blocks("run")["array"])
    assert done.returncode == 0, done.stderr
    assert len(check_exact(place)) == 20
    merged = read_report(place.dst / "gpuseg-report.jsonl")
    assert len(merged.files) == 20
    assert [part["shard"] for part in merged.header["merged"]] == [f"{k}/8" for k in range(1, 9)]
    (place.dst / "gpuseg-report-3-of-8-try-0.jsonl").unlink()
    told = run(place, "gpuseg merge-reports labels")
    assert told.returncode == 1
    assert "no report of shard 3 of 8" in told.stdout
    again = run(place, "SLURM_ARRAY_TASK_ID=2 bash array.sh && gpuseg merge-reports labels")
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_dask(place: Place) -> None:
    pytest.importorskip("distributed")
    if not any("--scheduler" in option.opts for option in main.commands["convert"].params):
        pytest.skip("convert has no --scheduler yet")
    done = run(place, blocks("run")["dask"])
    assert done.returncode == 0, done.stderr
    assert len(check_exact(place)) == 20
    assert len(read_report(place.dst / "gpuseg-report.jsonl").files) == 20


def manifests() -> dict[str, list[dict[str, Any]]]:
    yaml = pytest.importorskip("yaml")
    found = {name: text for name, text in blocks("file").items() if name.endswith(".yaml")}
    return {name: list(yaml.safe_load_all(text)) for name, text in found.items()}


@pytest.mark.slow
def test_the_command_of_the_indexed_job(place: Place) -> None:
    (job,) = manifests()["job.yaml"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    (script,) = container["args"]
    count = job["spec"]["completions"]
    assert f"/{count}" in script
    local = script.replace("s3://bucket/", "").replace("cityscapes", "classes.csv")
    for index in (0, count - 1):
        done = run(place, local, JOB_COMPLETION_INDEX=str(index))
        assert done.returncode == 0, done.stderr
    merged = gpuseg.merge_reports(place.dst)
    assert merged.problem.startswith("no report of shards 2, 3, 4,")


def test_manifests_name_what_kubernetes_documents() -> None:
    (job,) = manifests()["job.yaml"]
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["spec"]["completionMode"] == "Indexed"
    policy = job["spec"]["podFailurePolicy"]["rules"]
    assert [rule["action"] for rule in policy] == ["FailIndex", "Ignore"]
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    cluster, runner = manifests()["cluster.yaml"]
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    name, spec = cluster["metadata"]["name"], cluster["spec"]
    assert set(spec) == {"worker", "scheduler"}
    assert set(spec["worker"]) == {"replicas", "spec"}
    assert set(spec["scheduler"]) == {"spec", "service"}
    service = spec["scheduler"]["service"]
    assert service["selector"] == {
        "dask.org/cluster-name": name,
        "dask.org/component": "scheduler",
    }
    (container,) = spec["scheduler"]["spec"]["containers"]
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert named == {port["targetPort"]: port["port"] for port in service["ports"]}
    (container,) = runner["spec"]["template"]["spec"]["containers"]
    port = named["tcp-comm"]
    assert container["args"][-2:] == ["--scheduler", f"tcp://{name}-scheduler:{port}"]


def test_commands_of_the_page_name_options_that_there_are() -> None:
    known = {o for c in main.commands.values() for p in c.params for o in p.opts}
    for line in re.findall(r"^gpuseg (?:convert|merge-reports) .*", PAGE, re.MULTILINE):
        told = set(re.findall(r"(?<= )--[a-z-]+", line)) - {"--scheduler"}
        assert told <= known, line
    (devices,) = re.findall(r"--device (cuda:\S+)", PAGE)
    assert gpuseg.ConvertOptions(device=devices).device == devices
