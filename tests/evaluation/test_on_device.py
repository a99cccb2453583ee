"""The flow of an evaluation by a device: its rows are those of the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import gpuseg
from gpuseg.cli import main
from gpuseg.errors import BackendError, DeviceError, UsageError
from gpuseg.evaluation import evaluating, on_device
from gpuseg.kernels import backend
from gpuseg.palette import Palette, PaletteClass, voc_colormap
from tests.kernels.host_device import HostDevice

VOC = Palette.from_colours(voc_colormap(21), name="voc", ignore_index=255)
FAR = Palette(
    tuple(PaletteClass(100 * k, f"{k}", (k, k, k)) for k in range(6)), name="far", ignore_index=300
)


class Counted(HostDevice):
    """Notes the pixels of each batch; has memory for `most` pixels."""

    def __init__(self, most: int = 1 << 40) -> None:
        self.most, self.batches = most, list[tuple[int, int]]()

    def confuse(self, truth: Any, prediction: Any, offsets: Any, *others: Any) -> Any:
        if truth.size > self.most:
            raise MemoryError
        assert truth.size == offsets[-1]
        self.batches.append((len(offsets) - 1, truth.size))
        return super().confuse(truth, prediction, offsets, *others)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Counted:
    device = Counted()
    use(monkeypatch, device)
    return device


def use(monkeypatch: pytest.MonkeyPatch, device: HostDevice) -> None:
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "")
    monkeypatch.setattr(backend, "open_device", lambda number: device)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Pairs of any kind: whole ones of mixed sizes, and one of each fault."""
    pred, truth = tmp_path / "pred", tmp_path / "truth"
    rng = np.random.default_rng(0)
    for folder in (pred, truth):
        (folder / "deep").mkdir(parents=True)
    for k in range(12):
        shape = (int(rng.integers(1, 40)), int(rng.integers(1, 60)))
        labels = rng.integers(0, 21, (2, *shape)).astype(np.uint8)
        labels[:, rng.random(shape) < 0.1] = 255
        save(truth / "deep" / f"{k}.png", labels[0])
        save(pred / "deep" / f"{k}.png", labels[1], rgb=k % 4 == 3)
    labels = np.arange(60, dtype=np.uint8).reshape(6, 10) % 21
    for name in ("alone", "void", "strange", "small", "wide", "broken"):
        save(truth / f"{name}.png", labels)
    save(pred / "void.png", np.full_like(labels, 77))
    save(pred / "extra.png", labels)
    save(truth / "strange.png", labels + np.uint8(5))
    save(pred / "strange.png", labels)
    save(pred / "small.png", labels[:3])
    Image.fromarray(labels.astype(np.uint16)).save(pred / "wide.png")
    (pred / "broken.png").write_bytes(b"no image")
    return pred, truth


def save(path: Path, labels: NDArray[np.uint8], *, rgb: bool = False) -> None:
    if rgb:
        labels = np.where(labels == 255, 0, labels)
        Image.fromarray(VOC.colours[labels]).save(path)
        return
    image = Image.fromarray(labels)
    image.putpalette(voc_colormap(256).tobytes())
    image.save(path)


def rows(folders: tuple[Path, Path], **options: Any) -> tuple[list[Any], gpuseg.Evaluation]:
    """What the report says of each pair but the time it took, and the evaluation."""
    report = folders[0].parent / "report.jsonl"
    found = gpuseg.evaluate(*folders, report=report, **options)
    lines = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    kept = [line for line in lines if "source" in line]
    for row in kept:
        assert set(row.pop("seconds", {})) <= {"read", "count"}
    return sorted(kept, key=lambda row: row["source"]), found


@pytest.mark.parametrize("palette", [VOC, FAR, None])
@pytest.mark.parametrize("batch_pixels", [1, 3000, 1 << 20])
def test_rows_are_those_of_the_cpu(
    folders: tuple[Path, Path], device: Counted, palette: Palette | None, batch_pixels: int
) -> None:
    """Whatever the batches; without a palette all indices count, with `far` most are strange."""
    expected, by_cpu = rows(folders, palette=palette, workers=2)
    assert not device.batches
    found, by_device = rows(
        folders, palette=palette, workers=2, device="cuda", batch_pixels=batch_pixels
    )
    assert len(expected) == 19
    assert found == expected
    assert by_device.as_dict() == by_cpu.as_dict()
    statuses = {row["source"]: row["status"] for row in found}
    assert {statuses[f"{name}.png"] for name in ("alone", "extra", "broken")} == {
        "missing", "extra", "failed"
    }  # fmt: skip
    counted = sum(pairs for pairs, _ in device.batches)
    assert counted >= 11  # the others are colours that the palette lacks, of 16 bits, or faulty
    if batch_pixels == 1:
        assert all(pairs == 1 for pairs, _ in device.batches)


def test_boundaries_are_scored_too(folders: tuple[Path, Path], device: Counted) -> None:
    expected, _ = rows(folders, palette=VOC, boundary="auto")
    found, _ = rows(folders, palette=VOC, boundary="auto", device="cuda")
    assert found == expected
    assert any("boundary" in row for row in found)
    assert device.batches


def test_one_pair_of_files(folders: tuple[Path, Path], device: Counted) -> None:
    files = [folder / "deep" / "1.png" for folder in folders]
    expected = gpuseg.evaluate(*files, palette=VOC)
    found = gpuseg.evaluate(*files, palette=VOC, device="cuda:1")
    assert found.as_dict() == expected.as_dict()
    assert len(device.batches) == 1


def test_matrices_bound_a_batch_too(
    folders: tuple[Path, Path], device: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_device, "MOST_BYTES", 3 * 8 * 23 * 23)
    rows(folders, palette=VOC, device="cuda", workers=1)
    assert max(pairs for pairs, _ in device.batches) == 3


@pytest.mark.parametrize("most", [0, 500, 4000])
def test_a_batch_without_memory_is_halved(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    device = Counted(most)
    use(monkeypatch, device)
    expected, _ = rows(folders, palette=VOC, workers=1)
    found, evaluation = rows(folders, palette=VOC, workers=1, device="cuda")
    assert found == expected
    report = (folders[0].parent / "report.jsonl").read_text("utf-8")
    assert "pixels at once: halved" in report
    assert ("left to the CPU" in report) == (most < 4000)
    assert bool(device.batches) == (most > 0)
    assert not evaluation.report.stopped


def test_a_device_that_fails_ends_the_run(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(HostDevice):
        def confuse(self, *arguments: Any) -> Any:
            raise RuntimeError("no kernel image")

    use(monkeypatch, Broken())
    with pytest.raises(DeviceError, match=r"host failed \(RuntimeError: no kernel image\); run"):
        gpuseg.evaluate(*folders, palette=VOC, device="cuda")
    words = ["evaluate", *map(str, folders), "--palette", "voc", "--device", "cuda"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert "failed: device host failed" in done.output


def test_a_pair_that_fails_after_the_device_stops_no_other(
    folders: tuple[Path, Path], device: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boundaries are the CPU's, which may have no memory for those of a large image."""
    real = evaluating.image_boundaries

    def image_boundaries(truth: Any, *others: Any) -> Any:
        if truth.size > 1000:
            raise MemoryError
        return real(truth, *others)

    monkeypatch.setattr(evaluating, "image_boundaries", image_boundaries)
    expected, _ = rows(folders, palette=VOC, boundary=1.0)
    found, _ = rows(folders, palette=VOC, boundary=1.0, device="cuda", workers=2)
    assert found == expected
    assert device.batches
    assert any("needs more memory" in row.get("message", "") for row in found)


def test_on_the_command_line(folders: tuple[Path, Path], device: Counted) -> None:
    words = ["evaluate", *map(str, folders), "--palette", "voc", "--json"]
    found = [
        CliRunner().invoke(main, [*words, *more])
        for more in ([], ["--device", "cuda", "--batch-pixels", "5000"])
    ]
    assert [result.exit_code for result in found] == [1, 1]  # some pairs are faulty
    scores = [json.loads(result.stdout)["classes"] for result in found]
    assert scores[0] == scores[1]
    assert device.batches


def test_wrong_devices(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("auto", "cuda:0,1", "gpu", "cuda:"):
        with pytest.raises(UsageError, match="device must be cpu, cuda or cuda:N"):
            gpuseg.evaluate(*folders, device=wrong)
    with pytest.raises(UsageError, match="batch_pixels must be 1 at least"):
        gpuseg.evaluate(*folders, batch_pixels=0)
    with pytest.raises(UsageError, match="the CPUs of its workers count"):
        gpuseg.evaluate(*folders, device="cuda", scheduler="local:2")
    monkeypatch.setattr(backend, "probe_cuda", lambda number=0: "CuPy is not installed")
    with pytest.raises(BackendError, match="CuPy is not installed"):
        gpuseg.evaluate(*folders, device="cuda")
