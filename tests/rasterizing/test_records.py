"""The images of one annotation file, each by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, CollisionError, MemberError
from gpuseg.rasterizing.records import Records
from tests.rasterizing.albums import Pages, save_album


def records(path: Path, pages: dict[str, Any], **fields: Any) -> Records:
    return Records(str(save_album(path / "all.json", pages)), Pages(), ReadingChoices(), **fields)


def found(given: Records) -> dict[str, Source]:
    return {source.relative: source for source in given}


def test_images(tmp_path: Path) -> None:
    given = records(tmp_path, {"a.jpg": {"x": 1}, "sub/b.tif": {}})
    sources = found(given)
    assert [source.target for source in sources.values()] == ["a.png", "sub/b.png"]
    assert sources["a.jpg"].content == b'{"x": 1}'
    assert sources["a.jpg"].error is None
    assert found(given) == sources
    assert (given.folder, list(given.roots)) == (given.path, [given.path])


def test_the_state_of_an_image_is_that_of_its_annotations(tmp_path: Path) -> None:
    before = found(records(tmp_path, {"a.jpg": {"x": 1}, "b.jpg": {"x": 1}}))
    after = found(records(tmp_path, {"c.jpg": {}, "b.jpg": {"x": 2}, "a.jpg": {"x": 1}}))
    assert before["a.jpg"].state == after["a.jpg"].state
    assert before["b.jpg"].state != after["b.jpg"].state


@pytest.mark.parametrize("name", ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "", "a\0.jpg", "a//b"])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    sources = found(records(tmp_path, {name: {}, "b.jpg": {}}))
    assert isinstance(sources[name].error, MemberError)
    assert "has a name that cannot be a file's" in str(sources[name].error)
    assert sources["b.jpg"].error is None


def test_images_of_one_target(tmp_path: Path) -> None:
    pages = {"a.jpg": {}, "a.png": {}, "B.jpg": {}, "b.png": {}}
    errors = [source.error for source in records(tmp_path, pages)]
    assert [isinstance(error, CollisionError) for error in errors] == [True, True, False, False]
    assert all(source.error for source in records(tmp_path, pages, folds_case=True))


def test_pattern(tmp_path: Path) -> None:
    given = records(tmp_path, {"a.jpg": {}, "sub/b.jpg": {}, "sub/c.png": {}}, pattern="*.jpg")
    for _ in range(2):  # nothing is counted twice
        assert list(found(given)) == ["a.jpg", "sub/b.jpg"]
        assert given.left_alone == {".png": 1}


def test_a_record_that_cannot_be_used(tmp_path: Path) -> None:
    assert (
        str(found(records(tmp_path, {"a.jpg": "unusable"}))["a.jpg"].error)
        == "cannot be used, says this test"
    )


@pytest.mark.parametrize("looks", [False, True])
def test_a_file_that_is_broken_off_is_a_row(tmp_path: Path, looks: bool) -> None:
    given = records(tmp_path, {"a.jpg": {}, "b.jpg": {}})
    text = Path(given.path).read_text()
    Path(given.path).write_text(text[:-9])
    if looks:
        given.look()
    sources = list(given)
    assert sources[-1].relative == "all.json"
    assert isinstance(sources[-1].error, AnnotationError)
