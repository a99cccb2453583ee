"""Rows grouped by kind: counted all, kept the first."""

from __future__ import annotations

from gpuseg.kinds import MAX_KINDS, OTHERS, SHOWN_ROWS, Kind, bounded, of_kind


def test_all_rows_are_counted_and_the_first_are_kept() -> None:
    kind = Kind()
    for i in range(SHOWN_ROWS + 3):
        kind.keep(f"{i}.png", "m")
    assert kind.count == SHOWN_ROWS + 3
    assert kind.rows == [(f"{i}.png", "m") for i in range(SHOWN_ROWS)]


def test_too_many_kinds_are_others() -> None:
    kinds: dict[str, Kind] = {}
    for i in range(MAX_KINDS + 9):
        of_kind(kinds, f"kind {i}").keep("a.png", "m")
    assert len(kinds) == MAX_KINDS + 1
    assert kinds[OTHERS].count == 9
    assert of_kind(kinds, "kind 3") is kinds["kind 3"]
    assert bounded(kinds, "kind 3") == "kind 3"
    assert bounded(kinds, "new") == OTHERS
