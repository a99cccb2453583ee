"""Marks: of a fixed length, found again wherever they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.archives.mark import EMPTY, LENGTH, Mark

COUNTS = st.integers(0, 10**20 - 1)


@given(
    st.builds(Mark, st.binary(min_size=16, max_size=16), COUNTS, COUNTS, COUNTS, COUNTS),
    st.binary(max_size=9),
)
def test_there_and_back(mark: Mark, around: bytes) -> None:
    data = mark.encode()
    assert len(data) == LENGTH == len(EMPTY.encode())
    assert Mark.find(around + data + around) == mark
    assert Mark.find(around + data[:-1]) is None


def test_what_is_no_mark() -> None:
    for mark in (Mark(b"short"), Mark(bytes(16), files=-1), Mark(bytes(16), failed=10**20)):
        with pytest.raises(ValueError, match="16 bytes"):
            mark.encode()
