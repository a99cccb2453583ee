"""What the fuzzer runs, and what must hold. A broken promise is an AssertionError.

The first byte of an input chooses the target: a file as it stands, a file built from decisions,
the kernels over scanlines, or a label map on its way out.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import tracemalloc
import zlib
from unittest import mock

import numpy as np
from PIL import Image

from gpuseg import direct, indexing
from gpuseg.codecs import png, streams
from gpuseg.errors import (
    BrokenMaskError,
    MaskError,
    MaskSizeError,
    UnknownColourError,
    UnsupportedMaskError,
)
from gpuseg.indexing import Indexed
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.mask import Scanlines
from gpuseg.options import ConvertOptions
from tests import pngs
from tests.fuzz import kernels, making, oracle
from tests.fuzz.supply import Supply
from tests.making import PALETTE

LIMIT = 4096
"""max_pixels of every file."""

OPTIONS = (
    ConvertOptions(device="cpu", unknown="ignore"),
    ConvertOptions(device="cpu"),
    ConvertOptions(device="cpu", unknown="ignore", depth=16),
)
LOOKUPS = [build_lookup(PALETTE, options) for options in OPTIONS]
LOOKUPS.append(Lookup(kernels.ALL_KNOWN, 8, "rgb"))

if hasattr(os, "memfd_create"):  # Linux: no disk, and nothing is left however a run ends
    FILE = open(os.memfd_create("mask"), "r+b", buffering=0)  # noqa: SIM115
    PATH = f"/proc/self/fd/{FILE.fileno()}"
else:
    FILE = tempfile.NamedTemporaryFile(buffering=0)  # noqa: SIM115
    PATH = FILE.name
PLTE = bytes(range(256)) * 3


def run(data: bytes, sampled: bool = True) -> None:
    """Run one input. sampled: measure memory for some; not while kernels are compiled."""
    supply = Supply(data)
    chosen = supply.byte() % 8
    if chosen == 0:
        raw = supply.byte()
        content = pngs.mend(supply.rest()) if raw & 1 else supply.rest()
        check_file(content, sampled)
    elif chosen < 4:
        built = making.build(supply)
        check_file(built.data, sampled, built.plain)
    elif chosen < 7:
        kernels.check(supply)
    else:
        check_labels(supply)


def check_file(content: bytes, sampled: bool, plain: bool = False) -> None:
    """Labels of a file are right, or the error is."""
    choice = zlib.crc32(content)
    number, block, read = choice & 3, choice >> 2 & 3, choice >> 4 & 1
    FILE.seek(0)
    FILE.truncate()
    FILE.write(content)
    blocks = mock.patch.object(streams, "BLOCK", (1 << 19, 1, 40, 400)[block])
    reads = mock.patch.multiple(
        png, _FIRST_READ=(1 << 16, 33)[read], _NEXT_READ=(1 << 20, 57)[read]
    )
    with blocks, reads, memory_bounded(content, sampled and choice >> 5 & 3 == 0):
        try:
            mask = png.read_scanlines(PATH, LIMIT)
            found: Indexed | MaskError = _index(mask, number)
        except png.NotDirectError:
            assert not plain, "a usual file is left to Pillow"
            return
        except MaskError as error:
            found = error
    judge(content, found, LOOKUPS[number], OPTIONS[number % 3])


def _index(mask: Scanlines, number: int) -> Indexed:
    direct._labels._memory.fill(kernels.STALE)
    indexing._scratch._memory.fill(kernels.STALE)
    options = OPTIONS[number % 3]
    indexed = direct.index_scanlines(mask, LOOKUPS[number], PALETTE, options, lambda _: None)
    again = indexing.index_mask(
        direct.decode(mask, lambda _: None), LOOKUPS[number], PALETTE, options
    )
    assert np.array_equal(indexed.labels, again.labels), "the two direct ways differ"
    check_counts(mask, indexed, LOOKUPS[number])
    return indexed


def check_counts(mask: Scanlines, indexed: Indexed, lookup: Lookup) -> None:
    """What is counted in scanlines is what is in the pixels."""
    if mask.colours is not None:
        if mask.bits == 8:
            positions = direct.decode(mask, lambda _: None).pixels.reshape(-1)
            counted = np.bincount(positions, minlength=256)
            assert np.array_equal(direct.count_labels(mask), counted), "other counts of positions"
    elif lookup.depth == 8:
        counts = direct.count_colours(mask, lookup.table)
        if indexed.unknown_pixels:
            assert counts is None, "unknown colours were counted"
            return
        counted = np.bincount(indexed.labels.reshape(-1), minlength=256)
        assert counts is not None, "known colours were not counted"
        assert np.array_equal(counts, counted), "other counts of colours"


@contextlib.contextmanager
def memory_bounded(content: bytes, sampled: bool):
    """Memory is what the file and the pixels that its header claims need, whatever is inside."""
    if not sampled:
        yield
        return
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    allowed = 5 * len(content) + 60 * min(_claims(content), LIMIT) + png._NEXT_READ + (1 << 18)
    assert peak <= allowed, f"took {peak} bytes, {allowed} are allowed"


def _claims(content: bytes) -> int:
    """Pixels that the header claims."""
    return int.from_bytes(content[16:20], "big") * int.from_bytes(content[20:24], "big")


def judge(
    content: bytes, found: Indexed | MaskError, lookup: Lookup, options: ConvertOptions
) -> None:
    """Compare with the oracle and with Pillow."""
    claims = _claims(content)
    if claims > LIMIT:
        intact = zlib.crc32(content[12:29]) == int.from_bytes(content[29:33], "big")
        assert isinstance(found, MaskSizeError if intact else BrokenMaskError), found
        return
    assert not isinstance(found, MaskSizeError), found
    picture = read(content)
    if isinstance(picture, str):
        # a pixel may be refused before the damage behind it is seen
        assert isinstance(found, (BrokenMaskError, UnsupportedMaskError)), f"taken, but {picture}"
        return
    if picture.outside:
        assert isinstance(found, BrokenMaskError), found
        return
    entries = lookup.table[picture.keys()].astype(np.int64)
    refused = (entries >> options.depth + 1).any()
    if picture.transparent or refused:
        assert picture.transparent or not isinstance(found, UnsupportedMaskError), found
        assert refused or not isinstance(found, UnknownColourError), found
        assert isinstance(found, (UnsupportedMaskError, UnknownColourError)), found
        return
    assert isinstance(found, Indexed), f"refused a whole file: {found}"
    assert np.array_equal(found.labels, entries & (1 << options.depth) - 1), "wrong labels"
    assert found.unknown_pixels == (entries >> options.depth & 1).sum()
    check_pillow(content, picture)


def read(content: bytes) -> oracle.Picture | str:
    try:
        return oracle.read(content)
    except (oracle.DamagedError, oracle.OtherError) as error:
        return str(error)


def check_pillow(content: bytes, picture: oracle.Picture) -> None:
    """Pillow sees the same pixels. What it minds in optional chunks may be taken."""
    try:
        pixels = _by_pillow(content)
    except Exception:
        needed = [c for c in oracle.chunks(content) if not c[0][0] & 0x20]
        rebuilt = b"".join(making.chunk(*parts) for parts in needed)
        pixels = _by_pillow(oracle.SIGNATURE + rebuilt)
    assert np.array_equal(pixels.reshape(picture.pixels.shape), picture.pixels), "Pillow differs"


def _by_pillow(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return np.asarray(image)


def check_labels(supply: Supply) -> None:
    """A label map is read back as it was written, by Pillow and by the oracle."""
    width, height = supply.number(1, 300), supply.number(1, 20)
    block = supply.pick((1 << 19, 1, 50))
    runs = bytearray()
    if supply.rarely(2):
        runs += supply.rest()
    while len(supply):
        runs += bytes([supply.byte()]) * (1 + supply.byte())
    labels = np.resize(np.frombuffer(runs or b"\0", np.uint8), (height, width))
    kernels.check_filters(labels, min(height - 1, labels[0, 0] & 1))
    with mock.patch.object(streams, "BLOCK", block):
        content = direct.encode(labels, PLTE)
    assert np.array_equal(_by_pillow(content), labels), "Pillow reads other labels"
    assert np.array_equal(oracle.read(content).pixels[..., 0], labels), "other labels"
