"""Which annotation files of a folder are taken, and where their label maps go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.labelme import LabelMe
from gpuseg.discover import Source
from gpuseg.errors import CollisionError, UnreadableMaskError
from gpuseg.finding import find
from gpuseg.rasterizing.documents import Documents


class Chosen(LabelMe):
    """Takes names that begin with a."""

    def takes(self, relative: str) -> bool:
        return relative.rpartition("/")[2].startswith("a")


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return root


def found(documents: Documents) -> dict[str, Source]:
    return {source.relative: source for source in documents}


def documents(root: Path, **fields: bool) -> Documents:
    return Documents(find(str(root), "*.json"), LabelMe(), ReadingChoices(), **fields)


def test_targets(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "sub/b.jpg.json", "c.txt")
    given = documents(tmp_path)
    sources = found(given)
    assert {s.relative: s.target for s in sources.values()} == {
        "a.json": "a.png",
        "sub/b.jpg.json": "sub/b.png",
    }
    assert given.left_alone == {".txt": 1}
    assert found(given) == sources  # and again
    assert (given.folder, list(given.roots)) == (str(tmp_path), [str(tmp_path)])


def test_files_of_one_target(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg.json", "a.png.json", "a.json", "b.json", "sub/a.json")
    errors = {name: source.error for name, source in found(documents(tmp_path)).items()}
    for name in ("a.jpg.json", "a.png.json", "a.json"):
        assert isinstance(errors[name], CollisionError)
        assert "several files would become a.png" in str(errors[name])
    assert errors["b.json"] is errors["sub/a.json"] is None


def test_files_of_one_target_where_case_is_no_difference(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "A.jpg.json")
    assert not any(source.error for source in documents(tmp_path))
    assert all(source.error for source in documents(tmp_path, folds_case=True))


def test_hidden_files_are_left_alone_unless_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "._a.json", "b.json", ".ipynb_checkpoints/c.json")
    given = documents(tmp_path)
    assert list(found(given)) == ["b.json"]
    assert given.left_alone == {"hidden": 2}
    assert len(found(documents(tmp_path, hidden=True))) == 3


def test_what_the_format_does_not_take_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "b.json", "sub/a.json", "sub/b.txt")
    given = Documents(find(str(tmp_path), "*.json"), Chosen(), ReadingChoices())
    assert sorted(found(given)) == ["a.json", "sub/a.json"]
    assert given.left_alone == {".json": 1, ".txt": 1}


def test_a_folder_that_cannot_be_read_is_told_of_whatever_its_name(tmp_path: Path) -> None:
    fill(tmp_path, "a/x.json", "loop.json")
    os.symlink(tmp_path, tmp_path / "loop")
    sources = found(Documents(find(str(tmp_path), "*.json"), Chosen(), ReadingChoices()))
    assert isinstance(sources["loop"].error, UnreadableMaskError)
    assert "loop.json" not in sources
    plain = found(documents(tmp_path))  # both would be loop.png, but a folder has no label map
    assert plain["loop.json"].error is None


@pytest.mark.parametrize("name", ["a.json", "a.jpg.json"])
def test_one_file(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name)
    (source,) = Documents(
        find(str(tmp_path / name), None), LabelMe(), ReadingChoices(), hidden=True
    )
    assert (source.relative, source.target, source.error) == (name, "a.png", None)
