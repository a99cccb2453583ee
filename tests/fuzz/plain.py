"""The kernels as plain Python, for a fuzzer sees which branches Python takes, not machine code.

The sources of the kernels are loaded once more over a `jit` that compiles nothing and `vectors`
written in Python: numbers are Python's, and memory checks each subscript, at both ends.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from unittest import mock

import gpuseg.kernels

FOLDER = Path(gpuseg.kernels.__file__).parent
WORD = (1 << 64) - 1


class Memory(bytearray):
    """uint8 (N,) whose subscripts are 0 to N - 1, nothing else."""

    @property
    def size(self) -> int:
        return len(self)

    def __getitem__(self, at):
        if not 0 <= at < len(self):
            raise IndexError(f"reads byte {at} of {len(self)}")
        return super().__getitem__(at)

    def __setitem__(self, at, value):
        if not 0 <= at < len(self):
            raise IndexError(f"writes byte {at} of {len(self)}")
        super().__setitem__(at, int(value) & 255)


def _reach(memory: Memory, at: int, size: int) -> slice:
    if not 0 <= at <= len(memory) - size:
        raise IndexError(f"{size} bytes at {at} of {len(memory)}")
    return slice(at, at + size)


def load_word(memory: Memory, at: int) -> int:
    return int.from_bytes(bytearray.__getitem__(memory, _reach(memory, at, 8)), "little")


def store_word(memory: Memory, at: int, word: int) -> None:
    value = (int(word) & WORD).to_bytes(8, "little")
    bytearray.__setitem__(memory, _reach(memory, at, 8), value)


def fill_bytes(memory: Memory, at: int, byte: int) -> None:
    bytearray.__setitem__(memory, _reach(memory, at, 64), bytes([int(byte)]) * 64)


def _vector(memory: Memory, at: int) -> bytearray:
    return bytearray.__getitem__(memory, _reach(memory, at, 64))


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << k for k, flag in enumerate(flags) if flag)


def nonzero_bits(memory: Memory, at: int) -> int:
    return _bits(byte != 0 for byte in _vector(memory, at))


def unequal_bits(memory: Memory, at: int, other: Memory, place: int) -> int:
    pairs = zip(_vector(memory, at), _vector(other, place), strict=True)
    return _bits(left != right for left, right in pairs)


def unequal_step_bits(memory: Memory, at: int, back: int) -> int:
    places = (at, at - back, at - 1, at - back - 1)
    parts = zip(*(_vector(memory, place) for place in places), strict=True)
    return _bits((now - above - left + corner) % 256 for now, above, left, corner in parts)


def trailing_zeros(word: int) -> int:
    return (word & -word).bit_length() - 1


def _stand_ins() -> dict[str, ModuleType]:
    jit, vectors = ModuleType("gpuseg.kernels.jit"), ModuleType("gpuseg.kernels.vectors")
    vars(jit).update(dict.fromkeys(("njit", "part", "inlined"), lambda function: function), U64=int)
    functions = (
        *(load_word, store_word, fill_bytes, trailing_zeros),
        *(nonzero_bits, unequal_bits, unequal_step_bits),
    )
    vars(vectors).update({function.__name__: function for function in functions}, STEP=64)
    vars(vectors)["count_ones"] = int.bit_count
    return {module.__name__: module for module in (jit, vectors)}


def load(*names: str) -> list[ModuleType]:
    """Modules of gpuseg.kernels as plain Python, those that others import first."""
    found = _stand_ins()
    with mock.patch.dict(sys.modules):
        for name in names:
            found_name = f"gpuseg.kernels.{name}"
            sys.modules.update(found)
            spec = importlib.util.spec_from_file_location(found_name, FOLDER / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[found_name] = found[found_name] = module
            spec.loader.exec_module(module)
    return [found[f"gpuseg.kernels.{name}"] for name in names]
