from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.names import MAX_PART, kind_of, why_unsafe, without_suffix


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
        ("a\ud800.png", "half a character"),
        ("\udfffb.png", "half a character"),
        ("a" * (MAX_PART + 1), "too long"),
        ("é" * 128, "too long"),
        ("a/" * 2100 + "a", "too long"),
    ],
)
def test_a_hostile_name_is_unsafe(name: str, reason: str) -> None:
    assert reason in why_unsafe(name)


@pytest.mark.parametrize(
    "name", ["a.png", "a/b.png", "..a/b..png", "ä ö.png", "ab:c.png", "a\udcff.png"]
)
def test_a_plain_name_is_safe(name: str) -> None:
    assert why_unsafe(name) == ""


PARTS = ["a", "..", ".", "", "/", "\\", "C:", "b.png"]


@given(st.lists(st.sampled_from(PARTS), min_size=1).map("/".join))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    if not why_unsafe(name):
        joined = os.path.normpath(os.path.join("/root/dst", name))
        assert joined.startswith("/root/dst/")


@pytest.mark.parametrize(
    ("name", "kind", "stem"),
    [
        ("a/b.tar", "tar", "a/b"),
        ("B.TAR.GZ", "tar.gz", "B"),
        ("s3://x/train-0001.tgz", "tar.gz", "s3://x/train-0001"),
        ("x.y.zip", "zip", "x.y"),
        ("0000.parquet", "parquet", "0000"),
        ("a.gz", None, "a.gz"),
        ("tar", None, "tar"),
        ("a.tar/b.png", None, "a.tar/b.png"),
    ],
)
def test_kinds(name: str, kind: str | None, stem: str) -> None:
    assert kind_of(name) == kind
    assert without_suffix(name) == stem
