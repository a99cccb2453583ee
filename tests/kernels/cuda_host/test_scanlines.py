"""The kernels over scanlines give the right labels: run with a thread for each lane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.batch import LabelLines
from gpuseg.options import Depth
from tests.kernels.conftest import ThreadedBuilds
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import SanitizerError, ThreadedKernels, build
from tests.kernels.scanline_batches import (
    Image,
    check_lines,
    lookup_of,
    make_batch,
    make_image,
    spoil,
)

pytestmark = pytest.mark.cuda

DEPTHS: list[Depth] = [8, 16]


def run(program: ThreadedKernels, images: list[Image], depth: Depth) -> LabelLines:
    """What `Launch` does with the kernels, over host memory."""
    module = load("gpuseg.kernels.cuda.scanlines")
    batch = make_batch(images, depth, gap=len(images) % 4)
    plan, lookup = module.geometry(batch, depth), lookup_of(depth)
    data = np.full(module.padded(batch.data.size), 0xA5, np.uint8)
    data[module.PAD : module.PAD + batch.data.size] = batch.data
    labels = np.full(plan.groups, 0xA5A5A5A5, np.uint32 if depth == 8 else np.uint64)
    edges = np.full(plan.edge_words, 0xA5A5A5A5, np.uint32)
    unknown, flags = np.zeros(len(batch), np.uint64), np.zeros(len(batch), np.uint32)
    progress = np.zeros(1 + len(plan.bands), np.uint32)
    arrays: list[NDArray[Any]] = [data, plan.images, plan.bands, lookup.table, batch.entries]
    arrays += [labels, edges, unknown, flags, progress]
    program.run(f"scan_{depth}", [np.array(array) for array in arrays[:5]] + arrays[5:],
                len(plan.bands))  # fmt: skip
    assert progress[0] == len(plan.bands)
    lines = labels.view(np.uint8)
    if depth == 8:
        lines = np.full(int(plan.label_starts[-1]), 0xA5, np.uint8)
        arrays = [plan.images, plan.bands, labels, lines]
        program.run("filter_rows", arrays, len(plan.bands), warps=2)
    return LabelLines(lines, plan.label_starts, unknown.view(np.int64), flags)


def random_images(seed: int, count: int, largest: int, spoilt: float) -> list[Image]:
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        shape = (int(rng.integers(1, largest)), int(rng.integers(1, largest)))
        filters = None if rng.random() < 0.6 else int(rng.integers(5))
        image = make_image(rng, shape, int(rng.choice([1, 3, 3, 4])), filters)
        images.append(spoil(image, rng) if rng.random() < spoilt else image)
    return images


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("seed", range(2))
def test_random_images(threaded_kernels: ThreadedBuilds, seed: int, depth: Depth) -> None:
    images = random_images(seed, 30, 120, spoilt=0.3)
    check_lines(images, depth, run(threaded_kernels("plain"), images, depth))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_filter_and_size(
    threaded_kernels: ThreadedBuilds, channels: int, depth: Depth
) -> None:
    """Widths around groups, tiles and words of memory, heights around bands."""
    rng = np.random.default_rng(channels)
    widths = [*range(1, 14), 28, 29, 39, 40, 41, 43, 80, 129]
    shapes = [(int(rng.choice([1, 2, 5, 31, 32])), width) for width in widths]
    shapes += [(height, 5) for height in (1, 31, 32, 33, 64, 65, 97, 200)]
    shapes += [(1, 1), (1, 2500), (700, 1), (40, 300), (400, 45)]  # 13 bands begin at 10 places
    images = [
        make_image(rng, shape, channels, filters)
        for shape in shapes
        for filters in ((None, 0, 1, 2, 3, 4) if shape[0] * shape[1] < 400 else (None, 4))
    ]
    check_lines(images, depth, run(threaded_kernels("plain"), images, depth))


def test_no_access_outside_an_array(threaded_kernels: ThreadedBuilds) -> None:
    """The first and the last image are the ones whose tiles reach over the ends."""
    rng = np.random.default_rng(0)
    for ends in ((1, 1), (70, 1), (33, 3), (5, 200)):
        images = [make_image(rng, ends, channels) for channels in (4, 3, 1, 3, 4)]
        for depth in DEPTHS:
            check_lines(images, depth, run(threaded_kernels("address"), images, depth))
    images = random_images(1, 12, 70, spoilt=0.3)
    check_lines(images, 8, run(threaded_kernels("address"), images, 8))


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
def test_no_race(threaded_kernels: ThreadedBuilds, depth: Depth) -> None:
    images = random_images(5, 10, 100, spoilt=0.2)
    check_lines(images, depth, run(threaded_kernels("thread"), images, depth))


WRONG = {
    "the edge of another band": ("edge_of(number - 1)", "edge_of(number)"),
    "the last row but one": ("if (lane == ROWS - 1) pack", "if (lane == ROWS - 2) pack"),
    "no corner at the left end": ("if (group == 0) corner = 0;", ""),
    "no end on the left": ("group ? pixels[GROUP - 1] : 0;", "pixels[GROUP - 1];"),
    "counts behind the right end": (" && GROUP * group + k < image.width", ""),
    "waits only for Average and Paeth": ("filter_of(0) >= UP", "filter_of(0) > UP"),
    "Paeth's second tie": ("to_above <= to_corner", "to_above < to_corner"),
    "Paeth's first tie": ("to_left <= to_corner", "to_left < to_corner"),
    "a sum of Average that rounds up": ("(a & b) + (", "(a | b) - ("),
    "words that begin elsewhere": ("8 * (residuals(row) & 3)", "8 * (residuals(0) & 3)"),
    "a label map's other filter": ("3 * none > 2 * up + 4", "2 * none > 2 * up + 4"),
    "changes behind the right end": ("count < GROUP ? ", "count < 0 ? "),
    "a change at the left end": ("word << 24;\n", "0;\n"),
}

RACES = {
    "the start of rows is not awaited": ("CHANNELS * lane;\n    __syncwarp();", None),
    "the tile is not awaited": ("take_edge(start);\n      __syncwarp();", None),
    "labels are not awaited": ("      __syncwarp();\n      write_labels(start);", None),
    "the edge is taken by lanes that did not wait": (
        "    }\n    __syncwarp();\n    const long",
        None,
    ),
    "the edge is given before it is there": ("    }\n    __syncwarp();\n    if (lane == 0", None),
    "taken without a fence": ("      __threadfence();\n    }\n    __syncwarp();", None),
    "given without a fence": ("      __threadfence();\n      atomicExch", None),
}


def broken(right: str, wrong: str | None) -> str:
    """The text with one fault. wrong: None takes the barrier or fence out of `right`."""
    code: str = load("gpuseg.kernels.cuda.scanlines").CODE
    assert code.count(right) == 1, right
    if wrong is None:
        name = "__threadfence();" if "__threadfence" in right else "__syncwarp();"
        wrong = right.replace(name, "", 1)
    return code.replace(right, wrong)


@pytest.mark.parametrize("fault", WRONG)
def test_the_check_sees_a_broken_kernel(fault: str, tmp_path: Path) -> None:
    program = build(broken(*WRONG[fault]), "quick", tmp_path)
    images = random_images(7, 25, 90, spoilt=0.3)
    with pytest.raises(AssertionError):
        check_lines(images, 8, run(program, images, 8))


@pytest.mark.slow
@pytest.mark.parametrize("fault", RACES)
def test_the_check_sees_a_race(fault: str, tmp_path: Path) -> None:
    program = build(broken(*RACES[fault]), "thread", tmp_path)
    images = random_images(8, 8, 120, spoilt=0)
    with pytest.raises(SanitizerError, match="ThreadSanitizer"):
        run(program, images, 8)


def test_the_check_sees_an_access_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = build(broken("MOST_STEPS) + SPAN)", "MOST_STEPS) - SPAN)"), "address", tmp_path)
    images = [make_image(np.random.default_rng(0), (70, 1), 4, 4) for _ in range(2)]
    monkeypatch.setattr(load("gpuseg.kernels.cuda.scanlines"), "PAD", 16)
    with pytest.raises(SanitizerError, match="overflow"):
        run(program, images, 8)
