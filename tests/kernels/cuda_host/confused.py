"""Runs `confusion.cu` on the CPU: a thread for each lane, several blocks at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.kernels.confusion_batches import ConfusionBatch
from tests.kernels.cuda_host.source import load
from tests.kernels.cuda_host.threaded import SLOTS, ThreadedKernels, build

Variant = tuple[str, str, int]
"""Types of the truth and of the prediction, and cells in shared memory."""

VARIANTS: tuple[Variant, ...] = (
    ("u1", "u1", 1 << 12),
    ("u1", "u1", 3 << 12),
    ("u1", "u1", 0),
    ("i8", "i8", 1 << 12),
    ("u1", "i8", 1 << 12),
    ("i1", "u2", 0),
    ("i2", "i4", 1 << 12),
    ("u4", "u8", 1 << 12),
)
"""Each type, each size of a group, and each number of cells."""

CALL = """
static void {space}_{name}(const Arrays &a) {{
  const int64_t *n = (const int64_t *)a[5];
  {space}::{kernel}(
      (const {truth} *)a[0] + n[5], (const {prediction} *)a[1] + n[6],
      n[7] ? (const long long *)a[2] : nullptr, (const unsigned short *)a[3],
      (unsigned long long *)a[4], n[0], n[1], n[2], n[3], n[4]);
}}"""


def build_confusion(
    code: str, kind: str, folder: Path, variants: Sequence[Variant] = VARIANTS
) -> ThreadedKernels:
    """Build the text of `confusion.cu`; see `threaded.build`."""
    module = load("gpuseg.kernels.cuda.confusion")
    calls, rows = [], []
    names = tuple(name_of(variant) for variant in variants)
    for name, (truth, prediction, cells) in zip(names, variants, strict=True):
        spaces = [f"slot{k}" for k in range(SLOTS)]
        kernel = module.kernel_name(truth, prediction, cells)
        types = {"truth": module.TYPES[truth], "prediction": module.TYPES[prediction]}
        calls += [CALL.format(space=s, name=name, kernel=kernel, **types) for s in spaces]
        rows.append("{" + ", ".join(f"{space}_{name}" for space in spaces) + "}")
    table = f"static const Kernel kernels[{len(rows)}][SLOTS] = {{{', '.join(rows)}}};\n"
    return build(code, kind, folder, names, "\n".join([*calls, table]))


def name_of(variant: Variant) -> str:
    return "_".join(map(str, variant))


def run(
    program: ThreadedKernels,
    batch: ConfusionBatch,
    cells: int,
    stretch: int = 64,
    warps: int = 2,
    shift: tuple[int, int] = (0, 0),
    skip: int = 0,
) -> None:
    """Add a batch to its counts, by blocks of `stretch` pixels.

    shift: truth and prediction begin so many pixels into their memory. skip: pixels of the
    first image that lie before the batch, where no memory is; a multiple of the stretch.
    """
    bins = batch.counts.shape[-1]
    tiles = -(-bins // (cells // bins)) if cells else 1
    images = [batch.truth, batch.prediction]
    padded = [
        np.concatenate([np.ones(by, image.dtype), image])
        for by, image in zip(shift, images, strict=True)
    ]
    offsets = batch.offsets + skip
    offsets[0] = 0
    pixels = batch.truth.size + skip
    several = len(batch.counts) > 1
    numbers = [pixels, stretch, len(batch.counts), batch.slots.size, bins]
    numbers += [shift[0] - skip, shift[1] - skip, several]
    given = [*padded, offsets, batch.slots.copy(), batch.counts, np.array(numbers, np.int64)]
    first = tiles * (skip // stretch)
    name = name_of((*batch.dtypes, cells))
    program.run(name, given, tiles * -(-pixels // stretch) - first, warps, first)
