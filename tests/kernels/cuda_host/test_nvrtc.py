"""NVRTC takes the text for every GPU we name, and its PTX gives the right labels too."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cuda_compile
from gpuseg.kernels.lut import key_colours
from tests.kernels.cuda_host import ptx
from tests.kernels.cuda_host.case import MISSING, Batch, aligned, colour_table, random_batch
from tests.kernels.cuda_host.host import AccessError
from tests.kernels.cuda_host.source import (
    ARCHITECTURES,
    VARIANTS,
    Variant,
    compile_confusion,
    compile_scanlines,
    compile_variant,
    get_kernel,
    hook,
    load,
)

pytestmark = pytest.mark.cuda

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
each_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
SIZES = [1, 2, 0, 3, 5, 0, 0, 300, 1, 1, 122]  # 435 pixels: 108 groups and 3


def test_what_cupy_compiles_with_comes_with_the_extra() -> None:
    """Without headers CuPy compiles nothing, and not every machine has a toolkit."""
    find = hook("cuda.pathfinder", "find_nvidia_header_directory")
    assert Path(find("cudart")).is_relative_to(sys.prefix)


@each_variant
@each_architecture
def test_compiles_to_machine_code(variant: Variant, architecture: str) -> None:
    assert compile_variant(variant, architecture, "cubin").startswith(b"\x7fELF")


@each_variant
@each_architecture
def test_ptx_gives_the_right_answer(variant: Variant, architecture: str) -> None:
    text = compile_variant(variant, architecture, "ptx").decode()
    run = {"index_kernel": _index, "colour_kernel": _paint, "narrow_kernel": _narrow}
    memory = run[variant.kernel](text, variant)
    assert memory.widest["write"] == 8  # 4 labels at depth 16, or a count
    # offsets, 4 labels, or labels of 64 bits
    assert memory.widest["read"] == (variant.depth // 2 if run[variant.kernel] is _paint else 8)


def _run(text: str, variant: Variant, arrays: tuple[np.ndarray, ...], size: int) -> ptx.Memory:  # type: ignore[type-arg]
    try:
        return ptx.run(text, arrays, get_kernel(variant).nin, size)
    except ptx.UnknownInstructionError as error:
        pytest.skip(f"this NVRTC writes {error}, which the interpreter does not know")


def _index(text: str, variant: Variant, batch: Batch | None = None) -> ptx.Memory:
    batch = batch or random_batch(2, SIZES, variant.depth)  # half the pixels are unknown
    memory = _run(text, variant, batch.arguments(), batch.size())
    batch.check()
    return memory


def _paint(text: str, variant: Variant) -> ptx.Memory:
    labels = aligned(435, variant.dtypes[1])
    labels[:] = np.random.default_rng(1).integers(0, 1 << variant.depth, labels.size)
    colours, pixels = colour_table(variant.depth), aligned(3 * labels.size, np.uint8)
    outside = np.zeros(1, np.uint64)
    words, out = labels[:432].view(variant.dtypes[0]), pixels[:1296].view(np.uint32)
    arrays = (words, labels, colours, out, pixels, outside)
    memory = _run(text, variant, arrays, labels.size - 3 * words.size)
    expected = key_colours(colours[labels] & (MISSING - 1))
    np.testing.assert_array_equal(pixels.reshape(-1, 3), expected)
    assert int(outside[0]) == np.count_nonzero(colours[labels] == MISSING)
    return memory


def _narrow(text: str, variant: Variant) -> ptx.Memory:
    labels = np.arange(-5, 395, dtype=np.int64) << 1
    allowed = (np.arange(1 << variant.depth) % 3 > 0).astype(np.uint8)
    narrow, strange = np.zeros(labels.size, variant.dtypes[2]), np.zeros(1, np.uint64)
    memory = _run(text, variant, (labels, allowed, narrow, strange), labels.size)
    fits = (labels >= 0) & (labels < allowed.size) & (labels % 3 > 0)
    assert int(strange[0]) == np.count_nonzero(~fits)
    np.testing.assert_array_equal(narrow[fits], labels[fits])
    return memory


@pytest.mark.parametrize("depth", [8, 16])
def test_narrow_and_wide_are_one_program(depth: int) -> None:
    """Our subscripts are 64-bit in both: arrays past 2**31 bytes take no other path."""
    bodies = [
        compile_variant(Variant(kernel, depth, wide), "90", "ptx").decode().partition(".entry")[2]
        for kernel in ("index_kernel", "colour_kernel", "narrow_kernel")
        for wide in (False, True)
    ]
    assert bodies[::2] == bodies[1::2]


@pytest.mark.parametrize("depth", [8, 16])
def test_loads_and_stores_are_whole_words(depth: int) -> None:
    text = compile_variant(Variant("index_kernel", depth, False), "80", "ptx").decode()
    assert text.count("ld.global.nc.u32") == (3 if depth == 8 else 3 + 5)  # and entries of 32 bits
    assert text.count("ld.global.nc.u16") == (5 if depth == 8 else 0)
    assert text.count(f"st.global.u{4 * depth}") == 1


def test_the_check_sees_a_read_that_is_too_far() -> None:
    variant = Variant("index_kernel", 8, False)
    text = compile_variant(variant, "80", "ptx").decode()
    with pytest.raises(AccessError, match="outside"):
        _index(_with_offset(text, 12), variant, random_batch(2, [4], 8))
    with pytest.raises(AccessError, match="misaligned"):
        _index(_with_offset(text, 7), variant, random_batch(2, [4], 8))


def _with_offset(text: str, offset: int) -> str:
    """The third load of a group of pixels, moved."""
    head, found, tail = text.partition("ld.global.nc.u32")
    while found:
        line, end, rest = tail.partition(";")
        if line.endswith("+8]"):
            return head + found + line.replace("+8]", f"+{offset}]") + end + rest
        more, found, tail = tail.partition("ld.global.nc.u32")
        head += "ld.global.nc.u32" + more
    pytest.skip("this NVRTC writes the loads in another way")


@each_architecture
def test_scanlines_compile_to_machine_code(architecture: str) -> None:
    binary, names = compile_scanlines(architecture, "cubin")
    assert binary.startswith(b"\x7fELF")
    assert len(set(names.values())) == 3
    assert all(name.encode() in binary for name in names.values())


@each_architecture
def test_edges_are_read_past_the_first_cache(architecture: str) -> None:
    """It keeps what was there before another multiprocessor wrote; once a channel and depth."""
    text = compile_scanlines(architecture, "ptx")[0].decode()
    assert len(re.findall(r"ld\.global\.cg\.u32", text)) == 6
    assert ".local" not in text


@each_architecture
@pytest.mark.parametrize("given", INTEGERS)
def test_confusion_compiles_to_machine_code(given: str, architecture: str) -> None:
    """Each type beside itself, and beside what `argmax` of torch makes."""
    few, most = 1 << 12, 3 << 12
    for prediction, cells in ((given, few), ("i8", 0)) if given != "u1" else (
        ("u1", few), ("u1", most), ("u1", 0), ("i8", few)
    ):  # fmt: skip
        name = load("gpuseg.kernels.cuda.confusion").kernel_name(given, prediction, cells)
        binary, names = compile_confusion(architecture, "cubin", name)
        assert binary.startswith(b"\x7fELF")
        assert names[name].encode() in binary


@pytest.mark.parametrize("cells", [0, 1 << 12])
@pytest.mark.parametrize("given", ["u1", "i8"])
def test_confusion_loads_16_bytes_at_once(given: str, cells: int) -> None:
    name = load("gpuseg.kernels.cuda.confusion").kernel_name(given, given, cells)
    text = compile_confusion("80", "ptx", name)[0].decode()
    assert set(re.findall(r"ld\.global\.nc\.(\S+)", text)) == {"v4.u32", "u16"}  # u16: slots
    assert ".local" not in text
    assert text.count("bar.sync") == 2
    assert ("atom.shared" in text) == (cells > 0)


def test_the_table_of_registers_runs(capsys: pytest.CaptureFixture[str]) -> None:
    compile_variant(VARIANTS[0], ARCHITECTURES[0], "cubin")  # or skip
    cuda_compile.main()
    rows = len(VARIANTS) // 2 + 3 + len(cuda_compile.CONFUSION)
    assert len(capsys.readouterr().out.splitlines()) == 1 + rows * len(ARCHITECTURES)
