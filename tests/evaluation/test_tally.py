"""Sums over pairs: the same in any order, in memory that pairs do not add to."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest

from gpuseg.errors import LabelError
from gpuseg.evaluation import tally as tallies
from gpuseg.evaluation.cells import Cells
from gpuseg.evaluation.scores import MOST_CLASSES, Scores
from gpuseg.evaluation.tally import Tally
from gpuseg.results import FileResult
from tests.evaluation.making import cells, confusion, made_pairs, read


def tallied(results: list[FileResult], worst: int = 10, ignore: int = 255) -> Tally:
    tally = Tally(ignore, worst)
    for result in results:
        tally.add(result)
    return tally


def results() -> list[FileResult]:
    return [read(name, cells(*pair)) for name, pair in made_pairs(9).items()]


def test_sums_are_those_of_all_pixels_in_any_order() -> None:
    want = confusion([*made_pairs(9).values()], range(6))
    found = results()
    worst = set()
    for seed in range(5):
        random.Random(seed).shuffle(found)
        tally = tallied(found, worst=4)
        assert np.array_equal(tally.confusion([*range(6)]), want)
        assert tally.pairs == 9
        assert tally.ignored_pixels() == sum((t == 255).sum() for t, _ in made_pairs(9).values())
        worst.add(tally.worst)
    assert len(worst) == 1


def test_columns_behind_the_classes() -> None:
    tally = tallied([read("a", cells([0, 0, 0, 1, 255, 255], [0, 255, 77, 99, 88, 255]))])
    assert tally.confusion([0, 1]).tolist() == [[1, 0, 1, 1], [0, 0, 0, 1]]
    assert tally.outside() == {77: 1, 99: 1}  # 88 is where nothing counts
    assert tally.ignored_pixels() == 2
    assert Scores(tally.confusion([0, 1])).pixels == 4


def test_without_a_palette_all_that_occurs_is_a_class() -> None:
    tally = tallied([read("a", cells([3, 9, 255], [400, 255, 5], classes=None))])
    assert tally.indices() == [3, 5, 9, 400]
    assert tally.outside() == {}


def test_the_worst_first_and_ties_by_name() -> None:
    good, bad = cells([0, 1], [0, 1]), cells([0, 1], [1, 1])
    none = cells([255, 255], [1, 1])
    names = {"b": bad, "d": good, "a": bad, "c": good, "e": none}
    tally = tallied([read(name, found) for name, found in names.items()], worst=3)
    assert [(pair.name, pair.miou) for pair in tally.worst] == [("a", 0.25), ("b", 0.25), ("c", 1)]
    assert tally.uncounted == 1
    assert [p.name for p in tallied([read("b", bad), read("e", none)], worst=9).worst] == ["b"]
    assert tallied([read("b", bad)], worst=0).worst == ()


def test_results_without_cells_add_nothing() -> None:
    failed = FileResult.failure("a", LabelError("x"))
    tally = tallied([failed, FileResult(source="b", status="missing")])
    assert (tally.pairs, tally.indices(), tally.worst) == (0, [], ())


def test_more_indices_than_can_be_classes_are_told() -> None:
    many = np.arange(MOST_CLASSES + 1)
    tally = tallied([read("a", cells(many, many, ignore=65535, classes=None))], ignore=65535)
    with pytest.raises(LabelError, match=r"at most 4,096 classes.*got 4,097 .*ids of instances"):
        tally.confusion(tally.indices())


def test_more_cells_than_are_summed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever says which classes there are: what was not summed must not look like a sum."""
    monkeypatch.setattr(tallies, "_MOST_CELLS", 20)
    rng = np.random.default_rng(2)
    found = [cells(rng.integers(0, 6, 500), rng.integers(0, 6, 500)) for _ in range(3)]
    tally = tallied([read(str(i), one) for i, one in enumerate(found)])
    with pytest.raises(LabelError, match="20 cells of their confusion matrix"):
        tally.confusion([*range(6)])


def test_memory_is_that_of_classes_whatever_is_predicted() -> None:
    """Noise of 16 bits as predictions: all indices are outside, again and again."""
    tally = Tally(255, 10)
    keys = tuple(truth << 16 | 1000 + i for truth in range(50) for i in range(400))
    found = Cells(
        np.array(keys, np.uint32).tobytes(),
        np.ones(len(keys), np.int64).tobytes(),
        255,
        frozenset(range(1000, 1400)),
        0.0,
        0.0,
    )
    tally.add(read("0" * 40, found))
    tracemalloc.start()
    for number in range(1, 60):
        tally.add(read(f"{number:040}", found))
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000
    assert tally.confusion([*range(50)])[:, -1].tolist() == [60 * 400] * 50
    assert tally.outside() == dict.fromkeys(range(1000, 1400), 60 * 50)
