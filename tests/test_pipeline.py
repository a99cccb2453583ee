"""Both flows, file by file and in batches, by one body: same label maps, same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from PIL import Image

from gpuseg import direct
from gpuseg.batched import BatchedFlow
from gpuseg.codecs import png
from gpuseg.discover import Listed, Source, Walk, in_shard
from gpuseg.kernels import backend
from gpuseg.options import ConvertOptions, Shard
from gpuseg.palette import Palette
from gpuseg.pipeline import Conversion, convert_source
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import ProcessFlow
from gpuseg.results import FileResult
from tests.kernels.host_device import HostDevice
from tests.making import COLOURS, PALETTE, indices, mask, read_indices, save_mask

Run = Callable[..., dict[str, FileResult]]


@pytest.fixture(params=["per-file", "batched", pytest.param("cuda", marks=pytest.mark.gpu)])
def run(request: pytest.FixtureRequest) -> Run:
    """Convert a folder with one of the flows; rows by source."""
    if request.param == "cuda" and (problem := backend.probe_cuda()):
        pytest.skip(f"no CUDA device: {problem}")

    def convert(src: Path, dst: Path, palette: Palette = PALETTE, **options: object):
        settings = ConvertOptions(**{"workers": 2, "batch_pixels": 700, **options})
        job = Job.create(str(dst), palette, settings)
        rows: list[FileResult] = []
        feed = Feed(Walk(str(src), settings.pattern))

        def add(row: FileResult, line: bytes | None = None) -> None:
            rows.append(row)
            if settings.fail_fast and row.status == "failed":
                feed.close()

        flow: ProcessFlow | BatchedFlow = ProcessFlow(feed, Conversion(job), add)
        if request.param != "per-file":
            device = backend.open_device(0) if request.param == "cuda" else HostDevice()
            flow = BatchedFlow(feed, job, add, device, lambda message: None)
        run_threads(flow.work, flow.threads, feed.close, lambda: None)
        assert len({row.source for row in rows}) == len(rows)
        return {row.source: row for row in rows}

    return convert


def test_mixed_sizes_and_kinds(run: Run, tmp_path: Path) -> None:
    sizes = [(1, 1), (3, 200), (17, 12), (40, 50), (1, 9), (8, 8)] * 4
    for i, (height, width) in enumerate(sizes):
        save_mask(tmp_path / "src" / f"{i}.png", height, width, seed=i)
    save_mask(tmp_path / "src" / "rgba.bmp", 9, 9, seed=99)
    with Image.open(tmp_path / "src" / "0.png") as image:
        image.convert("RGBA").save(tmp_path / "src" / "opaque.png")
    Image.fromarray(mask(6, 7)).quantize(6).save(tmp_path / "src" / "palette.png")
    (tmp_path / "src" / "broken.png").write_bytes(b"no")
    rows = run(tmp_path / "src", tmp_path / "dst")
    assert [row.source for row in rows.values() if row.status != "converted"] == ["broken.png"]
    for i, (height, width) in enumerate(sizes):
        want = indices(height, width, seed=i)
        assert np.array_equal(read_indices(tmp_path / "dst" / f"{i}.png"), want)
    assert np.array_equal(read_indices(tmp_path / "dst" / "palette.png"), indices(6, 7))
    assert np.array_equal(read_indices(tmp_path / "dst" / "rgba.png"), indices(9, 9, seed=99))
    assert np.array_equal(read_indices(tmp_path / "dst" / "opaque.png"), indices(1, 1, seed=0))


def test_a_file_damaged_behind_its_header_stops_no_other(run: Run, tmp_path: Path) -> None:
    for i in range(5):
        save_mask(tmp_path / "src" / f"{i}.png", 30, 30, seed=i)
    whole = (tmp_path / "src" / "2.png").read_bytes()
    (tmp_path / "src" / "2.png").write_bytes(whole[: len(whole) // 2])
    rows = run(tmp_path / "src", tmp_path / "dst")
    assert (rows["2.png"].status, rows["2.png"].error) == ("failed", "broken")
    assert sum(row.status == "converted" for row in rows.values()) == 4


def test_unknown_colours_under_every_policy(run: Run, tmp_path: Path) -> None:
    pixels = mask(10, 11)
    pixels[2, 3] = pixels[7, 1] = (129, 1, 0)
    pixels[0, 5] = (90, 90, 200)
    (tmp_path / "src").mkdir()
    Image.fromarray(pixels).save(tmp_path / "src" / "odd.png")
    save_mask(tmp_path / "src" / "good.png", 10, 11)

    [row] = [r for r in run(tmp_path / "src", tmp_path / "e").values() if r.status == "failed"]
    assert (row.source, row.error, row.unknown_pixels) == ("odd.png", "unknown-colours", 3)
    assert [(c.hex, c.pixels, c.x, c.y) for c in row.unknown_colours] == [
        ("#810100", 2, 3, 2),
        ("#5a5ac8", 1, 5, 0),
    ]
    assert "#810100 2 px, first at x=3 y=2" in row.message
    assert not (tmp_path / "e" / "odd.png").exists()

    rows = run(tmp_path / "src", tmp_path / "i", unknown="ignore")
    assert (rows["odd.png"].status, rows["odd.png"].unknown_pixels) == ("converted", 3)
    want = indices(10, 11)
    want[[2, 7, 0], [3, 1, 5]] = 255
    assert np.array_equal(read_indices(tmp_path / "i" / "odd.png"), want)

    rows = run(tmp_path / "src", tmp_path / "n", unknown="nearest", tolerance=5)
    assert rows["odd.png"].status == "failed"
    assert [c.hex for c in rows["odd.png"].unknown_colours] == ["#5a5ac8"]
    rows = run(tmp_path / "src", tmp_path / "n", unknown="nearest")
    assert rows["odd.png"].unknown_pixels == 3
    assert read_indices(tmp_path / "n" / "odd.png")[2, 3] == 1


def test_a_second_run_redoes_nothing(run: Run, tmp_path: Path) -> None:
    for i in range(4):
        save_mask(tmp_path / "src" / f"{i}.png", seed=i)
    run(tmp_path / "src", tmp_path / "dst")
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "dst").iterdir()}
    rows = run(tmp_path / "src", tmp_path / "dst")
    assert {row.status for row in rows.values()} == {"unchanged"}
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "dst").iterdir()} == before


def test_dry_run_writes_nothing(run: Run, tmp_path: Path) -> None:
    save_mask(tmp_path / "src" / "a.png")
    rows = run(tmp_path / "src", tmp_path / "dst", dry_run=True)
    assert rows["a.png"].status == "planned"
    assert not (tmp_path / "dst").exists()


def test_fail_fast_draws_no_more_files(run: Run, tmp_path: Path) -> None:
    for i in range(40):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / f"{i}.png").write_bytes(b"no image")
    assert len(run(tmp_path / "src", tmp_path / "dst", fail_fast=True)) < 40


def test_depth_16(run: Run, tmp_path: Path) -> None:
    palette = Palette.from_colours([(i % 256, i // 256, 7) for i in range(700)])
    labels = np.arange(700, dtype=np.uint16).reshape(20, 35)
    (tmp_path / "src").mkdir()
    Image.fromarray(palette.colours[labels]).save(tmp_path / "src" / "a.png")
    rows = run(tmp_path / "src", tmp_path / "dst", palette, depth=16)
    assert rows["a.png"].status == "converted"
    with Image.open(tmp_path / "dst" / "a.png") as image:
        assert image.mode == "I;16"
        assert np.array_equal(np.array(image), labels)


def test_seconds_of_a_stage_hold_no_waiting(run: Run, tmp_path: Path) -> None:
    for i in range(60):
        save_mask(tmp_path / "src" / f"{i}.png", 20, 20, seed=i)
        Image.new("P", (20, 20)).save(tmp_path / "src" / f"p{i}.png")
    run(tmp_path / "src", tmp_path / "first")  # kernels are compiled
    start = perf_counter()
    rows = run(tmp_path / "src", tmp_path / "dst", batch_pixels=1 << 20)
    wall = perf_counter() - start
    assert sum(sum(row.seconds.values()) for row in rows.values()) < 3.5 * wall  # 2 workers and 1


def test_colours_of_the_tests_are_what_they_seem() -> None:
    assert len(set(COLOURS)) == len(PALETTE) == 6


def test_a_source_that_is_gone_is_a_row(tmp_path: Path) -> None:
    """Its label map of an earlier run stands there, so the two are compared."""
    path = save_mask(tmp_path / "src" / "a.png")
    job = Job.create(str(tmp_path / "dst"), PALETTE, ConvertOptions())
    (source,) = Walk(str(path.parent))
    assert convert_source(source, job).status == "converted"
    path.unlink()
    row = convert_source(replace(source, mtime_ns=1), job)
    assert (row.status, row.error) == ("failed", "unreadable")


def test_names_that_no_system_here_takes(tmp_path: Path) -> None:
    """Windows has names with half a surrogate pair; Python callers may pass null bytes."""
    paths = [str(tmp_path / "\ud800.png"), "a\0b.png"]
    job = Job.create(str(tmp_path / "dst"), PALETTE, ConvertOptions())
    rows = [convert_source(source, job) for source in Listed(paths)]
    assert [row.error for row in rows] == ["unreadable", "unreadable"]
    assert [in_shard(Source("", "\ud800.png"), Shard(k, 2)) for k in (1, 2)].count(True) == 1


@pytest.mark.parametrize("step", ["read_scanlines", "index_scanlines"])
def test_memory_that_runs_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(png if step == "read_scanlines" else direct, step, no_memory)
    save_mask(tmp_path / "src" / "a.png")
    job = Job.create(str(tmp_path / "dst"), PALETTE, ConvertOptions(device="cpu"))
    [source] = Walk(str(tmp_path / "src"))
    row = convert_source(source, job)
    assert (row.status, row.error) == ("failed", "too-large")
    assert "fewer --workers" in row.message
