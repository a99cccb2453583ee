"""Which SRC and DST go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.bundles.pairing import pair
from gpuseg.errors import UsageError
from gpuseg.options import Shard, WriteOptions


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "masks").mkdir()
    (tmp_path / "folder.tar").mkdir()
    for name in ("a.tar", "b.zip", "masks/x.png", "one.png", "c.tar", "c.zip", "d.tar.xz"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("src", "dst", "bundles"),
    [
        ("a.tar", "out.zip", [("a.tar", "out.zip", "", "", "out.zip")]),
        ("a.tar", "sub/out.zip", [("a.tar", "out.zip", "", "", "sub/out.zip")]),
        ("a.tar", "out", [("a.tar", "a", "", "", "out")]),
        ("a.tar", "folder.tar", [("a.tar", "a", "", "", "folder.tar")]),
        ("a.tar", "memory://x/o.tar", [("a.tar", "o.tar", "", "", "memory://x/o.tar")]),
        ("masks", "out.tar", [("out.tar", "out.tar", "", "", "out.tar")]),
        (
            "{a.tar,b.zip}",
            "out/x-{0..1}.tar",
            [
                ("a.tar", "x-0.tar", "a.tar/", "x-0.tar/", "out/x-0.tar"),
                ("b.zip", "x-1.tar", "b.zip/", "x-1.tar/", "out/x-1.tar"),
            ],
        ),
        (
            "{a.tar,b.zip}",
            "out",
            [("a.tar", "a", "a.tar/", "a/", "out"), ("b.zip", "b", "b.zip/", "b/", "out")],
        ),
        (
            "masks",
            "{0..1}.tar",
            [("0.tar", "0.tar", "", "0.tar/", "0.tar"), ("1.tar", "1.tar", "", "1.tar/", "1.tar")],
        ),
        ("masks", "out", None),
        ("folder.tar", "out", None),
        ("nothing.tar", "out", None),
        ("memory://x/nothing.tar", "out", None),
    ],
)
def test_bundles(src: str, dst: str, bundles: list[tuple[str, ...]] | None) -> None:
    found = pair(src, dst, WriteOptions())
    if bundles is None:
        assert found is None
        return
    assert found is not None
    assert [(b.relative, b.goes_to, b.rows, b.below, b.into) for b in found] == bundles


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("src", "dst", "options", "told"),
    [
        ("a.tar", "a.tar", {}, "DST must not be SRC"),
        ("a.tar", "./a.tar", {}, "DST must not be SRC"),
        ("a.tar", "x-{0..1}.tar", {}, "must stand for as many archives"),
        ("{a.tar,b.zip}", "x.tar", {}, "must stand for as many archives"),
        ("{a.tar,b.zip}", "x-{0..2}.tar", {}, "SRC names 2 archives"),
        ("{a.tar,b.zip}", "{b.zip,c.zip}", {}, "both SRC and DST"),
        ("c{.tar,.zip}", "out", {}, "several archives of"),
        ("{/x/a,/y/b}.tar", "out", {}, "it is an absolute path; begin"),
        ("{a,c}.tar", "./{c,a}.tar", {}, "both SRC and DST"),
        ("one.png", "x.tar", {}, "SRC must be a folder"),
        ("nothing.tar", "x.tar", {"keep_others": True}, "does not exist"),
        ("d.tar.xz", "x.tar", {}, "is a file; archives are .tar, .tar.gz, .tgz, .zip, .parquet"),
        ("a.tar", "x.tar.xz", {}, "DST must be a folder here, got x.tar.xz.*archives are"),
        ("{a.tar,b.zip}", "out-{0..1}", {}, "braces name archives"),
        ("nothing", "x.tar", {}, "does not exist"),
        ("a.tar", "s3:/b/x.tar", {}, "write s3://b/x.tar"),
        ("s3:/b/{0..1}.tar", "out", {}, "write s3://b/"),
        ("a.tar", "x.tar.bz2", {}, "archives are .tar, .tar.gz"),
        ("a.tar", "one.png", {}, "DST must be a folder"),
        ("masks", "masks/x.tar", {"pattern": "*"}, "lies in SRC"),
        ("masks", "out", {"keep_others": True}, "SRC masks is none"),
        ("masks", "x.tar", {"keep_others": True}, "SRC masks is none"),
        ("a.tar", "x.tar", {"shard": Shard(1, 2)}, "by archives"),
        ("masks", "x.tar", {"shard": Shard(1, 2)}, "by archives"),
    ],
)
def test_what_does_not_go_together(
    src: str, dst: str, options: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        pair(src, dst, WriteOptions(**options))  # type: ignore[arg-type]
