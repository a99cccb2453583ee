"""Which files are taken, in which order of things gone wrong."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from gpuseg.discover import Listed, Walk, count_sources, in_shard
from gpuseg.errors import CollisionError, UnreadableMaskError, UsageError
from gpuseg.finding import find
from gpuseg.options import Shard
from gpuseg.taking import MAX_KINDS


def tree(root: Path, *names: str) -> str:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def found(walk: Walk) -> dict[str, str]:
    return {s.relative: s.target for s in walk}


def test_takes_image_suffixes_and_counts_the_rest(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png", "b/c.JPG", "b/d/e.tiff", "n.txt", "LICENSE", "b/x.json")
    walk = Walk(src)
    assert found(walk) == {"a.png": "a.png", "b/c.JPG": "b/c.png", "b/d/e.tiff": "b/d/e.png"}
    assert walk.left_alone == {".txt": 1, "": 1, ".json": 1}


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png", "._a.png", ".ipynb_checkpoints/a-checkpoint.png")
    walk = Walk(src)
    assert list(found(walk)) == ["a.png"]
    assert walk.left_alone == {"hidden": 1, "hidden folder": 1}


def test_pattern_takes_what_it_names(tmp_path: Path) -> None:
    src = tree(tmp_path, "a_mask.png", "a.png", "b_mask.dat", ".c_mask.png")
    assert set(found(Walk(src, "*_mask.*"))) == {"a_mask.png", "b_mask.dat", ".c_mask.png"}


def test_sources_carry_size_and_time(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png")
    os.utime(tmp_path / "a.png", ns=(5, 1_234_567_891))
    [source] = Walk(src)
    assert (source.size, source.mtime_ns, source.error) == (1, 1_234_567_891, None)


def test_names_that_collide_in_the_target_all_carry_an_error(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png", "a.jpg", "a.bmp", "b.png", "c/a.png")
    (tmp_path / "b.jpg").mkdir()  # a folder takes no target
    sources = {s.relative: s for s in Walk(src)}
    wrong = {name for name, s in sources.items() if isinstance(s.error, CollisionError)}
    assert wrong == {"a.png", "a.jpg", "a.bmp"}
    assert len(sources) == 5


def test_listed_files_collide_across_folders(tmp_path: Path) -> None:
    tree(tmp_path, "x/a.png", "y/a.png", "y/b.png")
    listed = Listed([str(tmp_path / n) for n in ("x/a.png", "y/a.png", "y/b.png", "y/none.png")])
    errors = [type(s.error) for s in listed]
    assert errors == [CollisionError, CollisionError, type(None), UnreadableMaskError]


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_links_that_go_round_get_one_row(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png", "b/c.png")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "x.png").symlink_to("y.png")
    (tmp_path / "y.png").symlink_to("x.png")
    rows = {s.relative: s.error for s in Walk(src)}
    assert {name for name, error in rows.items() if error is None} == {"a.png", "b/c.png"}
    assert "leads back" in str(rows["b/up"])
    assert set(rows) == {"a.png", "b/c.png", "b/up", "x.png", "y.png"}


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_linked_folders_are_entered(tmp_path: Path) -> None:
    tree(tmp_path, "data/m/a.png")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "m").symlink_to(tmp_path / "data" / "m")
    assert list(found(Walk(str(tmp_path / "src")))) == ["m/a.png"]


def test_skipped_folder_is_not_entered(tmp_path: Path) -> None:
    src = tree(tmp_path, "a.png", "out/b.png", "deep/out/c.png")
    walk = Walk(src, skip=os.path.realpath(tmp_path / "out"))
    assert set(found(walk)) == {"a.png", "deep/out/c.png"}


def test_a_folder_that_is_gone_is_a_row(tmp_path: Path) -> None:
    [source] = Walk(str(tmp_path / "none"))
    assert "cannot be read" in str(source.error)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shards_share_the_files_out(tmp_path: Path, count: int) -> None:
    src = tree(tmp_path, *(f"{i % 3}/{i}.png" for i in range(60)))
    parts = [
        {s.relative for s in Walk(src) if in_shard(s, Shard(number, count))}
        for number in range(1, count + 1)
    ]
    assert sum(map(len, parts)) == 60
    assert len(set().union(*parts)) == 60
    assert count_sources(Walk(src), Shard(1, count)) == len(parts[0])


def test_memory_does_not_hold_the_names_of_a_folder(tmp_path: Path) -> None:
    for i in range(4000):
        (tmp_path / f"a-rather-long-name-of-a-mask-{i:08d}.png").touch()
    walk = iter(Walk(str(tmp_path)))
    next(walk)
    tracemalloc.start()
    count = 1 + sum(1 for _ in walk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4000
    assert peak < 100_000  # the names alone would be 4000 x 90 bytes


def test_names_that_differ_in_case_collide_where_the_target_folds_it(tmp_path: Path) -> None:
    paths = [f"{folder}/{name}" for folder, name in (("x", "a.png"), ("y", "A.jpg"))]
    listed = Listed([str(tmp_path / path) for path in paths])
    tree(tmp_path, *paths, "z/b.png", "z/B.bmp")
    assert [s.error for s in listed] == [None, None]
    listed.folds_case = True
    assert all(isinstance(s.error, CollisionError) for s in listed)
    if len(list((tmp_path / "z").iterdir())) == 2:  # SRC itself keeps case
        walk = Walk(str(tmp_path / "z"))
        assert all(s.error is None for s in walk)
        walk.folds_case = True
        assert all(isinstance(s.error, CollisionError) for s in walk)


def test_many_kinds_of_other_files_are_counted_together(tmp_path: Path) -> None:
    walk = Walk(tree(tmp_path, *(f"x.s{i}" for i in range(MAX_KINDS + 30))))
    assert list(walk) == []
    assert len(walk.left_alone) == MAX_KINDS + 1
    assert walk.left_alone["others"] == 30


def test_a_path_is_a_folder_or_a_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "sub/b.png", "n.txt")
    assert {s.relative for s in find(str(tmp_path), None)} == {"a.png", "sub/b.png"}
    assert {s.relative for s in find(str(tmp_path), "b*")} == {"sub/b.png"}
    assert [s.relative for s in find(str(tmp_path / "n.txt"), None)] == ["n.txt"]
    with pytest.raises(UsageError, match="does not exist"):
        find(str(tmp_path / "c"), None)
    with pytest.raises(UsageError, match="a pattern chooses files of a folder"):
        find(str(tmp_path / "a.png"), "*")


def test_the_folder_that_names_are_relative_to(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "sub/b.png", "sub/c.png")
    assert find(str(tmp_path), None).folder == str(tmp_path)
    assert find(str(tmp_path / "a.png"), None).folder == str(tmp_path)
    together = [str(tmp_path / "sub" / name) for name in ("b.png", "c.png")]
    assert Listed(together).folder == str(tmp_path / "sub")
    assert Listed([*together, str(tmp_path / "a.png")]).folder is None


def test_names_that_end_otherwise_are_left_alone(tmp_path: Path) -> None:
    """And collide with nothing: a folder may hold several files of one scene."""
    for name in ("a_ids.png", "a_color.png", "a_color.jpg", "ids.png", "b_ids.png", "b_ids.tif"):
        (tmp_path / name).touch()
    walk = Walk(str(tmp_path), ending="_ids")
    told = {source.relative: type(source.error).__name__ for source in walk}
    assert told == {
        "a_ids.png": "NoneType",
        **dict.fromkeys(("b_ids.png", "b_ids.tif"), "CollisionError"),
    }
    assert walk.left_alone == {".png": 2, ".jpg": 1}
