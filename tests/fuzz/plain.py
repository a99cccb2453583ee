"""The kernels as plain Python, for a fuzzer sees which branches Python takes, not machine code.

The sources of the kernels are loaded once more over a `jit` that compiles nothing: numbers are
Python's, and memory checks each subscript, those of words at both ends.
"""

from __future__ import annotations

import importlib.util
import sys
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


def load_word(memory: Memory, at: int) -> int:
    if not 0 <= at <= len(memory) - 8:
        raise IndexError(f"reads the word at {at} of {len(memory)}")
    return int.from_bytes(bytearray.__getitem__(memory, slice(at, at + 8)), "little")


def store_word(memory: Memory, at: int, word: int) -> None:
    if not 0 <= at <= len(memory) - 8:
        raise IndexError(f"writes the word at {at} of {len(memory)}")
    bytearray.__setitem__(memory, slice(at, at + 8), (word & WORD).to_bytes(8, "little"))


def trailing_zeros(word: int) -> int:
    return (word & -word).bit_length() - 1


def count_nonzero_bytes(word: int) -> int:
    """Written again, for that in `words` lives on a product that wraps around."""
    return sum(byte != 0 for byte in word.to_bytes(8))


def _jit() -> ModuleType:
    module = ModuleType("gpuseg.kernels.jit")
    words = {"load_word": load_word, "store_word": store_word, "trailing_zeros": trailing_zeros}
    same = dict.fromkeys(("njit", "part", "inlined"), lambda function: function)
    vars(module).update(words, U64=int, **same)
    return module


def load(*names: str) -> list[ModuleType]:
    """Modules of gpuseg.kernels as plain Python, those that others import first."""
    found = {"gpuseg.kernels.jit": _jit()}
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
            if name == "words":
                vars(module)["count_nonzero_bytes"] = count_nonzero_bytes
    return [found[f"gpuseg.kernels.{name}"] for name in names]
