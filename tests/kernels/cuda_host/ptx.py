"""Runs the PTX that NVRTC makes of a kernel, one thread after the other, in plain Python.

Knows the integer instructions that our kernels become, and checks what hardware would: each
access is aligned to its size, lies in an array, and does not write to an input. See the
PTX ISA: https://docs.nvidia.com/cuda/parallel-thread-execution/
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.cuda_host.host import BLOCK, AccessError

Registers = dict[str, int]
Step = Callable[[Registers], "int | None"]
"""Carries out one instruction; returns where to go on unless that is the next one."""

END = -1


class UnknownInstructionError(Exception):
    """This NVRTC writes an instruction that is not known here."""


@dataclass
class Memory:
    """The arrays of a launch, at their addresses in host memory."""

    regions: list[tuple[int, memoryview]] = field(default_factory=list)
    widest: dict[str, int] = field(default_factory=dict)

    def add(self, array: NDArray[Any], writable: bool) -> None:
        """Let the kernel read this array, and write it."""
        view = memoryview(array.view(np.uint8))
        start = array.ctypes.data
        self.regions.append((start, view if writable else view.toreadonly()))

    def find(self, address: int, size: int, write: bool) -> memoryview:
        """The bytes of an access. Raises AccessError."""
        if address % size:
            raise AccessError(f"access of {size} bytes at {address:#x} is misaligned")
        self.widest["write" if write else "read"] = max(
            size, self.widest.get("write" if write else "read", 0)
        )
        for start, view in self.regions:
            inside = start <= address and address + size <= start + len(view)
            if inside and not (write and view.readonly):
                return view[address - start : address - start + size]
        raise AccessError(f"access of {size} bytes at {address:#x} is outside the arrays")


def run(ptx: str, arrays: tuple[Any, ...], inputs: int, size: int) -> Memory:
    """Run a kernel over `size` threads; the first `inputs` of its arrays are read only."""
    memory = Memory()
    parameters: list[bytes] = []
    for k, array in enumerate(arrays):
        memory.add(array, writable=k >= inputs)
        parameters.append(_pack(array.ctypes.data, array.size, array.size, array.itemsize))
    parameters.append(_pack(size, size, 0))
    program = _parse(ptx, parameters, memory)
    grid = -(-size // BLOCK)
    for thread in range(grid * BLOCK):
        block, lane = divmod(thread, BLOCK)
        names = ("%tid.x", "%ctaid.x", "%ntid.x", "%nctaid.x")
        registers = dict(zip(names, (lane, block, BLOCK, grid), strict=True))
        at = 0
        while at != END:
            target = program[at](registers)
            at = at + 1 if target is None else target
    return memory


def _pack(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "little") for value in values)


def _parse(ptx: str, parameters: list[bytes], memory: Memory) -> list[Step]:
    """The body of the only kernel, an instruction a step."""
    found = re.search(r"\.entry \w+\((.*?)\)\s*(?:\.\w+ [^{]*)?\{(.*)\}", ptx, re.S)
    assert found, "no kernel in the PTX"
    names = re.findall(r"\.param [^,]*?(\w+)\[\d+\]", found[1])
    constants = dict(zip(names, parameters, strict=True))
    lines: list[tuple[str, str, str]] = []
    labels: dict[str, int] = {}
    for raw in found[2].splitlines():
        line = raw.split("//")[0].strip()
        if line.endswith(":"):
            labels[line[:-1]] = len(lines)
        elif line and not line.startswith("."):
            match = re.fullmatch(r"(?:@(!?%p\d+)\s+)?([\w.]+)\s*(.*);", line)
            assert match, f"cannot read {line!r}"
            lines.append((match[1] or "", match[2], match[3]))
    return [_guarded(guard, _step(op, text, labels, constants, memory))
            for guard, op, text in lines]  # fmt: skip


def _guarded(guard: str, step: Step) -> Step:
    if not guard:
        return step
    name, wanted = guard.lstrip("!"), 0 if guard.startswith("!") else 1
    return lambda registers: step(registers) if registers[name] == wanted else None


def _step(
    op: str, text: str, labels: dict[str, int], constants: dict[str, bytes], memory: Memory
) -> Step:
    """One instruction, without its guard."""
    name, *rest = op.split(".")
    operands = [part.strip() for part in text.split(",")]
    if name == "ret":
        return lambda _: END
    if name == "bra":
        target = labels[operands[0]]
        return lambda _: target
    if name == "ld" and rest[0] == "param":
        return _load_parameter(operands, _bits(rest[-1]) // 8, constants)
    if name in ("ld", "st", "atom", "red") and rest[0] == "global":
        return _access(name, rest, operands, memory)
    compute = _arithmetic(name, rest)
    into, sources = operands[0], [_source(each) for each in operands[1:]]

    def step(registers: Registers) -> None:
        registers[into] = compute(*(source(registers) for source in sources))

    return step


def _source(operand: str) -> Callable[[Registers], int]:
    if operand.startswith("%"):
        return operator.itemgetter(operand)
    value = int(operand, 0) & (1 << 64) - 1
    return lambda _: value


def _load_parameter(operands: list[str], size: int, constants: dict[str, bytes]) -> Step:
    found = re.fullmatch(r"\[(\w+)(?:\+(\d+))?\]", operands[1])
    assert found
    start = int(found[2] or 0)
    value = int.from_bytes(constants[found[1]][start : start + size], "little")
    return lambda registers: registers.__setitem__(operands[0], value)


def _access(name: str, rest: list[str], operands: list[str], memory: Memory) -> Step:
    """ld, st and `add` by atom and red, of one element."""
    kind, size = rest[-1], _bits(rest[-1]) // 8
    if any(part.startswith("v") and part[1:].isdigit() for part in rest) or kind[0] == "s":
        raise UnknownInstructionError(".".join([name, *rest]))
    if name in ("atom", "red") and "add" not in rest:
        raise UnknownInstructionError(".".join([name, *rest]))
    place = operands[0] if name in ("st", "red") else operands[1]
    found = re.fullmatch(r"\[(%\w+)(?:\+(-?\d+))?\]", place)
    assert found, f"cannot read address {place}"
    base, offset = found[1], int(found[2] or 0)
    into = operands[0]
    value = _source(operands[-1]) if name != "ld" else None

    def step(registers: Registers) -> None:
        address = registers[base] + offset & (1 << 64) - 1
        data = memory.find(address, size, write=name != "ld")
        old = int.from_bytes(data, "little")
        if name in ("ld", "atom"):
            registers[into] = old
        if value is not None:
            new = value(registers) + (0 if name == "st" else old)
            data[:] = (new & (1 << 8 * size) - 1).to_bytes(size, "little")

    return step


def _bits(kind: str) -> int:
    return int(kind[1:])


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


COMPARE = {name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}


def _arithmetic(name: str, rest: list[str]) -> Callable[..., int]:
    """The value that an instruction computes from its sources."""
    op, kind = ".".join([name, *rest[:-1]]), rest[-1]
    bits = 1 if kind == "pred" else _bits(kind)
    mask = (1 << bits) - 1

    def read(value: int) -> int:
        return _signed(value, bits) if kind[0] == "s" else value & mask

    if op.startswith("setp."):
        compare = COMPARE[rest[0]]
        return lambda a, b: int(compare(read(a), read(b)))
    if name == "cvt" and len(rest) == 2:
        wide = (1 << _bits(rest[0])) - 1
        return lambda a: read(a) & wide
    table: dict[str, Callable[..., int]] = {
        "mov": lambda a: a & mask,
        "cvta.to.global": lambda a: a,
        "add": lambda a, b: a + b & mask,
        "sub": lambda a, b: a - b & mask,
        "mul.lo": lambda a, b: a * b & mask,
        "mul.hi": lambda a, b: read(a) * read(b) >> bits & mask,
        "mul.wide": lambda a, b: read(a) * read(b) & (1 << 2 * bits) - 1,
        "mad.lo": lambda a, b, c: a * b + c & mask,
        "and": lambda a, b: a & b & mask,
        "or": lambda a, b: (a | b) & mask,
        "xor": lambda a, b: (a ^ b) & mask,
        "not": lambda a: ~a & mask,
        "shl": lambda a, b: a << min(b, bits) & mask,
        "shr": lambda a, b: read(a) >> min(b, bits) & mask,
        "selp": lambda a, b, which: (a if which else b) & mask,
        "bfi": _insert,
        "bfe": lambda a, start, length: a >> start & (1 << length) - 1,
        "prmt": _permute,
        "shf.r.wrap": lambda low, high, by: (high << 32 | low) >> (by & 31) & mask,
    }
    if op not in table or (op == "bfe" and kind[0] == "s"):
        raise UnknownInstructionError(f"{op}.{kind}")
    return table[op]


def _insert(a: int, b: int, start: int, length: int) -> int:
    """bfi: the low `length` bits of a, put into b at `start`."""
    field_mask = (1 << length) - 1 << start
    return b & ~field_mask | a << start & field_mask


def _permute(a: int, b: int, selector: int) -> int:
    """prmt: byte k of the result is the byte of (b, a) that nibble k of the selector names."""
    data = (b << 32 | a).to_bytes(8, "little")
    nibbles = [selector >> 4 * k & 15 for k in range(4)]
    assert max(nibbles) < 8, "prmt that repeats signs is not known here"
    return int.from_bytes(bytes(data[n] for n in nibbles), "little")
