"""`gpuseg convert --device`, on a machine whose devices the CPU plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpuseg import choice
from gpuseg.kernels import backend
from tests.helpers import REPORT, Place, check_exact, gpuseg, read_report
from tests.kernels.host_device import HostDevice
from tests.making import save_mask

TOLD_NOTHING = "auto: the run was over before its first files told if host or the CPU is faster"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder of masks, on a machine with a device."""
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    monkeypatch.setattr(backend, "open_device", lambda number: HostDevice())
    place = Place(tmp_path)
    place.good(6)
    return place


def convert(place: Place, *more: str) -> Any:
    palette = ["--palette", str(place.palette), "--workers", "2"]
    return gpuseg("convert", str(place.src), str(place.dst), *palette, *more)


def test_a_device_converts(place: Place) -> None:
    run = convert(place, "--device", "cuda")
    assert run.code == 0, run
    assert "device: cuda: asked for" in run.out
    lines = read_report(place.dst / REPORT)
    assert {row["device"] for row in lines.files.values()} == {"host"}
    assert lines.header["options"]["device"] == "cuda"
    assert len(check_exact(place)) == 6


def test_auto_measures_and_says_so(place: Place) -> None:
    run = convert(place)
    assert run.code == 0, run
    assert f"device: {TOLD_NOTHING}" in run.out
    assert read_report(place.dst / REPORT).log == [f"device {TOLD_NOTHING}"]


def test_files_that_the_cpu_converts_are_told(place: Place) -> None:
    (place.src / "other.bmp").write_bytes((place.src / "good0.png").read_bytes())
    from PIL import Image

    with Image.open(place.src / "good0.png") as image:
        image.save(place.src / "other.bmp")
    run = convert(place, "--device", "cuda")
    assert "1 file left to the CPU (1 of a kind that the device does not take)" in run.out
    assert "1 file left to" in read_report(place.dst / REPORT).summary["remark"]


def test_a_device_that_fails_ends_the_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("cudaErrorIllegalAddress")

    monkeypatch.setattr(HostDevice, "index", fail)
    (place.src / "other.png").write_bytes(b"no image")
    run = convert(place, "--device", "cuda")
    assert run.code == 1
    assert "failed: device host failed (RuntimeError: cudaErrorIllegalAddress); label" in run.err
    assert "stopped early (error)" in run.out
    lines = read_report(place.dst / REPORT)
    assert (lines.summary["stopped"], lines.summary["exit_code"]) == ("error", 1)


def test_auto_goes_on_without_a_device_that_fails(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("cudaErrorIllegalAddress")

    monkeypatch.setattr(HostDevice, "index", fail)
    monkeypatch.setattr(choice, "CPU_SECONDS", 0)  # it would convert all six
    run = convert(place)
    assert run.code == 0, run
    failed = "cpu: host failed (RuntimeError: cudaErrorIllegalAddress)"
    assert f"device: {failed}" in run.out
    assert read_report(place.dst / REPORT).log == [f"device {failed}"]
    assert len(check_exact(place)) == 6


def test_what_was_left_to_the_cpu_is_told_of_runs_that_end_early(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.src / "other.png").unlink(missing_ok=True)
    save_mask(place.src / "a.bmp", 5, 5)
    monkeypatch.setattr(HostDevice, "index", lambda *arguments: 1 // 0)
    assert convert(place, "--device", "cuda").code == 1
    assert read_report(place.dst / REPORT).summary["remark"].startswith("1 file left to the CPU")


@pytest.mark.parametrize("device", ["gpu", "cuda:0,0", "cuda:"])
def test_wrong_devices(place: Place, device: str) -> None:
    run = convert(place, "--device", device)
    assert run.code == 2
    assert "device must be auto, cpu, cuda, or cuda: and the numbers" in run.err


def test_a_device_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "there is no device 3")
    run = convert(place, "--device", "cuda:3")
    assert run.code == 2
    assert "device cuda:3 cannot be used: there is no device 3" in run.err
