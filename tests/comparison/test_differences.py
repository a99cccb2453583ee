"""Pixels at fault are counted by kind, piece by piece as all at once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.comparison import differences
from gpuseg.comparison.differences import find_differences
from gpuseg.comparison.meanings import Standard, meaning_of
from gpuseg.mask import DecodedMask
from tests.making import PALETTE

COLOURS = np.array([*PALETTE.colours.tolist(), (1, 2, 3), (3, 2, 1), (224, 224, 192)], np.uint8)


@given(
    data=st.lists(
        st.tuples(st.integers(0, len(COLOURS) - 1), st.sampled_from([0, 1, 5, 6, 255])),
        min_size=6,
        max_size=40,
    ),
    size=st.sampled_from([1, 4, 1 << 18]),
)
def test_counts_and_first_places(data: list[tuple[int, int]], size: int) -> None:
    """Judged pixel by pixel, by the palette and by its chunk alone."""
    data = data[: len(data) // 3 * 3]
    chosen, labels = np.array(data).reshape(-1, 3, 2).transpose(2, 0, 1).astype(np.uint8)
    mask = DecodedMask(COLOURS[chosen], None, "PNG", "png")
    plte = np.frombuffer(PALETTE.plte(), np.uint8).reshape(-1, 3)
    known = {tuple(rgb): index for index, rgb in enumerate(PALETTE.colours.tolist())}
    wrong, unknown, unsure = [], [], []
    for at, (k, label) in enumerate(data):
        colour = tuple(COLOURS[k].tolist())
        if known.get(colour) != label:
            (wrong if colour in known else unknown).append(at)
        if tuple(plte[label]) != colour and colour in {(0, 0, 0), (224, 224, 192)}:
            unsure.append(at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "PIECE", size)
        found = find_differences(mask, labels, Standard.of(PALETTE).meaning(PALETTE.plte(), 8))
        alone = find_differences(mask, labels, meaning_of(PALETTE.plte()))
    assert (found.wrong, found.unknown, found.doubtful) == (len(wrong), len(unknown), 0)
    for places, first in ((wrong, found.first_wrong), (unknown, found.first_unknown)):
        assert (first is None) == (not places)
        if first is not None:
            assert 3 * first.y + first.x == places[0]
            assert first.label == data[places[0]][1]
    assert alone.doubtful == len(unsure)
    assert alone.spare == sum((k, label) == (8, 255) for k, label in data)


@pytest.mark.parametrize("shape", [(1, 1 << 19), (1 << 19, 1)])
def test_memory_does_not_grow_with_a_row(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    monkeypatch.setattr(differences, "PIECE", 1 << 10)
    mask = DecodedMask(np.zeros((*shape, 3), np.uint8), None, "PNG", "png")
    labels, meaning = np.ones(shape, np.uint8), Standard.of(PALETTE).meaning(PALETTE.plte(), 8)
    tracemalloc.start()
    found = find_differences(mask, labels, meaning)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.wrong == labels.size
    assert peak < labels.size
