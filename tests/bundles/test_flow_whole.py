"""Archives done one by one, each as a whole, as by a worker far away."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from gpuseg.bundles.flow import Whole
from gpuseg.bundles.pairing import pair
from gpuseg.errors import UsageError
from gpuseg.options import ConvertOptions
from gpuseg.pipeline import Conversion
from gpuseg.plan import Job
from gpuseg.results import Aside, FileResult
from gpuseg.task import run_all
from tests.archives.dumps import check_labels, convert, expected, lay, masks, pack, rows, unpack
from tests.making import PALETTE


def run(src: str, dst: str, times: int = 1, *, fail_fast: bool = False) -> list[FileResult]:
    options = ConvertOptions(device="cpu", workers=1, fail_fast=fail_fast)
    bundles = pair(src, dst, options)
    assert bundles is not None
    job = Job.create(dst, PALETTE, options)
    sent = pickle.dumps(Whole(Conversion(job), bundles, job.targets))
    results: list[FileResult] = []
    for bundle in bundles:
        for _ in range(times):  # each time on another worker
            task = pickle.loads(sent)
            results += run_all(task, [pickle.loads(pickle.dumps(bundle))])
    return results


@pytest.mark.parametrize("into", ["x-{0..2}.tar", "x-{0..2}.zip", "x"])
def test_as_by_one_process(tmp_path: Path, into: str) -> None:
    for i in range(2):
        pack(tmp_path / "in" / f"{i}.tar", {**masks(4 + i), "bad.png": b"hello"})
    (tmp_path / "in" / "2.tar").write_bytes(b"hello")
    src = f"{tmp_path}/in/{{0..2}}.tar"
    found = {result.source: result for result in run(src, f"{tmp_path}/out/{into}")}
    report = convert(src, tmp_path / "other" / into)
    wanted = rows(report)
    assert set(found) == set(wanted)
    for name, result in found.items():
        assert result.status == wanted[name]["status"]
        assert result.target == wanted[name].get("target")
        assert result.content is None
    for i in range(2):
        place = into.replace("{0..2}", str(i)) if "{" in into else f"{into}/{i}"
        check_labels(unpack(tmp_path / "out" / place), expected(masks(4 + i)))


def test_members_without_a_row_are_counted(tmp_path: Path) -> None:
    for i in range(2):
        pack(tmp_path / f"{i}.tar", {**masks(2), "a.json": b"{}", f"{i}.txt": b"", "b.txt": b""})
    for keep in (False, True):
        src, dst = f"{tmp_path}/{{0..1}}.tar", f"{tmp_path}/{keep}-{{0..1}}.tar"
        options = ConvertOptions(device="cpu", keep_others=keep)
        bundles = pair(src, dst, options)
        assert bundles is not None
        job, aside = Job.create(dst, PALETTE, options), Aside()
        task = pickle.loads(pickle.dumps(Whole(Conversion(job), bundles, job.targets)))
        assert len(list(run_all(task, list(bundles), aside=aside))) == 4
        assert aside.kept == (6 if keep else 0)
        assert aside.left_alone == ({} if keep else {".json": 2, ".txt": 4})


def test_a_folder_in_stretches(tmp_path: Path) -> None:
    src = lay(tmp_path / "src", masks(10))
    found = run(src, f"{tmp_path}/x-{{0..2}}.tar")
    assert sorted(result.source for result in found) == sorted(masks(10))
    labels = [unpack(tmp_path / f"x-{i}.tar") for i in range(3)]
    check_labels({n: d for part in labels for n, d in part.items()}, expected(masks(10)))


def test_twice_is_once(tmp_path: Path) -> None:
    pack(tmp_path / "0.tar", masks(4))
    found = run(f"{tmp_path}/0.tar", f"{tmp_path}/x.tar", times=2)
    assert [result.status for result in found] == ["converted"] * 4 + ["unchanged"]


def test_a_worker_that_is_told_to_stop(tmp_path: Path) -> None:
    src, dst = pack(tmp_path / "0.tar", masks(4)), f"{tmp_path}/x.tar"
    options = ConvertOptions(device="cpu")
    bundles = pair(src, dst, options)
    assert bundles is not None
    job = Job.create(dst, PALETTE, options)
    results = Whole(Conversion(job), bundles, job.targets).run_whole(next(iter(bundles)))
    assert next(results).status == "converted"
    results.close()  # type: ignore[attr-defined]
    assert os.listdir(tmp_path) == ["0.tar"]


def test_files_named_one_by_one_make_no_archive(tmp_path: Path) -> None:
    from gpuseg import convert_files

    with pytest.raises(UsageError, match="a name for an archive"):
        convert_files([tmp_path / "a.png"], tmp_path / "x.tar", PALETTE)


def test_fail_fast_tells_of_the_archive(tmp_path: Path) -> None:
    files = masks(4)
    src = pack(tmp_path / "0.tar", {**masks(2), "bad.png": b"hello", **files})
    found = run(src, f"{tmp_path}/x.tar", fail_fast=True)
    assert [row.source for row in found] == [*masks(2), "bad.png", "0.tar"]
    assert "nothing was written of it" in found[-1].message
    assert os.listdir(tmp_path) == ["0.tar"]
    found = run(src, f"{tmp_path}/x", fail_fast=True)
    assert [row.source for row in found] == [*masks(2), "bad.png"]
