"""Annotation files of one image: their text and the names of their targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.annotations.documents import content_of, json_of, stem_target
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, UnreadableMaskError


def held(data: bytes) -> Source:
    return Source("a.json", "a.json", content=data)


def test_a_file_and_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"\xc3\xa9": [1]}')
    assert json_of(Source(str(path), "a.json")) == {"\u00e9": [1]}
    assert content_of(held(b"x")) == b"x"
    with pytest.raises(UnreadableMaskError, match="No such file"):
        json_of(Source(str(tmp_path / "b.json"), "b.json"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no JSON: Expecting value"),
        (b"{", "is no JSON"),
        (b'{"a": 1}}', "Extra data"),
        ('{"a": 1}'.encode("utf-16"), "no text in UTF-8: .* at byte 0; save it as UTF-8"),
        (b'{"a": "\xff"}', "at byte 7"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "is no JSON"),
        (b'{"a": "\n"}', "Invalid control character"),
    ],
)
def test_what_is_no_json(data: bytes, told: str) -> None:
    with pytest.raises(AnnotationError, match=told):
        json_of(held(data))


def test_the_last_of_equal_keys_counts() -> None:
    assert json_of(held(b'{"a": 1, "a": 2}')) == {"a": 2}


@pytest.mark.parametrize(
    ("relative", "target"),
    [
        ("b.json", "b.png"),
        ("a/b.jpg.json", "a/b.png"),
        ("a/b.PNG.json", "a/b.png"),
        ("a/b.v2.json", "a/b.v2.png"),
        ("a.jpg/b.json", "a.jpg/b.png"),
        ("b", "b.png"),
    ],
)
def test_targets(relative: str, target: str) -> None:
    assert stem_target(relative) == target
