"""What is wrong with pairs, kept for a page."""

from __future__ import annotations

from pathlib import Path

from gpuseg.evaluation.troubles import Troubles
from gpuseg.kinds import MAX_KINDS, OTHERS, SHOWN_ROWS
from gpuseg.results import FileResult
from tests.evaluations import evaluated, six


def test_what_failed_and_what_is_alone_is_kept_by_kind(tmp_path: Path) -> None:
    found = evaluated(six(tmp_path)).troubles.failures
    told = {kind: [source for source, _ in each.rows] for kind, each in found.items()}
    assert told == {
        "broken": ["broken.png"],
        "label": ["size.png"],
        "missing": ["lonely.png"],
        "extra": ["extra.png"],
    }
    assert "not in PRED" in found["missing"].rows[0][1]


def test_memory_is_bounded() -> None:
    troubles = Troubles()
    for i in range(SHOWN_ROWS + 50):
        error = f"kind {i % 60}"
        troubles.add(FileResult(source=f"{i}.png", status="failed", error=error, message="m"))
        troubles.add(FileResult(source=f"{i}.png", status="missing", warnings=("odd",)))
    assert len(troubles.failures) == MAX_KINDS + 1
    assert OTHERS in troubles.failures
    assert sum(each.count for each in troubles.failures.values()) == 2 * (SHOWN_ROWS + 50)
    assert len(troubles.failures["missing"].rows) == SHOWN_ROWS
    assert troubles.warnings["odd"].count == SHOWN_ROWS + 50
