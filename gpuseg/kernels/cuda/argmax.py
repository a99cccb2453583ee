"""Scores in device memory to labels, a pixel a thread: `kernels.argmax` on a device.

Threads beside each other read scores beside each other, plane by plane, each once; labels are
written as they are stored, and those that may not occur are counted on the way. CuPy's own argmax
would take 8 bytes a label, and of several NaN in one pixel any.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

ARGMAX = r"""
const ptrdiff_t plane = shape[0];
const ptrdiff_t channels = shape[1];
ptrdiff_t at = i / plane * plane * channels + i % plane;
T best = scores[at];
unsigned int label = 0;
for (unsigned int channel = 1; channel < channels; ++channel) {
  at += plane;
  const T score = scores[at];
  if (!(score <= best) && best == best) {  // the first of equal ones; NaN is the largest, and stays
    best = score;
    label = channel;
  }
}
labels[i] = (unsigned char)label;
if (!__ldg(&allowed[label])) atomicAdd(&strange[0], 1ull);
"""

# T: float16, float32, float64
argmax_kernel = cupy.ElementwiseKernel(
    "raw T scores, raw int64 shape, raw uint8 allowed",
    "raw uint8 labels, raw uint64 strange",
    ARGMAX,
    "gpuseg_argmax",
)


def argmax_array(scores: Any, allowed: NDArray[np.uint8]) -> tuple[Any, int]:
    """The channel of the largest score of each pixel, and how many of them are not allowed.

    scores: CuPy float16, float32 or float64 (N, C, H, W), contiguous, C from 1 to 256. allowed:
    uint8 (256,), NumPy, 1 for each label that may occur. Returns uint8 (N, H, W) on the device of
    the scores.
    """
    images, channels, height, width = scores.shape
    with scores.device:
        labels = cupy.empty(images * height * width, np.uint8)
        strange = cupy.zeros(1, np.uint64)
        if labels.size:
            shape = cupy.asarray(np.array([height * width, channels]))
            argmax_kernel(
                scores.reshape(-1), shape, cupy.asarray(allowed), labels, strange, size=labels.size
            )
        return labels.reshape(images, height, width), int(strange.get()[0])
