"""The CUDA text gives the right labels: run as C++, every access checked, no device needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels.lut import key_colours
from gpuseg.options import Depth
from tests.kernels.cuda_host.case import (
    MISSING,
    Batch,
    aligned,
    all_colours,
    colour_table,
    make_lookup,
    random_batch,
)
from tests.kernels.cuda_host.host import BLOCK, AccessError, HostKernel, build
from tests.kernels.cuda_host.source import VARIANTS, Variant, generate, load

pytestmark = pytest.mark.cuda

HostKernels = Callable[[Variant], HostKernel]
DEPTHS: list[Depth] = [8, 16]
INDEX = [variant for variant in VARIANTS if variant.kernel == "index_kernel"]
COLOUR = [variant for variant in VARIANTS if variant.kernel == "colour_kernel"]
sizes = st.lists(st.one_of(st.integers(0, 9), st.integers(0, 700)), min_size=1, max_size=9)


@pytest.mark.parametrize("variant", INDEX, ids=str)
def test_every_colour(variant: Variant, host_kernel: HostKernels) -> None:
    batch = all_colours(variant.depth)
    _run(host_kernel(variant), batch)


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, seed=st.integers(0, 2**32), depth=st.sampled_from(DEPTHS))
def test_ragged_batches(
    host_kernel: HostKernels, sizes: list[int], seed: int, depth: Depth
) -> None:
    batch = random_batch(seed, sizes, depth)
    _run(host_kernel(Variant("index_kernel", depth, False)), batch)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("pixels", [*range(10), 127, 128, 129, 511, 512, 513])
def test_every_tail(depth: Depth, pixels: int, host_kernel: HostKernels) -> None:
    batch = random_batch(pixels, [1] * pixels, depth)
    _run(host_kernel(Variant("index_kernel", depth, False)), batch)


@pytest.mark.parametrize("depth", DEPTHS)
def test_threads_that_go_round_their_loop(depth: Depth, host_kernel: HostKernels) -> None:
    batch = random_batch(1, [4099, 3, 0, 2001], depth)
    kernel = host_kernel(Variant("index_kernel", depth, False))
    _run(kernel, batch, grid=2)


@pytest.mark.parametrize("depth", DEPTHS)
def test_pixels_past_2_to_the_31_bytes(depth: Depth, host_kernel: HostKernels) -> None:
    """Only the last blocks run, so the pages before them stay untouched and cost nothing."""
    total = (1 << 31) // 3 + 999_999
    groups = total // 4
    first = groups // BLOCK - 2
    start = 4 * BLOCK * first
    batch = random_batch(3, [total - start], depth)
    try:
        pixels = np.zeros(3 * total, np.uint8)
        labels = np.zeros(total, batch.labels.dtype)
    except MemoryError:
        pytest.skip("this machine gives no 4 GiB of address space")
    pixels[3 * start :] = batch.pixels
    words, out = pixels[: 12 * groups].view(np.uint32), labels[: 4 * groups]
    out = out.view(np.uint32 if depth == 8 else np.uint64)
    offsets, unknown = np.array([0, start, total]), np.zeros(2, np.uint64)
    table = make_lookup(depth).table
    kernel = host_kernel(Variant("index_kernel", depth, True))
    size = total - 3 * groups
    kernel(words, pixels, offsets, table, out, labels, unknown, size=size, first=first)
    expected, count = batch.expected()
    np.testing.assert_array_equal(labels[start:], expected)
    assert unknown.tolist() == [0, *count]


@pytest.mark.parametrize("variant", COLOUR, ids=str)
@pytest.mark.parametrize("pixels", [0, 1, 2, 3, 4, 7, 513, 70_001])
def test_colours(variant: Variant, pixels: int, host_kernel: HostKernels) -> None:
    rng = np.random.default_rng(pixels)
    labels = aligned(pixels, variant.dtypes[1])
    labels[:] = rng.integers(0, 1 << variant.depth, pixels)
    table, out, outside = (
        colour_table(variant.depth),
        aligned(3 * pixels, np.uint8),
        np.zeros(1, np.uint64),
    )
    words = labels[: pixels // 4 * 4].view(variant.dtypes[0])
    groups = out[: pixels // 4 * 12].view(np.uint32)
    kernel = host_kernel(variant)
    kernel(words, labels, table, groups, out, outside, size=pixels - 3 * (pixels // 4))
    np.testing.assert_array_equal(out.reshape(-1, 3), key_colours(table[labels] & (MISSING - 1)))
    assert int(outside[0]) == np.count_nonzero(table[labels] == MISSING)


EDGES = [-1, 0, 254, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**64 - 1]
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("given", INTEGERS)
def test_narrows_what_is_allowed_and_counts_the_rest(
    given: str, depth: Depth, host_kernel: HostKernels
) -> None:
    kind, rng = np.iinfo(given), np.random.default_rng(depth)
    edges = [edge for edge in EDGES if kind.min <= edge <= kind.max]
    labels = np.concatenate([np.array(edges, given), rng.integers(0, 128, 1001).astype(given)])
    allowed = (rng.random(1 << depth) < 0.7).astype(np.uint8)
    allowed[[0, 255, (1 << depth) - 1]] = 1
    narrow = np.zeros(labels.size, "u1" if depth == 8 else "u2")
    strange = np.zeros(1, np.uint64)
    kernel = host_kernel(Variant("narrow_kernel", depth, False, given))
    kernel(labels, allowed, narrow, strange, size=labels.size)
    fits = [0 <= label < 1 << depth and bool(allowed[label]) for label in labels.tolist()]
    assert strange[0] == fits.count(False)
    np.testing.assert_array_equal(narrow[fits], labels[fits])


NARROW_FAULTS = {
    "takes one too many": ("index >= (unsigned", "index > (unsigned"),
    "what is below 0 wraps": ("(unsigned long long)label;  //", "(unsigned char)label;  //"),
    "asks no table": ("|| !__ldg(&allowed[index])", ""),
}


@pytest.mark.parametrize("fault", NARROW_FAULTS)
def test_the_check_sees_a_broken_narrowing(fault: str, tmp_path: Path) -> None:
    variant = Variant("narrow_kernel", 8, False)
    right, wrong = NARROW_FAULTS[fault]
    assert generate(variant).count(right) == 1
    broken = build(generate(variant).replace(right, wrong), variant.dtypes, tmp_path)
    with pytest.raises(AssertionError):
        test_narrows_what_is_allowed_and_counts_the_rest("i8", 8, lambda _: broken)


def _run(kernel: HostKernel, batch: Batch, **options: int) -> None:
    kernel(*batch.arguments(), size=batch.size(), **options)
    batch.check()


MUTATIONS = {
    "reads a word too far": ("words[3 * i + 2]", "words[3 * i + 3]"),
    "takes a pixel too many": ("3 * groups + i;", "3 * groups + i + 1;"),
    "writes a group too far": ("out[i] =", "out[i + 1] ="),
    "shifts by the wrong amount": ("word1, word2, 16", "word1, word2, 8"),
    "loses the border of images": ("if (offsets[image + 1] <= pixel)", "if (false)"),
    "stops at an empty image": ("do ++image; while (offsets[image + 1] <= pixel)", "++image"),
    "counts known pixels too": ("found += flags & 1u", "found += 1u"),
    "swaps two labels": ("<< depth\n", "<< 2 * depth\n"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_check_sees_a_broken_kernel(mutation: str, tmp_path: Path) -> None:
    variant = Variant("index_kernel", 8, False)
    right, wrong = MUTATIONS[mutation]
    assert generate(variant).count(right) == 1
    kernel = build(generate(variant).replace(right, wrong), variant.dtypes, tmp_path)
    batch = random_batch(2, [1, 2, 3, 0, 17, 5, 4, 4, 1000, 3], 8)
    assert 100 < batch.expected()[1].sum() < 900  # both known and unknown pixels
    with pytest.raises(AssertionError):
        _run(kernel, batch)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_check_sees_words_that_are_not_aligned(depth: Depth, host_kernel: HostKernels) -> None:
    batch = random_batch(5, [1000], depth, skip=1)
    with pytest.raises(AccessError, match="misaligned"):
        host_kernel(Variant("index_kernel", depth, False))(*batch.arguments(), size=batch.size())


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("skip", range(9))
def test_wrapper_takes_views(
    depth: Depth, skip: int, host_kernel: HostKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`index_pixels` itself, with CuPy arrays that lie in host memory."""
    cuda = load("gpuseg.kernels.cuda.pixels")
    kernel = host_kernel(Variant("index_kernel", depth, False))
    monkeypatch.setattr(cuda, "index_kernel", kernel)
    batch = random_batch(skip, [77, 0, 1, 1003], depth, skip=skip)
    batch.unknown[:] = 99  # the wrapper clears it
    arrays = [batch.pixels, batch.offsets, batch.arguments(0)[3], batch.labels]
    unknown = batch.unknown.view(np.int64)
    cuda.index_pixels(*map(_on_host, arrays), _on_host(unknown))
    batch.check()


def _on_host(array: np.ndarray[Any, Any]) -> Any:
    """A CuPy array over the memory of a NumPy array: kernels could not run on it, ours do."""
    cupy = load("cupy")

    class HostArray(cupy.ndarray):  # type: ignore[misc, name-defined]
        def fill(self, value: int) -> None:
            array[:] = value

    memory = cupy.cuda.UnownedMemory(array.ctypes.data, max(array.nbytes, 1), array, 0)
    return HostArray(array.shape, array.dtype, cupy.cuda.MemoryPointer(memory, 0))
