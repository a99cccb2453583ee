"""Archives as what verbs look at."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpuseg
from gpuseg.errors import UsageError
from gpuseg.inputs import Inputs
from gpuseg.options import ReadOptions
from gpuseg.reading import Members
from tests.archives.dumps import convert, lay, masks, pack
from tests.archives.packing import LIMIT
from tests.making import PALETTE


def test_members(tmp_path: Path) -> None:
    for i in range(2):
        pack(tmp_path / f"{i}.tar", {**masks(3), "x.txt": b"1"})
    (tmp_path / "2.tar").write_bytes(b"hello")
    found = Members(f"{tmp_path}/{{0..3}}.tar", None, LIMIT)
    sources = list(found)
    assert [source.relative for source in sources if source.error is None] == [
        f"{i}.tar/{name}" for i in range(2) for name in masks(3)
    ]
    assert [source.relative for source in sources if source.error] == ["2.tar", "3.tar"]
    assert sources[0].content == masks(1)["a/000.png"]
    assert found.left_alone == {".txt": 2}


def test_how_many_are_left(tmp_path: Path) -> None:
    path = pack(tmp_path / "0.tar", masks(100))
    pack(tmp_path / "1.tar", masks(100))
    for name, whole in ((path, 100), (f"{tmp_path}/{{0..1}}.tar", 200)):
        found = Members(name, None, LIMIT)
        sources = iter(found)
        for _ in range(50):
            next(sources)
        assert found.holds_more(whole - 60)
        assert not found.holds_more(whole)
        list(sources)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_verbs_find_the_same_as_in_a_folder(tmp_path: Path, kind: str) -> None:
    folder, path = lay(tmp_path / "masks", masks()), pack(tmp_path / f"in.{kind}", masks())
    assert convert(folder, tmp_path / "labels").exit_code == 0
    assert convert(path, tmp_path / f"labels.{kind}").exit_code == 0
    whole, part = str(tmp_path / "labels"), str(tmp_path / f"labels.{kind}")

    stats = [gpuseg.stats(place) for place in (whole, part)]
    assert stats[0].report.files == stats[1].report.files == {"read": 9}
    assert stats[0].weights("enet").tolist() == stats[1].weights("enet").tolist()
    checks = [gpuseg.check(place, PALETTE) for place in (whole, part)]
    assert checks[0].files == checks[1].files
    scans = [gpuseg.scan(place, palette=PALETTE) for place in (folder, path)]
    assert scans[0].report.files == scans[1].report.files == {"read": 9}
    assert len(list(Inputs.of([path, folder], ReadOptions()))) == 18


def test_hostile_members_are_failed_rows(tmp_path: Path) -> None:
    path = pack(tmp_path / "in.tar", {"../a.png": b"x", **masks(2)})
    assert gpuseg.scan(path, palette=PALETTE).report.files == {"read": 2, "failed": 1}


def test_what_is_asked_of_archives_only(tmp_path: Path) -> None:
    folder, path = lay(tmp_path / "masks", masks(2)), pack(tmp_path / "in.tar", masks(2))
    for place in (folder, path):
        with pytest.raises(UsageError, match="--column names a column of Parquet files"):
            gpuseg.scan(place, palette=PALETTE, column="x")
    for more in ({"column": "x"}, {"keep_others": True}):
        with pytest.raises(UsageError, match="are of archives"):
            gpuseg.convert_files([path], tmp_path / "out", PALETTE, **more)


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    column = [{"bytes": data, "path": name} for name, data in masks(4).items()]
    pq.write_table(pa.table({"a": column, "b": column[::-1]}), tmp_path / "x.parquet")
    for more, told in (({}, "2 columns of images"), ({"column": "c"}, "has no column")):
        with pytest.raises(UsageError, match=told):
            gpuseg.scan(tmp_path / "x.parquet", palette=PALETTE, **more)
    with pytest.raises(UsageError, match="pattern"):
        gpuseg.scan(tmp_path / "x.parquet", palette=PALETTE, column="a", pattern="*.png")
    found = gpuseg.scan(tmp_path / "x.parquet", palette=PALETTE, column="a")
    assert found.report.files == {"read": 4}
