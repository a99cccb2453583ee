"""Rows of a report that somebody else wrote: whatever they hold, they are read or passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg import report_reading as rows
from gpuseg.errors import UsageError
from gpuseg.report_reading import file_row, read_rows
from gpuseg.results import FileResult, UnknownColour

TEXTS = st.sampled_from(["", "<b>", "a\n", "\ud800", "failed", "converted", "#0a0B0c", "#xyzxyz"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = (*FileResult.__slots__, "type", "hex", "x", "y")
ROWS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


def test_a_row_of_ours_is_read_as_it_was_written() -> None:
    result = FileResult(
        source="a/b.png",
        target="a/b.png",
        status="converted",
        width=7,
        height=5,
        unknown_pixels=3,
        unknown_colours=(UnknownColour((1, 2, 255), 3, 4, 2),),
        warnings=("odd",),
        seconds={"read": 0.25},
    )
    found = file_row(json.loads(json.dumps(result.row())))
    assert found is not None
    for name in rows.FileRow.__slots__:
        assert getattr(found, name) == getattr(result, name), name


@given(ROWS, st.lists(ROWS, max_size=3))
def test_any_row_is_taken_or_refused(row: dict[str, Any], colours: list[Any]) -> None:
    found = file_row({"source": "a", "status": "failed", **row, "unknown_colours": colours})
    if found is None:
        named = isinstance(row.get("source", "a"), str) and row.get("source", "a") != ""
        assert not named or row["status"] not in ("failed", "converted")
        return
    assert isinstance(found.source, str)
    assert found.width >= 0
    assert all(0 <= s < 1e15 for s in found.seconds.values())
    for colour in found.unknown_colours:
        assert all(0 <= channel <= 255 for channel in colour.rgb)
        assert min(colour.pixels, colour.x, colour.y) >= 0


def test_numbers_that_are_none_count_as_nothing() -> None:
    row = {"a": True, "b": -1, "c": 1 << 70, "d": 2.5, "e": float("nan"), "f": float("inf")}
    assert [rows.whole(row, name) for name in "abcdef"] == [0] * 6
    assert [rows.number(row, name) for name in "abcdef"] == [0, 0, 0, 2.5, 0, 0]
    assert rows.numbers({"t": {"x": 1, "y": "2"}}, "t") == {"x": 1.0, "y": 0.0}


def test_lists_and_texts_are_cut(tmp_path: Path) -> None:
    row = {"t": "x" * 10**6, "w": ["y"] * 10**4}
    assert len(rows.text(row, "t")) == rows.MAX_TEXT
    assert len(rows.texts(row, "w")) == rows.MAX_LISTED


def test_lines_that_are_no_rows_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_LINE", 64)
    path = tmp_path / "r.jsonl"
    deep = b"[" * 60
    lines = [
        b'{"type": "run"}',
        b"nonsense",
        b"[1]",
        deep,
        b'{"a": "' + b"x" * 500 + b'"}',
        b"\xff",
    ]
    path.write_bytes(b"\n".join([*lines, b'{"type": "summary"}']))
    found = list(read_rows(path))
    assert found == [{"type": "run"}, None, None, None, None, None, {"type": "summary"}]


def test_thousands_of_brackets_are_no_row(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"[" * 200_000 + b"\n" + b'{"a": ' * 200_000 + b"\n{}\n")
    assert list(read_rows(path)) == [None, None, {}]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.jsonl", Path("a\0b")):
        with pytest.raises(UsageError, match="cannot be read"):
            list(read_rows(path))
