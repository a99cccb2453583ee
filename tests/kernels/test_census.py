"""The counts of colours equal the specification, however runs lie."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels import census
from gpuseg.kernels import reference_census as reference


def runs(seed: int, pixels: int, run: int, values: int, channels: int) -> NDArray[np.uint8]:
    """Runs of about `run` pixels, of few values a channel: neighbours share single bytes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 2 * run, pixels + 1)
    found = rng.integers(256 - values, 256, (pixels + 1, channels)).astype(np.uint8)
    return found.repeat(lengths, axis=0)[:pixels].reshape(-1).copy()


CASES = {
    "seed": st.integers(0, 2**32),
    "pixels": st.one_of(st.integers(0, 70), st.integers(0, 3000)),
    "run": st.sampled_from([1, 2, 21, 22, 64, 500]),
    "values": st.sampled_from([1, 2, 3, 256]),
}


@settings(max_examples=150, deadline=None)
@given(**CASES)
def test_colours_against_the_reference(seed: int, pixels: int, run: int, values: int) -> None:
    image = runs(seed, pixels, run, values, 3)
    keys, counts = census.count_colours(image)
    wanted_keys, wanted = reference.count_colours(image)
    assert (keys.dtype, counts.dtype) == (np.uint32, np.int64)
    assert np.array_equal(keys, wanted_keys)
    assert np.array_equal(counts, wanted)
    assert not census._counters.zeros[wanted_keys].any()  # ready for the next image


@pytest.mark.parametrize("pixels", [1, 21, 22, 23, 24, 43, 85, 86])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_last_pixel_that_differs_in_one_byte(pixels: int, channel: int) -> None:
    """Where the vectors end, at every channel."""
    image = np.full((pixels, 3), 7, np.uint8)
    image[-1, channel] = 8
    keys, counts = census.count_colours(image.reshape(-1))
    assert counts.tolist() == ([pixels - 1, 1] if pixels > 1 else [1])
    assert int(keys[-1]) == 0x070707 + (1 << 8 * channel)


def test_threads_count_apart() -> None:
    image = runs(1, 5000, 3, 256, 3)
    wanted = reference.count_colours(image)
    found = []

    def work() -> None:
        found.extend(census.count_colours(image) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60
    assert all(np.array_equal(a, b) for one in found for a, b in zip(one, wanted, strict=True))
