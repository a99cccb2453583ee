"""The batched flow with devices that are small, slow or broken; `test_pipeline` has the rest."""

from __future__ import annotations

import threading
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gpuseg import staging
from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.discover import Walk
from gpuseg.errors import DeviceError
from gpuseg.pool import Feed
from tests.batched_runs import Run, SpyDevice, make, wait_for_all_rooms
from tests.kernels.host_device import HostDevice
from tests.making import PALETTE, indices, mask, read_indices, save_mask


@pytest.fixture
def first_batches_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "FIRST_PIXELS", 200)


@pytest.mark.usefixtures("first_batches_are_small")
def test_batches_are_bounded_and_grow(tmp_path: Path) -> None:
    shapes = make(tmp_path, [(10, 10 + i) for i in range(40)] + [(60, 60)])
    device = SpyDevice()
    run = Run(tmp_path, device, workers=1)
    assert {row.status for row in run.work().values()} == {"converted"}
    run.check(shapes)
    assert sum(images for images, _ in device.batches) == 41
    assert all(pixels <= 700 or images == 1 for images, pixels in device.batches)
    small = [pixels for _, pixels in device.batches if pixels <= 200]
    assert small  # the first
    assert max(pixels for images, pixels in device.batches if images > 1) > 200


def test_rows_say_who_did_what(tmp_path: Path) -> None:
    make(tmp_path, [(9, 9)])
    save_mask(tmp_path / "src" / "other.bmp", 9, 9)
    Image.new("P", (20, 20)).save(tmp_path / "src" / "packed.png", bits=1)
    pixels = mask(9, 9)
    pixels[3, 3] = 77
    Image.fromarray(pixels).save(tmp_path / "src" / "odd.png")
    run = Run(tmp_path, SpyDevice(), unknown="ignore")
    rows = run.work()
    devices = {name: row.device for name, row in rows.items()}
    assert devices == {"0000.png": "host", "other.bmp": "cpu", "packed.png": "cpu",
                       "odd.png": "cpu"}  # fmt: skip
    assert rows["odd.png"].unknown_pixels == 1
    assert run.flow.remark == (
        "3 files left to the CPU (2 of a kind that the device does not take, "
        "1 with unknown colours or damage)"
    )
    assert set(rows["0000.png"].seconds) >= {"read", "inflate", "encode", "write"}


def test_what_the_device_takes_is_told_by_stage(tmp_path: Path) -> None:
    class Timed(HostDevice):
        def index(self, *arguments: Any) -> LabelLines:
            lines = super().index(*arguments)
            seconds = {"upload": 1.0, "index": 2.0, "download": 4.0}
            return LabelLines(lines.data, lines.starts, lines.unknown, lines.flags, seconds)

    make(tmp_path, [(10, 10), (10, 30)])
    rows = Run(tmp_path, Timed()).work()
    assert rows["0000.png"].seconds["index"] == pytest.approx(0.5)
    assert rows["0001.png"].seconds["download"] == pytest.approx(3.0)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_device_that_is_too_small_gets_halves(tmp_path: Path, depth: int) -> None:
    shapes = make(tmp_path, [(10, 10)] * 6 + [(30, 20)] + [(10, 10)] * 20)
    run = Run(tmp_path, SpyDevice(most_pixels=250), depth=depth, batch_pixels=1000)
    rows = run.work()
    assert {row.status for row in rows.values()} == {"converted"}
    if depth == 8:
        run.check(shapes)
    large = rows["0006.png"]
    assert large.device == "cpu"
    assert large.warnings == ("the CPU indexed it: too large for the device's memory",)
    assert {row.device for name, row in rows.items() if name != "0006.png"} == {"host"}
    assert "host: no memory for 1 file of 600 pixels: left to the CPU" in run.log
    assert any("at once: halved" in message for message in run.log)
    assert run.flow.remark == "1 file left to the CPU (1 too large for the device's memory)"
    assert 125 <= run.flow._staging.limit <= 500


def test_the_size_of_batches_follows_what_was_too_much(tmp_path: Path) -> None:
    """And not what happens to lie in the halves, which may be a single small file."""
    make(tmp_path, [(1, 1), (40, 50)] + [(10, 10)] * 60)
    device = SpyDevice(most_pixels=1000)
    run = Run(tmp_path, device, workers=1, batch_pixels=3000)
    run.feed = run.flow._feed = Feed(sorted(Walk(str(tmp_path / "src")), key=lambda s: s.relative))
    assert {row.status for row in run.work().values()} == {"converted"}
    assert run.flow._staging.limit > 400
    assert max(images for images, _ in device.batches) >= 4


def test_an_error_of_the_device_ends_the_run(tmp_path: Path) -> None:
    shapes = make(tmp_path, [(20, 20)] * 30)
    calls = iter(range(100))

    def fail(batch: ScanlineBatch) -> None:
        if next(calls) == 9:  # by then 5 rooms have been written
            raise RuntimeError("it fell off the bus")

    run = Run(tmp_path, SpyDevice(before=fail))
    with pytest.raises(DeviceError, match=r"device host failed \(RuntimeError: it fell off"):
        run.work()
    assert 0 < len(run.rows) < 30
    for row in run.rows:
        assert row.status == "converted"
        seed = list(shapes).index(row.source)
        assert np.array_equal(read_indices(run.dst / row.source), indices(20, 20, seed=seed))


def test_an_error_while_workers_wait_for_a_room(tmp_path: Path) -> None:
    make(tmp_path, [(20, 20)] * 30)

    def fail(batch: ScanlineBatch) -> None:
        wait_for_all_rooms(run)
        raise RuntimeError("gone")

    run = Run(tmp_path, SpyDevice(before=fail))
    with pytest.raises(DeviceError, match="gone"):
        run.work()


@pytest.mark.usefixtures("first_batches_are_small")
def test_memory_is_bounded_where_writing_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, [(10, 10)] * 60)
    device = SpyDevice()
    run = Run(tmp_path, device, workers=4, batch_pixels=200)
    real = run.flow._write
    most: list[int] = []

    def slow(label: Any) -> None:
        if not most:
            wait_for_all_rooms(run)
        most.append(run.flow._staging.busy)
        sleep(0.001)
        real(label)

    monkeypatch.setattr(run.flow, "_write", slow)
    assert len(run.work()) == 60
    assert max(most) == staging.MOST_ROOMS
    assert sum(size >= 600 for size in device.memory) == staging.MOST_ROOMS  # their data
    assert len(device.memory) <= 2 * staging.MOST_ROOMS


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_host_without_page_locked_memory(tmp_path: Path, after: int) -> None:
    make(tmp_path, [(20, 20)] * 30)

    class Full(HostDevice):
        calls = 0

        def empty(self, size: int) -> NDArray[np.uint8]:
            self.calls += 1
            if self.calls > after:
                raise RuntimeError("cudaErrorMemoryAllocation")
            return super().empty(size)

    with pytest.raises(DeviceError, match=r"page-locked memory for a batch .* --batch-pixels"):
        Run(tmp_path, Full()).work()


def test_launches_overlap(tmp_path: Path) -> None:
    make(tmp_path, [(20, 20)] * 12)
    device = SpyDevice()
    together = threading.Barrier(3, timeout=20)
    seen = iter(range(100))

    def meet(batch: ScanlineBatch) -> None:
        if next(seen) < 3:
            together.wait()

    device.before = meet
    assert len(Run(tmp_path, device).work()) == 12


def test_closing_the_feed_finishes_what_is_in_hand(tmp_path: Path) -> None:
    make(tmp_path, [(20, 20)] * 40)
    device = SpyDevice()
    run = Run(tmp_path, device)
    device.before = lambda batch: run.feed.close()
    rows = run.work()
    assert 0 < len(rows) < 40
    assert {row.status for row in rows.values()} == {"converted"}


@pytest.mark.usefixtures("first_batches_are_small")
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_many_small_files_each_once(tmp_path: Path, workers: int) -> None:
    rng = np.random.default_rng(workers)
    shapes = make(tmp_path, [(int(h), int(w)) for h, w in rng.integers(1, 30, (150, 2))])
    (tmp_path / "src" / "0050.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    whole = (tmp_path / "src" / "0051.png").read_bytes()
    (tmp_path / "src" / "0051.png").write_bytes(whole[:-20])
    run = Run(tmp_path, SpyDevice(), workers=workers, batch_pixels=900)
    rows = run.work()
    bad = {name for name, row in rows.items() if row.status == "failed"}
    assert (bad, len(rows)) == ({"0050.png", "0051.png"}, 150)
    for seed, (name, shape) in enumerate(shapes.items()):
        if name not in bad:
            assert np.array_equal(read_indices(run.dst / name), indices(*shape, seed=seed))


def test_verify_sees_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpuseg import direct

    make(tmp_path, [(9, 14)] * 3)
    real = direct.encode

    def wrong(labels: Any, *rest: Any) -> bytes:
        lines = labels.lines.copy()
        lines[4, 4] ^= 1
        return real(type(labels)(lines), *rest)

    assert {row.status for row in Run(tmp_path, HostDevice(), verify=True).work().values()} == {
        "converted"
    }
    monkeypatch.setattr(direct, "encode", wrong)
    rows = Run(tmp_path, HostDevice(), verify=True, resume=False).work()
    assert {row.error for row in rows.values()} == {"output"}
    assert "it holds other labels" in rows["0000.png"].message


def test_palettes_share_their_tables(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for i in range(6):
        image = Image.fromarray(indices(9, 9, seed=i))
        image.putpalette(PALETTE.plte(255))
        image.save(tmp_path / "src" / f"{i}.png")
    tables: list[int] = []
    device = SpyDevice(before=lambda batch: tables.append(len(batch.entries)))
    rows = Run(tmp_path, device).work()
    assert {row.device for row in rows.values()} == {"host"}
    assert set(tables) == {1}
    for i in range(6):
        found = read_indices(tmp_path / "dst" / f"{i}.png")
        assert np.array_equal(found, indices(9, 9, seed=i))
