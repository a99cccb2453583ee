"""How the members of archives are told from each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.archives import naming
from gpuseg.archives.naming import Names, Seen, normal


@given(st.lists(st.text(max_size=3), max_size=300))
def test_seen(names: list[str]) -> None:
    seen = Seen()
    known: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "_RECENT", 7)
        for name in names:
            assert seen.add(name) == (name not in known)
            known.add(name)


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "b", "b#2"])))
def test_every_row_has_a_name_of_its_own(names: list[str]) -> None:
    rows = list(map(Names().row, names))
    assert len(set(rows)) == len(rows)
    assert all(
        row == name or row.startswith(f"{name}#") for row, name in zip(rows, names, strict=True)
    )


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("./a.png", "a.png"),
        ("././a/b.png", "a/b.png"),
        (".//a", ".//a"),
        ("./", "./"),
        (".", "."),
        ("./../a", "../a"),
        (".a/./b", ".a/./b"),
    ],
)
def test_the_folder_that_tar_begins_with(raw: str, name: str) -> None:
    assert normal(raw) == name
