"""Options as frozen, validated values: what is asked for, in one object that travels whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from gpuseg.errors import UsageError
from gpuseg.schedulers import check_scheduler, is_own

Unknown = Literal["error", "ignore", "nearest", "border", "border-ignore"]
Depth = Literal[8, 16]
Order = Literal["rgb", "bgr"]
Codec = Literal["auto", "pillow"]
Grey = Literal["auto", "colours"]
OnDuplicate = Literal["error", "first", "last"]

DEFAULT_MAX_PIXELS = 1 << 28
"""Largest image taken by default: 268,435,456 pixels (16,384 x 16,384)."""

DEFAULT_BATCH_PIXELS = 1 << 23
"""Pixels of one CUDA batch by default: 8,388,608 (24 MiB of colours, 8 MiB of labels).

Copying that takes far longer than launching it, and larger batches leave the host's caches."""


class IndexKeywords(TypedDict, total=False):
    """The fields of `IndexOptions` as keyword arguments."""

    unknown: Unknown
    tolerance: float | None
    ignore_index: int | None
    depth: Depth


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """How colours become indices.

    unknown: what a colour outside the palette becomes: `error` refuses the mask,
        `ignore` writes the ignore index, `nearest` the palette colour at the least
        Euclidean distance in RGB (ties: the class named first in the palette), `border`
        the class of a neighbour where the colour lies between those of two classes beside
        the pixel, as antialiasing makes it; any other colour refuses the mask, and gets the
        ignore index under `border-ignore`.
    tolerance: with `nearest`, the largest distance that is still replaced, in
        8-bit steps (0 to 441.7); a colour further away is refused. None: no limit.
    ignore_index: the index for unknown colours under `ignore` and `border-ignore`; None takes
        the palette's own, else 255 (65535 at depth 16).
    depth: bits of a label: 8 (palette PNG, uint8) or 16 (greyscale PNG, uint16).
    """

    unknown: Unknown = "error"
    tolerance: float | None = None
    ignore_index: int | None = None
    depth: Depth = 8

    @property
    def repairs_borders(self) -> bool:
        """Whether unknown pixels may take the class of a neighbour."""
        return self.unknown in ("border", "border-ignore")

    def __post_init__(self) -> None:
        _one_of("unknown", self.unknown, get_args(Unknown))
        _one_of("depth", self.depth, get_args(Depth))
        _whole("depth", self.depth)
        if self.tolerance is not None:
            if not isinstance(self.tolerance, (int, float)):
                raise UsageError(f"tolerance must be a number, got {self.tolerance!r}")
            if self.unknown != "nearest":
                raise UsageError(
                    f"tolerance belongs to unknown='nearest', got unknown={self.unknown!r}; "
                    "use --unknown nearest or leave the tolerance out"
                )
            if not 0 <= self.tolerance < 442:
                raise UsageError(f"tolerance must be 0 to 441.7 RGB steps, got {self.tolerance}")
        top = (1 << self.depth) - 1
        if self.ignore_index is not None:
            _whole("ignore_index", self.ignore_index)
        if self.ignore_index is not None and not 0 <= self.ignore_index <= top:
            raise UsageError(
                f"ignore_index must be 0 to {top} at depth {self.depth}, got {self.ignore_index}"
            )


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count` (both from 1): one share of a job that several machines divide."""

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise UsageError(f"shard must be K/N with 1 <= K <= N, got {self.number}/{self.count}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `K/N`, for instance `3/8`. Raises UsageError."""
        number, slash, count = text.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal()):
            raise UsageError(f"shard must be K/N, for instance 3/8, got {text!r}")
        return cls(int(number), int(count))


class ReadKeywords(TypedDict, total=False):
    """The fields of `ReadOptions` as keyword arguments."""

    workers: int | None
    pattern: str | None
    fail_fast: bool
    shard: Shard
    max_pixels: int
    column: str | None
    scheduler: str | None


class WriteKeywords(ReadKeywords, total=False):
    """The fields of `WriteOptions` as keyword arguments."""

    overwrite: bool
    resume: bool
    dry_run: bool
    keep_others: bool


class ConvertKeywords(IndexKeywords, WriteKeywords, total=False):
    """The fields of `ConvertOptions` as keyword arguments."""

    device: str
    codec: Codec
    grey: Grey
    verify: bool
    batch_pixels: int


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How the files of a folder are gone through, by any verb.

    workers: threads, each feeding a process in long runs; None takes the processors this
        process may use.
    pattern: glob that file names must match; None takes the known image suffixes.
    fail_fast: stop at the first file that fails.
    shard: take only this part of the files.
    max_pixels: largest image taken, in pixels.
    column: of Parquet files, the column that holds the images; None where only one can.
    scheduler: who does the work, if not this process and its own: `local:4` (four Dask workers
        on this machine), the address of a Dask scheduler (`tcp://…`, `tls://…`), or the name of
        its scheduler file (`….json`). Then `workers` is only for a device: threads of each worker.
    """

    workers: int | None = None
    pattern: str | None = None
    fail_fast: bool = False
    shard: Shard = Shard()
    max_pixels: int = DEFAULT_MAX_PIXELS
    column: str | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.workers is not None:
            _at_least_one("workers", self.workers)
        _at_least_one("max_pixels", self.max_pixels)
        if self.scheduler is not None:
            check_scheduler(self.scheduler)
            if self.workers is not None and not self._wants_device:
                raise UsageError(
                    f"workers ({self.workers}) are those of this process, but the scheduler "
                    f"{self.scheduler} has its own; leave one of them out"
                )

    @property
    def _wants_device(self) -> bool:
        return False

    @property
    def worker_count(self) -> int:
        """Threads to start: `workers`, or the processors this process may run on."""
        return self.workers or usable_cpus()


@dataclass(frozen=True, kw_only=True)
class WriteOptions(ReadOptions):
    """How the files of a folder are made into others, by any verb.

    overwrite: replace target files that gpuseg did not write.
    resume: leave targets alone that were made from the same source with the same options.
    dry_run: say what would be done, write nothing.
    keep_others: have other members of an archive pass through unchanged, in their place.
    """

    overwrite: bool = False
    resume: bool = True
    dry_run: bool = False
    keep_others: bool = False


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(IndexOptions, WriteOptions):
    """How a folder of masks is converted: `IndexOptions`, `WriteOptions`, and these.

    device: `cpu`, `cuda` (the first device), `cuda:1`, `cuda:0,1` (a process a device), or
        `auto`: cuda or cpu, whichever is faster with the first files; cpu if there is no device.
    codec: `auto` (the fastest that reads the file) or `pillow`.
    grey: how a greyscale file is read: `auto` takes its values for colours only where they
        cannot be finished class indices, and refuses it otherwise; `colours` always does.
    verify: read each label map back and compare it before it gets its name.
    batch_pixels: size of one CUDA batch, in pixels.
    """

    device: str = "auto"
    codec: Codec = "auto"
    grey: Grey = "auto"
    verify: bool = False
    batch_pixels: int = DEFAULT_BATCH_PIXELS

    def __post_init__(self) -> None:
        IndexOptions.__post_init__(self)
        WriteOptions.__post_init__(self)
        device_numbers(self.device)
        if self.device.startswith("cuda") and self.codec == "pillow":
            raise UsageError(
                "codec pillow leaves a device nothing to do, which takes the scanlines of PNGs; "
                "use --codec auto, or --device cpu"
            )
        _one_of("codec", self.codec, get_args(Codec))
        _one_of("grey", self.grey, get_args(Grey))
        _at_least_one("batch_pixels", self.batch_pixels)
        if self.scheduler is not None and self._wants_device and self.device != "cuda":
            raise UsageError(
                f"with a scheduler each worker has one device, got device {self.device!r}; use "
                "cuda, and start a worker for each (dask cuda worker)"
            )
        if self.scheduler is not None and self._wants_device and is_own(self.scheduler):
            raise UsageError(
                "on one machine devices need no scheduler, got local workers and device cuda; "
                "use device cuda:0,1 and the like alone"
            )

    @property
    def _wants_device(self) -> bool:
        return self.device.startswith("cuda")


def device_numbers(device: str) -> tuple[int, ...]:
    """Which CUDA devices `device` names: (0,) for `cuda` and `auto`, none for `cpu`.

    Raises UsageError.
    """
    if device in ("auto", "cpu", "cuda"):
        return () if device == "cpu" else (0,)
    words = device.removeprefix("cuda:").split(",") if device.startswith("cuda:") else []
    numbers = tuple(int(word) for word in words if word.isascii() and word.isdecimal())
    if not numbers or len(numbers) != len(words) or len(set(numbers)) != len(numbers):
        raise UsageError(
            f"device must be auto, cpu, cuda, or cuda: and the numbers of devices, for instance "
            f"cuda:1 or cuda:0,1, got {device!r}"
        )
    return numbers


def most_bytes(max_pixels: int) -> int:
    """Bytes of the largest file that may be an image of so many pixels: 16-bit RGBA, unpacked."""
    return 8 * max_pixels + (1 << 20)


def usable_cpus() -> int:
    """Number of processors this process may run on (affinity, not the machine's total)."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _whole(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name} must be a whole number, got {value!r}")


def _at_least_one(name: str, value: int) -> None:
    _whole(name, value)
    if value < 1:
        raise UsageError(f"{name} must be at least 1, got {value}")


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
