"""Names of rows: paths where they are safe and new, else numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.archives.parquet.naming import RowNames, row_name
from gpuseg.names import why_unsafe
from gpuseg.taking import takes, target_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.png", "a.png"),
        ("./a.tif", "a.tif"),
        ("mask_1", "mask_1.png"),
        ("mask.0001", "mask.0001.png"),
        ("ä/ö.PNG", "ä/ö.PNG"),
        (None, row_name(7)),
        ("", row_name(7)),
        (".", row_name(7)),
        (".png", row_name(7)),
        (".hidden/a.png", row_name(7)),
        ("../a.png", row_name(7)),
        ("/home/me/a.png", row_name(7)),
        ("C:\\a.png", row_name(7)),
        ("a/", row_name(7)),
        ("a\n.png", row_name(7)),
        ("row-000000003.png", row_name(7)),
        ("Row-000000003", row_name(7)),
        ("hf://datasets/x/a.png", row_name(7)),
        ("x" * 300, row_name(7)),
    ],
)
def test_a_path_names_its_row_where_it_is_safe(path: str | None, name: str) -> None:
    assert RowNames().name(7, path) == name


def test_a_path_names_one_row_only() -> None:
    names = RowNames()
    found = [names.name(row, path) for row, path in enumerate(["m.png", "m.png", "M.jpg", "m"])]
    assert found == ["m.png", row_name(1), row_name(2), row_name(3)]


@given(st.lists(st.none() | st.text("aA./\\:\0~é\ud800r-o0w", max_size=12), max_size=20))
def test_names_of_rows_are_safe_and_have_targets_of_their_own(paths: list[str | None]) -> None:
    names = RowNames()
    found = [names.name(row, path) for row, path in enumerate(paths)]
    assert not any(why_unsafe(name) for name in found)
    assert all(takes(name.rsplit("/", 1)[-1], None) for name in found)
    assert len({target_name(name).casefold() for name in found}) == len(paths)
