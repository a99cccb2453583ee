from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.names import MAX_PART, why_unsafe


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("C:/a.png", "absolute"),
        ("a\\b.png", "backslash"),
        ("../a.png", "leads out"),
        ("a/../../b.png", "leads out"),
        ("a//b.png", "empty part"),
        ("./a.png", "empty part"),
        ("a/", "empty part"),
        ("a\0.png", "control"),
        ("a\n.png", "control"),
        ("a" * (MAX_PART + 1), "too long"),
        ("é" * 128, "too long"),
        ("a/" * 2100 + "a", "too long"),
    ],
)
def test_a_hostile_name_is_unsafe(name: str, reason: str) -> None:
    assert reason in why_unsafe(name)


@pytest.mark.parametrize("name", ["a.png", "a/b.png", "..a/b..png", "ä ö.png", "ab:c.png"])
def test_a_plain_name_is_safe(name: str) -> None:
    assert why_unsafe(name) == ""


PARTS = ["a", "..", ".", "", "/", "\\", "C:", "b.png"]


@given(st.lists(st.sampled_from(PARTS), min_size=1).map("/".join))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    if not why_unsafe(name):
        joined = os.path.normpath(os.path.join("/root/dst", name))
        assert joined.startswith("/root/dst/")
