"""Which label maps a gallery shows: rare classes first, the same whatever the order."""

from __future__ import annotations

import random
import tracemalloc

from gpuseg.pages.survey import Survey
from gpuseg.results import FileResult
from tests.pages.making import counted

USUAL = [counted(f"usual{i}.png", {0: 80, 1: 20}) for i in range(60)]


def chosen(gallery: int, results: list[FileResult], ignore_index: int = 255) -> list[str]:
    survey = Survey(gallery)
    for result in results:
        survey.add(result)
    return survey.chosen(ignore_index)


def test_the_file_with_most_of_a_rare_class_is_shown() -> None:
    rare = [counted("little.png", {0: 98, 7: 2}), counted("much.png", {0: 60, 7: 40})]
    found = chosen(6, [*USUAL[:30], *rare, *USUAL[30:]])
    assert len(found) == 6
    assert "much.png" in found
    assert sorted(found) == found


def test_rare_classes_leave_room_for_what_is_usual() -> None:
    rare = [counted(f"rare{i}.png", {0: 90, i: 10}) for i in range(10, 40)]
    found = chosen(9, [*USUAL, *rare])
    assert len(found) == 9
    assert 6 <= sum(name.startswith("rare") for name in found) < 9


def test_a_class_that_is_shown_already_needs_no_file() -> None:
    both = counted("both.png", {5: 50, 6: 50})
    found = chosen(2, [both, counted("six.png", {0: 90, 6: 10}), *USUAL])
    assert found[0] == "both.png"
    assert found[1].startswith("usual")


def test_the_ignore_index_is_no_class_to_look_for() -> None:
    ignored = counted("ignored.png", {255: 100})
    names = [chosen(2, [ignored, *USUAL[:k]], 255) for k in range(2, 60)]
    assert any("ignored.png" not in each for each in names)
    assert "ignored.png" in chosen(2, [ignored, *USUAL], ignore_index=9)


def test_the_choice_does_not_depend_on_the_order() -> None:
    results = [counted(f"{i}.png", {i % 5: 50 + i, 5 + i % 3: 7}) for i in range(200)]
    want = chosen(8, results)
    for seed in range(5):
        random.Random(seed).shuffle(results)
        assert chosen(8, results) == want


def test_few_files_are_all_shown_and_none_if_none_is_asked_for() -> None:
    assert chosen(12, USUAL[:3]) == ["usual0.png", "usual1.png", "usual2.png"]
    assert chosen(0, USUAL) == []
    assert chosen(5, []) == []


def test_files_that_failed_are_not_shown() -> None:
    failure = FileResult.failure("bad.png", ValueError("x"))
    assert chosen(5, [failure, USUAL[0]]) == ["usual0.png"]


def test_names_that_are_no_utf_8_can_be_chosen() -> None:
    assert chosen(5, [counted("bad\udcff.png", {0: 1})]) == ["bad\udcff.png"]


def test_files_of_many_indices_take_little_memory() -> None:
    """Instances at 16 bits: nearly every file is the best one of some index."""
    survey = Survey(12)
    tracemalloc.start()
    try:
        for i in range(500):
            survey.add(counted(f"{i}.png", {**dict.fromkeys(range(300, 800), 1), 1000 + i: 9}))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000
