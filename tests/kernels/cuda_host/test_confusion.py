"""The kernel of confusion matrices counts right: run with a thread for each lane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.confusion_batches import ConfusionBatch, random_batch
from tests.kernels.cuda_host.confused import VARIANTS, Variant, build_confusion, run
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import SanitizerError, ThreadedKernels

pytestmark = pytest.mark.cuda

Builds = Callable[[str], ThreadedKernels]

BYTES: tuple[Variant, ...] = VARIANTS[:3]
RAGGED = [0, 1, 63, 0, 64, 65, 0, 0, 7, 300, 15, 16, 17, 1, 0]
"""Sizes of images around groups and stretches: several in a block, several blocks in one."""


def check(program: ThreadedKernels, batch: ConfusionBatch, cells: int, **options: int) -> None:
    expected = batch.expected()
    run(program, batch, cells, **options)
    np.testing.assert_array_equal(batch.counts, expected)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_ragged_batches(confusion_kernels: Builds, variant: Variant, seed: int) -> None:
    *dtypes, cells = variant
    check(confusion_kernels("plain"), random_batch(seed, RAGGED, 9, tuple(dtypes)), cells)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it keeps no state
)
@given(
    sizes=st.lists(st.integers(0, 200), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
    bins=st.sampled_from([3, 8, 64]),
    variant=st.sampled_from(VARIANTS),
)
def test_any_batch(
    confusion_kernels: Builds, sizes: list[int], seed: int, bins: int, variant: Variant
) -> None:
    *dtypes, cells = variant
    check(confusion_kernels("plain"), random_batch(seed, sizes, bins, tuple(dtypes)), cells)


@pytest.mark.parametrize("variant", BYTES, ids=str)
def test_matrices_of_one_tile_and_of_several(confusion_kernels: Builds, variant: Variant) -> None:
    """As many rows as fill the tiles, and one more or less."""
    cells = variant[2]
    for bins in (64, 65, 91) if cells == 1 << 12 else (110, 111, 158, 220):
        check(confusion_kernels("plain"), random_batch(bins, [130, 0, 70], bins), cells)


@pytest.mark.parametrize("variant", [VARIANTS[0], VARIANTS[4]], ids=str)
@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (3, 3), (16, 16), (5, 2)])
def test_views_that_are_not_aligned(
    confusion_kernels: Builds, variant: Variant, shift: tuple[int, int]
) -> None:
    *dtypes, cells = variant
    batch = random_batch(sum(shift), RAGGED, 9, tuple(dtypes))
    check(confusion_kernels("plain"), batch, cells, shift=shift)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_pixels_past_2_to_the_32(confusion_kernels: Builds, variant: Variant) -> None:
    """Only the last blocks run, so nobody needs the pixels before them."""
    *dtypes, cells = variant
    batch = random_batch(5, [300, 0, 41], 9, tuple(dtypes))
    check(confusion_kernels("plain"), batch, cells, stretch=1 << 16, skip=(1 << 33) + (1 << 16))


def large_batch() -> ConfusionBatch:
    """More pixels in one cell and block than 16 bits count."""
    batch = random_batch(6, [150_000], 5)
    batch.truth[:], batch.prediction[:] = 0, 0
    return batch


@pytest.mark.parametrize("variant", BYTES, ids=str)
def test_many_pixels_of_one_block(confusion_kernels: Builds, variant: Variant) -> None:
    check(confusion_kernels("plain"), large_batch(), variant[2], stretch=1 << 17, warps=1)


def test_no_access_outside_an_array(confusion_kernels: Builds) -> None:
    program = confusion_kernels("address")
    for *dtypes, cells in (*BYTES, VARIANTS[4]):
        for sizes in ([1], [0], [15], [17], RAGGED):
            batch = random_batch(len(sizes), sizes, 9, tuple(dtypes))
            check(program, batch, cells, warps=1)
    check(program, random_batch(1, [70, 50], 65), 1 << 12)
    check(program, random_batch(2, [70, 50], 111), 3 << 12)


@pytest.mark.slow
@pytest.mark.parametrize("variant", BYTES, ids=str)
def test_no_race(confusion_kernels: Builds, variant: Variant) -> None:
    check(confusion_kernels("thread"), random_batch(3, [*RAGGED, 700], 9), variant[2])


BEFORE = "__syncthreads();  // before "
WRONG = {
    "counts are not merged": ("if (mine[k]) {", "if (false) {"),
    "counts are not cleared": ("mine[k] = 0;", ";"),
    "the last row of a tile is not merged": ("rows * bins : 0", "(rows - 1) * bins : 0"),
    "rows of other tiles": ("if (row - first < rows)", "if (row < rows)"),
    "tiles begin at row 0": ("&all[static_cast<long long>(first) * bins + k]", "&all[k]"),
    "all matrices are one": ("static_cast<long long>(image) * bins * bins", "0"),
    "a pixel of the next image": ("+ 1] : last;", "+ 1] + 1 : last;"),
    "an image begins a pixel late": ("at : begin;", "at : begin + 1;"),
    "groups over the start of an image": ("at >= begin && at", "at"),
    "groups over the end of an image": ("at + GROUP <= end)", "at < end)"),
    "the last run is lost": ("  run.end(tile);", ""),
    "an index too many": ("place < indices", "place <= indices"),
    "below 0 wraps": ("unsigned long long>(index);", "unsigned char>(index);"),
    "rows are columns": ("add(truth, prediction, pixels);", "add(prediction, truth, pixels);"),
    "changes of the prediction are not seen": ("|| predicted != prediction", ""),
    "an image too late": ("offsets[middle] <= pixel", "offsets[middle] <= pixel + 1"),
    "16 bits in a block": ("unsigned int mine[CELLS", "unsigned short mine[CELLS"),
    "32 bits in a matrix": (
        "static_cast<unsigned long long>(mine[k]));",
        "all[first * bins + k] + mine[k] >> 32 ? 0ull : mine[k]);",
    ),
    "32 bits of a place": ("long long begin = blockIdx.x / tiles * stretch",
                           "long long begin = blockIdx.x / tiles * (unsigned int)stretch"),
}  # fmt: skip
RACES = {
    "counted before all is cleared": (f"{BEFORE}counting", ""),
    "merged before all is counted": (f"{BEFORE}merging", ""),
}


def broken(right: str, wrong: str) -> str:
    code: str = load("gpuseg.kernels.cuda.confusion").CODE
    assert code.count(right) == 1, right
    return code.replace(right, wrong)


@pytest.mark.parametrize("fault", WRONG)
def test_the_check_sees_a_broken_kernel(fault: str, tmp_path: Path) -> None:
    code = broken(*WRONG[fault])
    if fault.startswith("16"):  # what is in shared memory has the type of what is added there
        code = code.replace("atomicAdd(&mine[", "atomicAdd((unsigned short *)&mine[")
        code = code.replace("unsigned int *mine;", "unsigned short *mine;")
        code = code.replace("bins + column], pixels)", "bins + column], (unsigned short)pixels)")
    program = build_confusion(code, "quick", tmp_path, [BYTES[0], ("i2", "i2", 1 << 12)])
    with pytest.raises(AssertionError):
        check_all(program)


def check_all(program: ThreadedKernels) -> None:
    """What a fault must not pass."""
    for dtypes in (("u1", "u1"), ("i2", "i2")):
        check(program, random_batch(2, RAGGED, 9, dtypes), 1 << 12)
    check(program, random_batch(2, [300, 200], 91), 1 << 12)
    check(program, large_batch(), 1 << 12, stretch=1 << 17, warps=1)
    check(program, random_batch(5, [300, 0, 41]), 1 << 12, stretch=1 << 16, skip=1 << 33)


def test_the_checks_pass_the_right_text(tmp_path: Path) -> None:
    code = load("gpuseg.kernels.cuda.confusion").CODE
    check_all(build_confusion(code, "quick", tmp_path, [BYTES[0], ("i2", "i2", 1 << 12)]))


@pytest.mark.slow
@pytest.mark.parametrize("fault", RACES)
def test_the_check_sees_a_race(fault: str, tmp_path: Path) -> None:
    program = build_confusion(broken(*RACES[fault]), "thread", tmp_path, BYTES[:1])
    with pytest.raises(SanitizerError, match="ThreadSanitizer"):
        check(program, random_batch(3, [*RAGGED, 700], 9), 1 << 12)


FAR = {
    "reads behind the end": ("at + GROUP <= end)", "at < end)"),
    "reads before the start of a table": ("? __ldg(&slots[place])", "? __ldg(&slots[place - 1])"),
}


@pytest.mark.parametrize("fault", FAR)
def test_the_check_sees_an_access_outside(fault: str, tmp_path: Path) -> None:
    program = build_confusion(broken(*FAR[fault]), "address", tmp_path, BYTES[:1])
    with pytest.raises(SanitizerError, match="overflow"):
        check(program, random_batch(2, [33, 300], 9), 1 << 12)


def test_the_check_sees_words_that_are_not_aligned(tmp_path: Path) -> None:
    code = broken("if (aligned && at", "if (at")
    program = build_confusion(code, "address", tmp_path, BYTES[:1])
    with pytest.raises(SanitizerError, match="misaligned"):
        check(program, random_batch(2, [300], 9), 1 << 12, shift=(1, 1))
