"""The fuzzer's body over fixed inputs, so that it runs where atheris is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.errors import BrokenMaskError
from gpuseg.indexing import Indexed
from tests.fuzz import making, oracle, plain, seeds, targets
from tests.fuzz.supply import Supply


@pytest.mark.parametrize("target", range(8))
def test_fixed_inputs(target: int) -> None:
    for data in seeds.INPUTS:
        if data[0] == target:
            targets.run(data, sampled=False)


def test_decisions_make_whole_files_and_broken_ones() -> None:
    built = [making.build(Supply(data[1:])) for data in seeds.INPUTS]
    whole = sum(isinstance(targets.read(b.data), oracle.Picture) for b in built)
    assert len(built) // 4 < whole < len(built)


def test_a_broken_promise_is_seen() -> None:
    content = making.build(Supply(b"")).data
    picture = targets.read(content)
    assert isinstance(picture, oracle.Picture)
    lookup, options = targets.LOOKUPS[0], targets.OPTIONS[0]
    right = lookup.table[picture.keys()].astype(np.uint8)
    targets.judge(content, Indexed(right), lookup, options)
    with pytest.raises(AssertionError, match="wrong labels"):
        targets.judge(content, Indexed(right ^ 1), lookup, options)
    with pytest.raises(AssertionError, match="refused a whole file"):
        targets.judge(content, BrokenMaskError(), lookup, options)
    for at in (29, -4):  # of IHDR and of IEND
        damaged = bytearray(content)
        damaged[at] ^= 1
        with pytest.raises(AssertionError, match="taken, but a checksum differs"):
            targets.judge(bytes(damaged), Indexed(right), lookup, options)


def test_memory_is_checked_at_both_ends() -> None:
    memory = plain.Memory(9)
    plain.store_word(memory, 1, 0x0807060504030201)
    assert plain.load_word(memory, 0) == 0x0706050403020100
    for at in (-1, 2):
        with pytest.raises(IndexError):
            plain.load_word(memory, at)
        with pytest.raises(IndexError):
            plain.store_word(memory, at, 0)
    for at in (-1, 9):
        with pytest.raises(IndexError):
            memory[at]
        with pytest.raises(IndexError):
            memory[at] = 0
