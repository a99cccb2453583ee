"""The channel of the largest score, as numpy.argmax has it, whatever the memory looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import argmax
from gpuseg.kernels.argmax import INFINITY, argmax_channels
from gpuseg.kernels.jit import CHECKED

ROOT = Path(__file__).parents[2]
KINDS = ("f2", "f4", "f8")
SPECIAL = (np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0)

Look = Callable[[np.ndarray], np.ndarray]

LOOKS: dict[str, Look] = {
    "as it is": lambda a: a,
    "channels last": lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "columns first": lambda a: np.ascontiguousarray(a.transpose(0, 1, 3, 2)).transpose(0, 1, 3, 2),
    "upside down": lambda a: a[:, :, ::-1],
    "mirrored": lambda a: a[..., ::-1],
    "channels backwards": lambda a: a[:, ::-1],
    "all backwards": lambda a: a[::-1, ::-1, ::-1, ::-1],
    "cropped": lambda a: a[:, :, 1:-1, 1:-1],
    "some channels": lambda a: a[:, 1:3],
    "every other": lambda a: a[::2, :, ::2, ::2],
    "one repeated": lambda a: np.broadcast_to(a[:1], a.shape),
    "other bytes": lambda a: a.astype(a.dtype.newbyteorder("S")),
    "not aligned": lambda a: unaligned(a),
    "fields of a record": lambda a: record(a),
}


def unaligned(array: np.ndarray) -> np.ndarray:
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def record(array: np.ndarray) -> np.ndarray:
    """Strides that are no multiple of the size of a score."""
    records = np.zeros(array.shape, [("score", array.dtype), ("more", "u1")])
    records["score"] = array
    return records["score"]


def scores(
    rng: np.random.Generator, shape: tuple[int, ...], kind: str, special: float
) -> np.ndarray:
    """Few values, so that many are equal, and a share of special ones."""
    found = rng.integers(-2, 3, shape).astype(kind)
    chosen = rng.random(shape) < special
    found[chosen] = rng.choice(SPECIAL, chosen.sum())
    return found


def found_by(array: np.ndarray, infinity: int | None = None) -> np.ndarray:
    images, _, height, width = array.shape
    labels = np.full((images, height, width), 77, np.uint8)
    argmax_channels(array, labels, infinity)
    return labels


def check(array: np.ndarray) -> None:
    before = array.tobytes()
    np.testing.assert_array_equal(found_by(array), array.argmax(1))
    assert array.tobytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("look", LOOKS)
def test_is_that_of_numpy(look: str, kind: str) -> None:
    rng = np.random.default_rng(len(look))
    for special in (0, 0.2, 1):
        check(LOOKS[look](scores(rng, (3, 5, 7, 9), kind, special)))


@settings(max_examples=60)
@given(
    shape=st.tuples(*[st.integers(1, n) for n in (3, 7, 6, 70)]),
    kind=st.sampled_from(KINDS),
    look=st.sampled_from(["as it is", "channels last", "mirrored"]),
    seed=st.integers(0, 99),
)
def test_any_shape(shape: tuple[int, ...], kind: str, look: str, seed: int) -> None:
    check(LOOKS[look](scores(np.random.default_rng(seed), shape, kind, 0.1)))


@pytest.mark.parametrize("look", ["as it is", "cropped", "channels last"])
def test_rows_of_several_blocks(monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    monkeypatch.setattr(argmax, "BLOCK", 8)
    for width in (7, 8, 9, 16, 23):
        array = scores(np.random.default_rng(width), (2, 4, 3, width + 2), "f4", 0.2)
        check(LOOKS[look](array))


def test_256_channels() -> None:
    array = np.zeros((1, 256, 1, 3), np.float32)
    array[0, 255, 0, 1], array[0, 128, 0, 2] = 1, 1
    assert found_by(array).tolist() == [[[0, 255, 128]]]
    check(array[:, :1])


@pytest.mark.parametrize("kind", INFINITY)
def test_all_floats_of_16_bits_in_their_order(kind: str) -> None:
    """Every pair of neighbours in the order, and each value with itself and with others."""
    bits = np.arange(1 << 16, dtype=np.uint16)
    values = bits.view(np.float16).astype(np.float32)
    if kind == "bfloat16":
        values = (bits.astype(np.uint32) << 16).view(np.float32)
    order = np.argsort(values, kind="stable")
    mixed = np.random.default_rng(0).permutation(bits)
    pairs = np.stack([np.concatenate([order[:-1], order[1:], bits, bits]),
                      np.concatenate([order[1:], order[:-1], bits, mixed])])  # fmt: skip
    array = pairs.astype(np.uint16)[None, :, None]
    expected = values[pairs].argmax(0)
    np.testing.assert_array_equal(found_by(array, INFINITY[kind])[0, 0], expected)


def test_no_pixels() -> None:
    assert found_by(np.empty((0, 3, 4, 5), np.float32)).shape == (0, 4, 5)
    assert found_by(np.empty((2, 3, 0, 5), np.float32)).shape == (2, 0, 5)


def test_planes_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usual memory is read where it is: nothing but best scores of a block is taken besides."""
    sizes: list[int] = []
    real = np.empty

    def empty(size: int, *others: object) -> np.ndarray:
        sizes.append(int(size))
        return real(size, *others)

    monkeypatch.setattr(argmax.np, "empty", empty)
    array = np.zeros((2, 4, 100, 100), np.float32)
    labels = np.zeros((2, 100, 100), np.uint8)
    monkeypatch.setattr(argmax, "_of_planes", lambda memory, *others: check_memory(memory, array))
    argmax_channels(array, labels)
    assert sizes == [argmax.BLOCK]


def check_memory(memory: np.ndarray, array: np.ndarray) -> None:
    assert np.shares_memory(memory, array)
    assert memory.size == array.size
    assert not memory.flags.writeable


@pytest.mark.slow
def test_subscripts_stay_inside() -> None:
    """The tests above, where numba checks each subscript."""
    if CHECKED:
        return
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", __file__],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
