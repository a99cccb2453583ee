"""Any masks and palettes: every backend gives, bit for bit, what the reference gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import cpu
from gpuseg.kernels.lut import build_lookup
from gpuseg.options import IndexOptions, Order
from gpuseg.palette import Palette
from tests.judge import check_agrees
from tests.kernels.batches import IndexBatch, MaskBatch
from tests.strategies import jobs, masks


@settings(max_examples=40, deadline=None)
@given(data=st.data(), job=jobs(), order=st.sampled_from(["rgb", "bgr"]))
def test_backends_agree_with_the_reference(
    index_batch: IndexBatch, data: st.DataObject, job: tuple[Palette, IndexOptions], order: Order
) -> None:
    palette, options = job
    images = data.draw(masks(palette))
    lookup = build_lookup(palette, options, order)
    stored = [image if order == "rgb" else image[..., ::-1] for image in images]
    result = index_batch(MaskBatch.from_masks(stored), lookup)
    assert result.labels.dtype == lookup.label_dtype
    check_agrees(result, images, palette, options)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), job=jobs())
def test_words_give_what_pixels_give(
    data: st.DataObject, job: tuple[Palette, IndexOptions]
) -> None:
    """4 bytes a pixel, the fourth without meaning."""
    palette, options = job
    lookup = build_lookup(palette, options)
    for image in data.draw(masks(palette)):
        batch = MaskBatch.from_masks([image])
        want = np.empty(batch.pixels.size // 3, lookup.label_dtype)
        unknown = np.empty(1, np.int64)
        cpu.index_pixels(batch.pixels, batch.offsets, lookup.table, want, unknown)
        padded = np.full((want.size, 4), 0xA5, np.uint8)
        padded[:, :3] = batch.pixels.reshape(-1, 3)
        words = padded.reshape(-1).view(np.uint32)
        labels = np.empty_like(want)
        assert cpu.index_words(words, lookup.table, labels) == unknown[0]
        assert np.array_equal(labels, want)
