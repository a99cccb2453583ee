"""Names: a sequence of strings that holds none."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.torch
pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch.names import Names  # noqa: E402

PATHS = st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))


@given(PATHS, st.slices(7))
def test_it_is_the_list_that_was_given(paths: list[str], part: slice) -> None:
    names = Names(iter(paths))
    assert len(names) == len(paths)
    assert list(names) == paths
    assert [names[-i - 1] for i in range(len(paths))] == paths[::-1]
    assert names[part] == paths[part]
    assert list(pickle.loads(pickle.dumps(names))) == paths


def test_names_that_are_no_unicode() -> None:
    assert list(Names(["a\udc80b", ""])) == ["a\udc80b", ""]


def test_beyond_the_end() -> None:
    for wrong in (2, -3):
        with pytest.raises(IndexError):
            Names(["a", "b"])[wrong]


def test_it_holds_bytes_and_not_strings() -> None:
    names = Names(f"folder/{i:07}.png" for i in range(1000))
    assert len(pickle.dumps(names)) < 1000 * (18 + 8) + 500
    held = [getattr(names, slot) for slot in Names.__slots__]
    assert sorted(type(part).__name__ for part in held) == ["bytes", "ndarray"]
