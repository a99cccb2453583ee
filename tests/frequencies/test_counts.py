"""Sums over label maps: the same in any order, and in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.frequencies import counts
from gpuseg.frequencies.counts import LabelCounts, Tally
from gpuseg.results import FileResult


def result(labels: np.ndarray, plte: bytes = b"", bits: int = 8, name: str = "PNG") -> FileResult:
    """What the task makes of a label map, by NumPy."""
    indices, pixels = np.unique(labels, return_counts=True)
    colours = b"".join(plte[3 * i : 3 * i + 3] for i in indices.tolist())
    held = LabelCounts(bits, tuple(indices.tolist()), tuple(pixels.tolist()), colours)
    height, width = labels.shape
    return FileResult(
        source="a.png", status="read", width=width, height=height, format=name, details=held
    )


def everything(tally: Tally) -> list[object]:
    few = sorted(index for index in tally.pixels if index < counts.TOGETHER)
    return [
        dict(tally.pixels),
        dict(tally.area),
        dict(tally.images_of()),
        {index: dict(found) for index, found in tally.colours().items()},
        tally.together(few).tolist(),
        dict(tally.sizes),
        dict(tally.formats),
    ]


def maps() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        rng.choice([0, 3, 7, 255, 700], (int(rng.integers(1, 4)), 3)).astype(np.uint16)
        for _ in range(40)
    ]


@pytest.mark.parametrize("held", [1 << 16, 1])
def test_sums_are_those_of_numpy_in_any_order(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """However often the kinds of images are settled."""
    monkeypatch.setattr(counts, "_MOST_HELD", held)
    forth, back = Tally(255), Tally(255)
    for labels in maps():
        forth.add(result(labels))
    for labels in reversed(maps()):
        back.add(result(labels))
    assert everything(forth) == everything(back)
    assert forth.images == 40
    for index in (0, 3, 7, 255, 700):
        assert forth.pixels[index] == sum(int((labels == index).sum()) for labels in maps())
        with_it = [labels for labels in maps() if (labels == index).any()]
        assert forth.images_of()[index] == len(with_it)
        assert forth.area[index] == sum(int((labels != 255).sum()) for labels in with_it)
    few = [0, 3, 7, 255, 700]
    want = [[sum({a, b} <= set(m.ravel().tolist()) for m in maps()) for b in few] for a in few]
    assert forth.together(few).tolist() == want


def test_indices_that_never_occur_are_with_none() -> None:
    tally = Tally(255)
    assert tally.together([0, 9]).tolist() == [[0, 0], [0, 0]]
    assert tally.together([]).shape == (0, 0)


def test_indices_above_the_limit_are_counted_but_not_together() -> None:
    tally = Tally(255)
    tally.add(result(np.array([[5, 2000, 65535]])))
    assert dict(tally.images_of()) == {5: 1, 2000: 1, 65535: 1}
    assert tally.together([5]).tolist() == [[1]]


def test_sizes_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_SIZES", 2)
    tally = Tally(255)
    for width in (1, 2, 3, 1, 3):
        tally.add(result(np.zeros((1, width), int)))
    assert dict(tally.sizes) == {(1, 1): 2, (2, 1): 1}
    assert tally.other_sizes == 2


def test_colours_of_an_index_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_COLOURS", 2)
    tally = Tally(255)
    for shade in (1, 2, 3, 1):
        tally.add(result(np.zeros((1, 1), int), bytes([shade] * 3)))
    assert dict(tally.colours()[0]) == {b"\1\1\1": 2, b"\2\2\2": 1}


def test_a_palette_that_ends_early_gives_the_rest_no_colour() -> None:
    tally = Tally(255)
    tally.add(result(np.array([[0, 1, 2]]), bytes(range(6))))
    assert {index: dict(found) for index, found in tally.colours().items()} == {
        0: {b"\0\1\2": 1},
        1: {b"\3\4\5": 1},
    }


def test_what_failed_is_not_counted() -> None:
    tally = Tally(255)
    tally.add(FileResult(source="a.png", status="failed", width=3, height=3))
    assert (tally.images, dict(tally.pixels), dict(tally.sizes)) == (0, {}, {})


def test_the_row_of_a_file() -> None:
    assert LabelCounts(8, (0, 255), (10, 2), b"").row() == {
        "bits": 8,
        "indices": {0: 10, 255: 2},
    }
