"""What a device makes of batches of scanlines: one body over all devices that work here."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.kernels import backend
from gpuseg.kernels.device import Device
from gpuseg.options import Depth
from tests.kernels.cuda_host.played import PlayedDevice
from tests.kernels.host_device import HostDevice
from tests.kernels.scanline_batches import (
    Image,
    check_lines,
    lookup_of,
    make_batch,
    make_image,
    spoil,
)

DEPTHS: list[Depth] = [8, 16]


def cuda_device() -> Device:
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    return backend.open_device(0)


@pytest.fixture(
    params=[
        "host",
        pytest.param("played", marks=pytest.mark.cuda),
        pytest.param("cuda", marks=pytest.mark.gpu),
    ]
)
def device(request: pytest.FixtureRequest) -> Device:
    """A device of each kind; one is the CUDA kernels with CuPy played by NumPy."""
    if request.param == "host":
        return HostDevice()
    if request.param == "cuda":
        return cuda_device()
    kernels = request.getfixturevalue("threaded_kernels")("plain")
    return PlayedDevice(kernels, request.getfixturevalue("monkeypatch"))


def index(device: Device, batch: ScanlineBatch, depth: Depth) -> LabelLines:
    size = int(batch.label_starts(depth)[-1])
    out = device.empty(size + 100)
    out[:] = 0xA5
    lines = device.index(batch, lookup_of(depth), out)
    assert lines.data.ctypes.data == out.ctypes.data
    assert (out[size:] == 0xA5).all()
    return lines


def images_of(seed: int, shapes: list[tuple[int, int]], spoilt: float = 0.2) -> list[Image]:
    rng = np.random.default_rng(seed)
    images = [make_image(rng, shape, int(rng.choice([1, 3, 4]))) for shape in shapes]
    return [spoil(image, rng) if rng.random() < spoilt else image for image in images]


@pytest.mark.parametrize("depth", DEPTHS)
def test_odd_sizes(device: Device, depth: Depth) -> None:
    shapes = [(1, 1), (1, 77), (77, 1), (3, 5), (33, 31), (64, 4), (40, 129), (2, 2), (1, 1)]
    images = images_of(depth, shapes * 3)
    check_lines(images, depth, index(device, make_batch(images, depth, gap=3), depth))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("filters", [None, 0, 1, 2, 3, 4])
def test_each_filter(device: Device, channels: int, filters: int | None) -> None:
    rng = np.random.default_rng(channels)
    images = [make_image(rng, shape, channels, filters) for shape in [(35, 45), (66, 9), (5, 90)]]
    check_lines(images, 8, index(device, make_batch(images, 8), 8))


@pytest.mark.parametrize("depth", DEPTHS)
def test_parts_of_a_batch_give_what_the_whole_gives(device: Device, depth: Depth) -> None:
    images = images_of(5, [(9, 9), (1, 30), (40, 3), (8, 8), (5, 5)])
    batch = make_batch(images, depth)
    for start, stop in ((0, 2), (2, 5), (4, 5)):
        lines = index(device, batch.part(start, stop), depth)
        check_lines(images[start:stop], depth, lines)


def test_threads_at_the_same_time(device: Device) -> None:
    def work(seed: int) -> None:
        images = images_of(seed, [(20 + seed, 30), (3, 50)])
        check_lines(images, 8, index(device, make_batch(images, 8), 8))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(12)))


def test_what_a_batch_takes_is_told(device: Device) -> None:
    assert device.free_memory() > 1 << 20
    with device.span("test"):
        pass


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "shape", [(1, 20_000), (20_000, 1), (300, 20_000), (20_000, 300), (1024, 2048)]
)
def test_large_images(depth: Depth, shape: tuple[int, int]) -> None:
    device, images = cuda_device(), images_of(6, [shape, (7, 7), shape], spoilt=0)
    check_lines(images, depth, index(device, make_batch(images, depth), depth))


@pytest.mark.gpu
@pytest.mark.slow
def test_a_batch_past_2_to_the_31_bytes() -> None:
    """Many copies of a few images, so that the judge has little to do."""
    device, images = cuda_device(), images_of(7, [(1000, 2000), (333, 1001)], spoilt=0)
    few = make_batch(images, 8)
    copies = (1 << 31) // few.data.size + 2
    # not page-locked: CuPy would round such sizes up to the next power of two
    data = np.empty(copies * few.data.size, np.uint8)
    out = np.empty(copies * int(few.label_starts(8)[-1]), np.uint8)
    data.reshape(copies, -1)[:] = few.data
    starts = np.arange(copies)[:, None] * few.data.size + few.starts
    columns = [np.tile(c, copies) for c in (few.widths, few.heights, few.channels)]
    tables = np.tile(few.tables, copies)
    batch = ScanlineBatch(data, starts.reshape(-1), *columns, few.entries, tables)
    try:
        lines = device.index(batch, lookup_of(8), out)
    except MemoryError:
        pytest.skip("this device has no 6 GiB of free memory")
    alone = index(device, few, 8)
    assert not lines.flags.any()
    np.testing.assert_array_equal(lines.unknown.reshape(copies, -1), alone.unknown[None])
    assert (lines.data.reshape(copies, -1) == alone.data).all()


@pytest.fixture(autouse=True, scope="module")
def _no_tables_left() -> Iterator[None]:
    yield
    lookup_of.cache_clear()
