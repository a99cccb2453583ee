"""Names with braces: what they stand for, and which are refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.archives.braces import Braces, check_pair, has_braces
from gpuseg.errors import UsageError

NUMBERS = st.tuples(st.integers(0, 1200), st.integers(0, 5), st.integers(1, 6)).map(
    lambda n: f"{{{n[0]:0{n[2]}d}..{n[0] + n[1]:0{n[2]}d}}}"
)
WORDS = st.lists(st.text("abc", max_size=3), min_size=2, max_size=3, unique=True).map(
    lambda words: "{" + ",".join(words) + "}"
)
TEXTS = st.lists(NUMBERS | WORDS | st.text("xyz./-", max_size=4), max_size=4).map("".join)


@settings(max_examples=20)
@given(st.lists(TEXTS, min_size=20, max_size=40))
def test_names_are_those_of_bash(texts: list[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    script = "".join(f'for name in x{text}; do echo "$name"; done; echo\n' for text in texts)
    done = subprocess.run([bash, "-c", f"set -f\n{script}"], capture_output=True, check=True)
    expected = done.stdout.decode().split("\n\n")
    for text, names in zip(texts, expected[:-1], strict=True):
        wanted = names.split("\n")
        if len(set(map(os.path.normpath, wanted))) < len(wanted):
            with pytest.raises(UsageError, match="twice"):
                Braces(f"x{text}")
        else:
            braces = Braces(f"x{text}")
            assert list(braces) == wanted
            assert braces.count == len(wanted)


def test_a_webdataset() -> None:
    braces = Braces("s3://bucket/{train,val}-{000000..000099}.tar")
    assert braces.count == 200
    names = list(braces)
    assert names[0] == "s3://bucket/train-000000.tar"
    assert names[-1] == "s3://bucket/val-000099.tar"


def test_names_are_made_as_they_are_asked_for() -> None:
    assert list(islice(Braces("a-{000000..999999}.tar"), 2)) == ["a-000000.tar", "a-000001.tar"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a{{0..1},b}", "do not fit together"),
        ("a{0..1}}", "do not fit together"),
        ("a{3..1}", "backwards"),
        ("a{a..c}", "no range"),
        ("a{x,x}", "twice"),
        ("{./x,x}.tar", "names x.tar twice"),
        ("{1,11}{1,11}", "names 111 twice"),
        ("{0..99999999999999999999}", "at most"),
    ],
)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Braces(text)


def test_a_name_that_exists_is_itself(tmp_path: Path) -> None:
    assert has_braces(f"{tmp_path}/a{{0..1}}.tar")
    (tmp_path / "a{0..1}.tar").touch()
    assert not has_braces(f"{tmp_path}/a{{0..1}}.tar")
    assert not has_braces(f"{tmp_path}/a{{b}}.tar")


def test_pairs() -> None:
    check_pair(Braces("in/{00..09}.tar"), Braces("out/{a,b}{0..4}.zip"))
    with pytest.raises(UsageError, match="SRC names 10 archives"):
        check_pair(Braces("in/{00..09}.tar"), Braces("out/{0..4}.zip"))
    with pytest.raises(UsageError, match="is both SRC and DST"):
        check_pair(Braces("{a,b}.tar"), Braces("{b,c}.tar"))


def test_pairs_are_known_by_whatever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "same").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "c.tar").touch()
    (tmp_path / "in" / "link.tar").symlink_to("c.tar")
    for sources, targets in (
        ("in/{a,b}.tar", "./in/{b,c}.tar"),
        ("in/{a,b}.tar", f"{tmp_path}/in/{{b,c}}.tar"),
        ("in/{a,b}.tar", "same/{b,c}.tar"),
        ("in/{a,link}.tar", "in/{c,d}.tar"),
    ):
        with pytest.raises(UsageError, match="is both SRC and DST"):
            check_pair(Braces(sources), Braces(targets))
