"""Pixels in device memory to labels and back, elementwise.

Same contract as `cpu`, on CuPy arrays. A thread takes 4 pixels: three 32-bit loads, four
reads of the table through the read-only cache, one store of 32 bits (uint8 labels) or 64
(uint16). The 0 to 3 pixels that are left over go one to a thread, byte by byte, and so do
all pixels of a buffer that is not aligned (a view that starts in the middle): no copy is
made, nothing outside the buffers is read or written. Subscripts are 64-bit throughout.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.cuda.memory import device_colours, device_table
from gpuseg.kernels.lut import Lookup

GROUP = 4
"""Pixels of one thread: the fewest whose bytes fill whole 32-bit words."""

COUNT_UNKNOWN = r"""
// Adds pixels to the counts of their images. Bit k of `flags`, which is not 0, stands for
// pixel `pixel + k`; `offsets` says where images start, and images may be empty.
template <class Offsets, class Counts>
__device__ void gpuseg_count(
    const Offsets &offsets, Counts &unknown, ptrdiff_t pixel, unsigned int flags) {
  ptrdiff_t image = 0;  // the last one that starts at `pixel` or before
  ptrdiff_t after = offsets.size() - 1;
  while (after - image > 1) {
    const ptrdiff_t middle = (image + after) / 2;
    if (offsets[middle] <= pixel) image = middle; else after = middle;
  }
  unsigned long long found = 0;
  for (; flags; flags >>= 1, ++pixel) {
    if (offsets[image + 1] <= pixel) {  // the group straddles images
      if (found) atomicAdd(&unknown[image], found);
      found = 0;
      do ++image; while (offsets[image + 1] <= pixel);
    }
    found += flags & 1u;
  }
  atomicAdd(&unknown[image], found);
}
"""

INDEX = r"""
const unsigned int depth = 4 * sizeof(E);  // an entry is as wide as two labels
const unsigned int mask = (1u << depth) - 1u;
const ptrdiff_t groups = words.size() / 3;
if (i < groups) {
  const unsigned int word0 = __ldg(&words[3 * i]);
  const unsigned int word1 = __ldg(&words[3 * i + 1]);
  const unsigned int word2 = __ldg(&words[3 * i + 2]);
  const unsigned int entry0 = __ldg(&table[word0 & 0xffffffu]);
  const unsigned int entry1 = __ldg(&table[__funnelshift_r(word0, word1, 24) & 0xffffffu]);
  const unsigned int entry2 = __ldg(&table[__funnelshift_r(word1, word2, 16) & 0xffffffu]);
  const unsigned int entry3 = __ldg(&table[word2 >> 8]);
  out[i] = (W)(entry0 & mask) | (W)(entry1 & mask) << depth
         | (W)(entry2 & mask) << 2 * depth | (W)(entry3 & mask) << 3 * depth;
  if ((entry0 | entry1 | entry2 | entry3) >> depth & 1u) {
    gpuseg_count(offsets, unknown, 4 * i,
                 (entry0 >> depth & 1u) | (entry1 >> depth & 1u) << 1
                 | (entry2 >> depth & 1u) << 2 | (entry3 >> depth & 1u) << 3);
  }
} else {
  const ptrdiff_t pixel = 3 * groups + i;
  const unsigned int entry = __ldg(&table[
      pixels[3 * pixel] | pixels[3 * pixel + 1] << 8 | pixels[3 * pixel + 2] << 16]);
  labels[pixel] = (L)(entry & mask);
  if (entry >> depth & 1u) gpuseg_count(offsets, unknown, pixel, 1u);
}
"""

COLOUR = r"""
const unsigned int depth = 8 * sizeof(L);
const unsigned int mask = (1u << depth) - 1u;
const ptrdiff_t groups = words.size();
unsigned int missing;
if (i < groups) {
  const W word = words[i];
  const unsigned int colour0 = __ldg(&colours[(unsigned int)word & mask]);
  const unsigned int colour1 = __ldg(&colours[(unsigned int)(word >> depth) & mask]);
  const unsigned int colour2 = __ldg(&colours[(unsigned int)(word >> 2 * depth) & mask]);
  const unsigned int colour3 = __ldg(&colours[(unsigned int)(word >> 3 * depth) & mask]);
  out[3 * i] = (colour0 & 0xffffffu) | colour1 << 24;
  out[3 * i + 1] = (colour1 >> 8 & 0xffffu) | colour2 << 16;
  out[3 * i + 2] = (colour2 >> 16 & 0xffu) | colour3 << 8;
  missing = (colour0 >> 24 & 1u) + (colour1 >> 24 & 1u)
          + (colour2 >> 24 & 1u) + (colour3 >> 24 & 1u);
} else {
  const ptrdiff_t pixel = 3 * groups + i;
  const unsigned int colour = __ldg(&colours[labels[pixel]]);
  pixels[3 * pixel] = (unsigned char)colour;
  pixels[3 * pixel + 1] = (unsigned char)(colour >> 8);
  pixels[3 * pixel + 2] = (unsigned char)(colour >> 16);
  missing = colour >> 24 & 1u;
}
if (missing) atomicAdd(&outside[0], (unsigned long long)missing);
"""

NARROW = r"""
const T label = labels[i];
const unsigned long long index = (unsigned long long)label;  // what is below 0 becomes huge
narrow[i] = (L)label;
if (index >= (unsigned long long)allowed.size() || !__ldg(&allowed[index])) {
  atomicAdd(&strange[0], 1ull);
}
"""

# E: entry (uint16, uint32), L: label (uint8, uint16), W: the word of 4 labels (uint32, uint64)
index_kernel = cupy.ElementwiseKernel(
    "raw uint32 words, raw uint8 pixels, raw int64 offsets, raw E table",
    "raw W out, raw L labels, raw uint64 unknown",
    INDEX,
    "gpuseg_index",
    preamble=COUNT_UNKNOWN,
)

colour_kernel = cupy.ElementwiseKernel(
    "raw W words, raw L labels, raw uint32 colours",
    "raw uint32 out, raw uint8 pixels, raw uint64 outside",
    COLOUR,
    "gpuseg_colour",
)


# T: any integer, L: label (uint8, uint16)
narrow_kernel = cupy.ElementwiseKernel(
    "raw T labels, raw uint8 allowed", "raw L narrow, raw uint64 strange", NARROW, "gpuseg_narrow"
)


def index_pixels(pixels: Any, offsets: Any, table: Any, labels: Any, unknown: Any) -> None:
    """Look up the label of each pixel, on the current stream; arrays of one device, contiguous.

    pixels: uint8 (3 * P,), the images one after the other.
    offsets: int64 (N + 1,), where each image starts, in pixels.
    table: uint16 or uint32 (2**24,), see `lut`.
    labels: uint8 or uint16 (P,), written.
    unknown: int64 or uint64 (N,), written: pixels of each image that are flagged unknown.
    """
    unknown.fill(0)
    if not labels.size:
        return
    words, out = _words(pixels, labels)
    index_kernel(
        words, pixels, offsets, table, out, labels, unknown.view(np.uint64),
        size=threads(labels.size, out.size),
    )  # fmt: skip


def colour_labels(labels: Any, colours: Any, pixels: Any) -> int:
    """Paint labels; returns how many have no colour. Arrays of one device, contiguous.

    labels: uint8 or uint16 (P,). colours: uint32 (256,) or (65536,), `r | g << 8 | b << 16`,
    bit 24 set where there is no colour. pixels: uint8 (3 * P,), written.
    """
    if not labels.size:
        return 0
    outside = cupy.zeros(1, np.uint64)
    out, words = _words(pixels, labels)
    colour_kernel(
        words, labels, colours, out, pixels, outside, size=threads(labels.size, words.size)
    )
    return int(outside.get()[0])


def threads(pixels: int, groups: int) -> int:
    """How many threads take `pixels` pixels when `groups` times 4 of them go together."""
    return pixels - (GROUP - 1) * groups


def _words(pixels: Any, labels: Any) -> tuple[Any, Any]:
    """The aligned part as words: uint32 (3 * G,), and uint32 or uint64 (G,) of 4 labels each.

    Empty where memory is not aligned to such words.
    """
    width = GROUP * labels.itemsize
    groups = labels.size // GROUP
    if pixels.data.ptr % 4 or labels.data.ptr % width:
        groups = 0
    words = pixels[: 3 * GROUP * groups].view(np.uint32)
    out = labels[: GROUP * groups].view(np.uint32 if width == 4 else np.uint64)
    return words, out


def index_host(
    pixels: NDArray[np.uint8], offsets: NDArray[np.int64], lookup: Lookup
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """`index_arrays` for pixels in host memory, by the current device."""
    labels, unknown = index_arrays(cupy.asarray(pixels), offsets, lookup)
    return labels.get(), unknown


def index_arrays(
    pixels: Any, offsets: NDArray[np.int64], lookup: Lookup
) -> tuple[Any, NDArray[np.int64]]:
    """Labels, uint8 or uint16 (P,), on the device of the pixels; unknown counts, int64 (N,), NumPy.

    pixels: CuPy uint8 (3 * P,), contiguous. offsets: int64 (N + 1,).
    """
    with pixels.device:
        table = device_table(lookup)  # held until all is done: it may lose its place meanwhile
        labels = cupy.empty(pixels.size // 3, lookup.label_dtype)
        unknown = cupy.empty(len(offsets) - 1, np.int64)
        index_pixels(pixels, cupy.asarray(offsets), table, labels, unknown)
        return labels, unknown.get()


def paint_array(labels: Any, colours: NDArray[np.uint32]) -> tuple[Any, int]:
    """Pixels, uint8 (3 * P,), on the device of the labels, and how many have no colour.

    labels: CuPy uint8 or uint16 (P,), contiguous. colours: as in `colour_labels`, NumPy.
    """
    with labels.device:
        pixels = cupy.empty(3 * labels.size, np.uint8)
        return pixels, colour_labels(labels, device_colours(colours), pixels)


def narrow_array(
    labels: Any, allowed: NDArray[np.uint8], dtype: type[np.uint8] | type[np.uint16]
) -> tuple[Any, int]:
    """Labels as `dtype`, on the device where they are, and how many of them are not allowed.

    labels: CuPy (P,), any integers, contiguous. allowed: uint8 (K,), NumPy, 1 for each label
    that may occur; those outside of 0 to K - 1 may not.
    """
    with labels.device:
        narrow = cupy.empty(labels.size, dtype)
        strange = cupy.zeros(1, np.uint64)
        if labels.size:
            narrow_kernel(labels, cupy.asarray(allowed), narrow, strange, size=labels.size)
        return narrow, int(strange.get()[0])
