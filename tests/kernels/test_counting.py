"""Pixels of each label, against the specification."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import reference
from gpuseg.kernels.counting import count_labels
from tests.helpers import environment


@st.composite
def label_maps(draw: st.DrawFn) -> np.ndarray:
    """Runs of few or many labels, from noise to one run, at any alignment."""
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    size = draw(st.one_of(st.integers(0, 3), st.integers(0, 400)))
    start = draw(st.integers(0, 65))
    run = draw(st.sampled_from([1, 2, 63, 64, 65, 1000]))
    top = draw(st.sampled_from([1, 2, 12, np.iinfo(dtype).max + 1]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.integers(0, top, (start + size) // run + 1).astype(dtype)
    return np.repeat(values[::-1] if draw(st.booleans()) else top - 1 - values, run)[
        start : start + size
    ].astype(dtype)


@settings(max_examples=300, deadline=None)
@given(label_maps())
def test_equals_the_specification(labels: np.ndarray) -> None:
    found = count_labels(labels)
    want = reference.count_labels(labels)
    assert found.dtype == want.dtype == np.int64
    assert np.array_equal(found, want)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_of_two_dimensions(dtype: type) -> None:
    labels = (np.arange(35 * 77) // 11).astype(dtype).reshape(35, 77)
    assert np.array_equal(count_labels(labels), reference.count_labels(labels))


CHECKED = """
import numpy as np
from gpuseg.kernels.counting import count_labels
from gpuseg.kernels.jit import CHECKED

assert CHECKED
for size in (0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 193):
    noise = np.random.default_rng(size).integers(0, 256, size)
    for labels in (noise.astype(np.uint8), noise.astype(np.uint16), np.full(size, 255, np.uint8)):
        assert np.array_equal(np.flatnonzero(count_labels(labels)), np.unique(labels))
"""


def test_reads_nothing_outside() -> None:
    """With every subscript and vector checked."""
    command = [sys.executable, "-c", CHECKED]
    more = {"NUMBA_BOUNDSCHECK": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment(**more), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
