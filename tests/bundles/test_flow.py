"""Conversions from and to archives: the same label maps as of folders, in order, whole or not."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

import gpuseg
from gpuseg import processes, storage
from gpuseg.archives import member
from gpuseg.bundles import packing
from gpuseg.errors import UsageError
from gpuseg.options import Shard
from tests.archives.dumps import (
    OTHERS,
    check_label,
    check_labels,
    convert,
    encoded,
    expected,
    lay,
    masks,
    pack,
    rows,
    temps,
    unpack,
)

KINDS = ["tar", "tar.gz", "zip"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("into", [*KINDS, "folder"])
def test_one_archive(tmp_path: Path, kind: str, into: str) -> None:
    files = masks()
    src, dst = pack(tmp_path / f"in.{kind}", files), tmp_path / f"out.{into}"
    if into == "folder":
        dst = tmp_path / "out"
    report = convert(src, dst)
    assert report.exit_code == 0
    found = unpack(dst)
    check_labels(found, expected(files))
    if into != "folder":
        assert list(found) == list(expected(files)), "the order is kept"
    told = rows(report)
    assert {name: row["target"] for name, row in told.items()} == dict(
        zip(files, expected(files), strict=True)
    )
    beside = tmp_path / (
        "out/gpuseg-report.jsonl" if into == "folder" else f"{dst.name}.gpuseg-report.jsonl"
    )
    assert report.path == beside
    assert temps(tmp_path) == []
    again = convert(src, dst)
    assert again.files == {"unchanged": 1 if into != "folder" else len(files)}
    assert again.exit_code == 0


@pytest.mark.parametrize("into", KINDS)
def test_a_folder_as_one_archive(tmp_path: Path, into: str) -> None:
    files = masks()
    src, dst = lay(tmp_path / "src", {**files, "notes.txt": b"x"}), tmp_path / f"out.{into}"
    report = convert(src, dst)
    assert (report.exit_code, report.left_alone) == (0, {".txt": 1})
    check_labels(unpack(dst), expected(files))
    assert sorted(rows(report)) == sorted(files)
    before = dst.stat()
    assert convert(src, dst).files == {"unchanged": 1}
    assert dst.stat() == before
    os.utime(tmp_path / "src" / "a" / "000.png", ns=(1, 1))
    assert convert(src, dst).files == {"converted": len(files)}
    (tmp_path / "src" / "a" / "000.png").unlink()
    assert convert(src, dst).files == {"converted": len(files) - 1}


def test_a_folder_as_several_archives(tmp_path: Path) -> None:
    files = masks(10)
    src = lay(tmp_path / "src", files)
    report = convert(src, tmp_path / "out" / "{a,b}-{0..1}.tar")
    assert report.exit_code == 0
    assert report.path == tmp_path / "out" / "gpuseg-report.jsonl"
    parts = [unpack(tmp_path / "out" / f"{name}.tar") for name in ("a-0", "a-1", "b-0", "b-1")]
    assert [len(part) for part in parts] == [2, 3, 2, 3]
    check_labels({name: data for part in parts for name, data in part.items()}, expected(files))
    for name, row in rows(report).items():
        archive, _, member = row["target"].partition("/")
        check_label(unpack(tmp_path / "out" / archive)[member], expected(files)[member])
        assert member.startswith(name[:-4])
    assert convert(src, tmp_path / "out" / "{a,b}-{0..1}.tar").files == {"unchanged": 4}


@pytest.mark.parametrize("into", ["tar", "zip", "folder"])
def test_many_archives(tmp_path: Path, into: str) -> None:
    for i in range(3):
        pack(tmp_path / "in" / f"{i}.tar.gz", {f"{n}": d for n, d in masks(4 + i).items()})
    src, dst = tmp_path / "in" / "{0..2}.tar.gz", tmp_path / "out"
    report = convert(src, dst if into == "folder" else dst / f"x-{{5..7}}.{into}")
    assert report.files == {"converted": 4 + 5 + 6}
    assert report.path == dst / "gpuseg-report.jsonl"
    for i in range(3):
        check_labels(
            unpack(dst / (str(i) if into == "folder" else f"x-{i + 5}.{into}")),
            expected(masks(4 + i)),
        )
    told = rows(report)
    assert len(told) == 15
    target = "1/a/000.png" if into == "folder" else f"x-6.{into}/a/000.png"
    assert told["1.tar.gz/a/000.png"]["target"] == target


def test_a_webdataset_stays_one(tmp_path: Path) -> None:
    """Samples are members with one stem, side by side: a reader finds them as before."""
    files = {}
    for i in range(5):
        files |= {
            f"{i:04d}.jpg": b"photograph" * i,
            f"{i:04d}.mask.png": encoded(i),
            f"{i:04d}.json": b"{}",
        }
    src = pack(tmp_path / "in.tar", files)
    report = convert(src, tmp_path / "out.tar", pattern="*.mask.png", keep_others=True)
    assert report.exit_code == 0
    assert report.files == {"converted": 5}
    assert "10 other members kept" in report.summary()
    found = unpack(tmp_path / "out.tar")
    assert list(found) == list(files)
    for i in range(5):
        check_label(found[f"{i:04d}.mask.png"], i)
    del_masks = {name: data for name, data in found.items() if not name.endswith(".mask.png")}
    assert del_masks == {n: d for n, d in files.items() if not n.endswith(".mask.png")}
    folder = tmp_path / "out"
    assert convert(src, folder, pattern="*.mask.png", keep_others=True).exit_code == 0
    assert unpack(folder) == dict(sorted(found.items()))
    without = convert(src, tmp_path / "without.tar", pattern="*.mask.png")
    assert without.left_alone == {".jpg": 5, ".json": 5}
    assert list(unpack(tmp_path / "without.tar")) == [n for n in files if n.endswith(".mask.png")]


def test_members_that_are_kept_replace_nothing(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", {"a.png": encoded(0), "a.json": b"{}"})
    dst = tmp_path / "out"
    lay(dst, {"a.json": b"mine"})
    report = convert(src, dst, keep_others=True)
    assert rows(report)["a.json"]["error"] == "output"
    assert (dst / "a.json").read_bytes() == b"mine"
    assert convert(src, dst, keep_others=True, overwrite=True).exit_code == 0
    assert (dst / "a.json").read_bytes() == b"{}"


@pytest.mark.parametrize("place", ["folder", "memory://large-members"])
def test_large_members_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """They are never held whole: to a folder or a storage they go by blocks."""
    monkeypatch.setattr(member, "IN_MEMORY", 1000)
    monkeypatch.setattr(packing, "_BLOCK", 300)
    if place == "folder":
        place = str(tmp_path / "out")
    else:
        pytest.importorskip("fsspec", reason="needs the extra storage")
    large = os.urandom(5000)
    src = pack(tmp_path / "in.tar", {"b/large.mp4": large, **masks(2)})
    target, report = storage.join(place, "b/large.mp4"), str(tmp_path / "r.jsonl")
    read = storage.read if storage.is_url(place) else lambda path: Path(path).read_bytes()
    for _ in range(2):
        assert convert(src, place, keep_others=True, report=report).exit_code == 0
        assert read(target) == large
    for other in (large[:-1], large + b"x", large[:-1] + b"\0", b""):
        pack(Path(src), {"b/large.mp4": other + bytes(2000), **masks(2)})
        told = rows(convert(src, place, keep_others=True, report=report))
        assert "is not the member" in told["b/large.mp4"]["message"]
        assert read(target) == large
    done = convert(src, place, keep_others=True, report=report, overwrite=True)
    assert done.exit_code == 0
    assert read(target) == bytes(2000)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", {**masks(3), "x.json": b"{}"})
    before = sorted(os.listdir(tmp_path))
    for dst in ("out.tar", "out"):
        report = convert(src, tmp_path / dst, dry_run=True, keep_others=True)
        assert report.files == {"planned": 3}
    assert sorted(os.listdir(tmp_path)) == before


def test_verify_reads_back(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", masks(3))
    report = convert(src, tmp_path / "out.tar", verify=True)
    assert all("verify" in row["seconds"] for row in rows(report).values())


def test_shards_are_of_archives(tmp_path: Path) -> None:
    for i in range(7):
        pack(tmp_path / f"{i}.tar", masks(2))
    src, dst = tmp_path / "{0..6}.tar", tmp_path / "out" / "{0..6}.zip"
    told = []
    for number in (1, 2, 3):
        report = convert(src, dst, shard=Shard(number, 3))
        assert str(report.path).endswith(f"gpuseg-report-{number:05d}-of-00003.jsonl")
        told += list(rows(report))
        assert report.files["converted"] == (6 if number == 1 else 4)  # 7 archives by turns
    assert len(told) == len(set(told)) == 14
    assert len([name for name in os.listdir(tmp_path / "out") if name.endswith(".zip")]) == 7
    with pytest.raises(UsageError, match="--shard divides a run by archives"):
        convert(tmp_path / "0.tar", tmp_path / "one.tar", shard=Shard(1, 2))


def test_by_worker_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PATIENCE", 0.0), ("ENOUGH", 100), ("TIMES_DONE", 0)):
        monkeypatch.setattr(processes, name, value)
    started = []
    worker = processes.Worker

    def begin(*arguments: object, **more: object) -> processes.Worker:
        started.append(arguments)
        return worker(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "Worker", begin)
    files = masks(400)
    src = pack(tmp_path / "in.tar", {**files, "x.json": b"{}"})
    report = convert(src, tmp_path / "out.tar", keep_others=True)
    assert report.files == {"converted": 400}
    found = unpack(tmp_path / "out.tar")
    assert list(found) == [*expected(files), "x.json"]
    check_labels({n: d for n, d in found.items() if n != "x.json"}, expected(files))
    assert started, "what is left was not estimated"


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_from_and_to_a_storage(tmp_path: Path, kind: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    root = f"memory://{tmp_path.name}"
    memory.pipe_file(f"{root}/in.{kind}", Path(pack(tmp_path / f"in.{kind}", masks())).read_bytes())
    report = tmp_path / "r.jsonl"
    done = convert(f"{root}/in.{kind}", f"{root}/out.tar", report=report)
    assert done.files == {"converted": 9}
    (tmp_path / "out.tar").write_bytes(memory.cat_file(f"{root}/out.tar"))
    check_labels(unpack(tmp_path / "out.tar"), expected(masks()))
    assert convert(f"{root}/in.{kind}", f"{root}/out.tar", report=report).files == {"unchanged": 1}
    done = convert(f"{root}/in.{kind}", f"{root}/folder", report=report)
    assert done.files == {"converted": 9}
    check_label(memory.cat_file(f"{root}/folder/a/000.png"), 0)


@pytest.mark.parametrize("verb", ["recolor", "colorize"])
def test_other_verbs(tmp_path: Path, verb: str) -> None:
    src = pack(tmp_path / "in.tar", masks())
    assert convert(src, tmp_path / "labels.tar").exit_code == 0
    run = getattr(gpuseg, verb)
    report = run(str(tmp_path / "labels.tar"), str(tmp_path / "out.zip"), palette=OTHERS)
    assert report.files == {"converted": 9}
    run(
        lay(tmp_path / "labels", unpack(tmp_path / "labels.tar")),
        str(tmp_path / "out"),
        palette=OTHERS,
    )
    one, other = unpack(tmp_path / "out.zip"), unpack(tmp_path / "out")
    assert sorted(one) == sorted(other)
    for name, data in other.items():
        assert pixels(one[name]) == pixels(data)


def pixels(data: bytes) -> tuple[str, bytes, object]:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.tobytes(), image.getpalette()


def test_real_masks(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "data" / "quintal_rgba"
    palette = folder / "label_colors.txt"
    convert(folder, tmp_path / "out", palette=palette)
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(folder, "./")
    report = convert(tmp_path / "in.tar", tmp_path / "out.tar", palette=palette)
    assert report.exit_code == 0
    one, other = unpack(tmp_path / "out.tar"), unpack(tmp_path / "out")
    assert sorted(one) == sorted(other)
    for name, data in other.items():
        assert pixels(one[name]) == pixels(data)
