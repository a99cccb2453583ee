"""Runs whose SRC or DST are Parquet files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.archives.parquet.tables import IMAGE, groups, image, pa, packed, pq, table
from tests.helpers import Place, gpuseg, read_report
from tests.making import save_mask

COUNT = 12


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Masks in a folder."""
    place = Place(tmp_path)
    for n in range(COUNT):
        save_mask(place.src / f"{n:02}.png", 9 + n, 14, seed=n)
    return place


def masks(place: Place) -> list[bytes]:
    return [path.read_bytes() for path in sorted(place.src.iterdir())]


def source(place: Place, name: str = "in.parquet", values: Any = None, **more: Any) -> Path:
    """A file with the masks of a folder and other columns."""
    if values is None:
        values = [image(data, f"{n:02}.png") for n, data in enumerate(masks(place))]
    rows = range(len(values))
    columns = {
        "photo": (IMAGE, [image(b"photo %d" % n, f"{n}.jpg") for n in rows]),
        "mask": (IMAGE, values),
        "id": (pa.int64(), list(rows)),
    }
    path = place.root / name
    path.write_bytes(packed(table(columns), row_group_size=5, **more))
    return path


def convert(place: Place, src: Path, dst: Path, *more: str) -> Any:
    options = ["--palette", str(place.palette), "--device", "cpu", "--workers", "2"]
    return gpuseg("convert", str(src), str(dst), *options, *more)


def expected(place: Place) -> list[NDArray[Any]]:
    """The label maps, by way of folders."""
    assert convert(place, place.src, place.root / "folder").code == 0
    paths = sorted((place.root / "folder").glob("*.png"))
    return [np.asarray(Image.open(path)) for path in paths]


def labels(path: Path, column: str) -> list[NDArray[Any] | None]:
    """The label maps in a file, None for null."""
    return list(_decoded(pq.read_table(path)[column].to_pylist()))


def _decoded(values: list[Any]) -> Iterator[NDArray[Any] | None]:
    for value in values:
        if value is None:
            yield None
        else:
            with Image.open(io.BytesIO(value["bytes"])) as found:
                assert found.mode == "P"
                yield np.asarray(found)


def same(found: list[Any], wanted: list[Any]) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(x is y is None or np.array_equal(x, y) for x, y in pairs)


def test_parquet_to_parquet_keeps_rows_and_other_columns(place: Place) -> None:
    src, dst = source(place), place.root / "out.parquet"
    done = convert(place, src, dst, "--column", "mask", "--keep-others")
    assert done.code == 0, done.err
    assert same(labels(dst, "mask"), expected(place))
    before, after = pq.read_table(src), pq.read_table(dst)
    assert after.schema.equals(before.schema)
    assert after.drop_columns(["mask"]).equals(before.drop_columns(["mask"]))
    assert groups(dst.read_bytes()) == groups(src.read_bytes()) == [5, 5, 2]
    report = read_report(place.root / "out.parquet.gpuseg-report.jsonl")
    assert sorted(report.files) == [f"{n:02}.png" for n in range(COUNT)]


def test_other_columns_are_left_out_and_counted(place: Place) -> None:
    done = convert(place, source(place), place.root / "out.parquet", "--column", "mask")
    assert done.code == 0, done.err
    assert pq.read_table(place.root / "out.parquet").schema.names == ["mask"]
    report = read_report(place.root / "out.parquet.gpuseg-report.jsonl")
    assert report.summary["left_alone"] == {"column photo": COUNT, "column id": COUNT}


def test_a_mask_that_fails_is_null_in_its_row(place: Place) -> None:
    values = [image(data, f"{n:02}.png") for n, data in enumerate(masks(place))]
    values[3] = image(b"no image", "03.png")
    values[5] = None
    dst = place.root / "out.parquet"
    done = convert(place, source(place, values=values), dst, "--column", "mask", "--keep-others")
    assert done.code == 1
    wanted: list[Any] = expected(place)
    wanted[3] = wanted[5] = None
    assert same(labels(dst, "mask"), wanted)
    assert pq.read_table(dst)["id"].to_pylist() == list(range(COUNT))
    report = read_report(place.root / "out.parquet.gpuseg-report.jsonl")
    assert report.failed() == ["03.png", "row-000000005.png"]


def test_folder_to_parquet_and_back(place: Place) -> None:
    dst = place.root / "out.parquet"
    assert convert(place, place.src, dst).code == 0
    wanted = expected(place)
    names = [value["path"] for value in pq.read_table(dst)["image"].to_pylist()]
    found = dict(zip(names, labels(dst, "image"), strict=True))  # in the order of a listing
    assert sorted(found) == [f"{n:02}.png" for n in range(COUNT)]
    assert same([found[name] for name in sorted(found)], wanted)
    assert convert(place, source(place), place.root / "back", "--column", "mask").code == 0
    paths = sorted((place.root / "back").glob("*.png"))
    assert same([np.asarray(Image.open(path)) for path in paths], wanted)


@pytest.mark.parametrize("suffix", ["tar", "zip", "tar.gz"])
def test_other_archives_to_parquet_and_back(place: Place, suffix: str) -> None:
    archive, dst = place.root / f"out.{suffix}", place.root / "out.parquet"
    src = source(place, values=[image(data) for data in masks(place)])  # rows have numbers only
    assert convert(place, src, archive, "--column", "mask").code == 0
    wanted = expected(place)
    done = gpuseg(
        "recolor", str(archive), str(dst), "--palette", str(place.palette), "--column", "label"
    )
    assert done.code == 0, done.err
    assert same(labels(dst, "label"), wanted)


def test_a_file_is_resumed_as_a_whole(place: Place) -> None:
    src, dst = source(place), place.root / "out.parquet"
    more = ["--column", "mask", "--keep-others"]
    assert convert(place, src, dst, *more).code == 0
    before = dst.stat().st_mtime_ns
    assert convert(place, src, dst, *more).code == 0
    assert dst.stat().st_mtime_ns == before
    report = read_report(place.root / "out.parquet.gpuseg-report.jsonl")
    assert [row["status"] for row in report.files.values()] == ["unchanged"]
    assert convert(place, src, dst, "--column", "mask").code == 0  # other columns: made again
    assert pq.read_table(dst).schema.names == ["mask"]


def test_a_target_that_is_not_ours_is_kept(place: Place) -> None:
    src, dst = source(place), source(place, "other.parquet")
    before = dst.read_bytes()
    assert convert(place, src, dst, "--column", "mask").code == 1
    assert dst.read_bytes() == before


def test_files_by_braces(place: Place) -> None:
    for n in range(3):
        source(place, f"train-{n:05}-of-00003.parquet")
    src = place.root / "train-{00000..00002}-of-00003.parquet"
    dst = place.root / "out" / "train-{00000..00002}-of-00003.parquet"
    done = convert(place, src, dst, "--column", "mask", "--keep-others")
    assert done.code == 0, done.err
    wanted = expected(place)
    for n in range(3):
        path = place.root / "out" / f"train-{n:05}-of-00003.parquet"
        assert same(labels(path, "mask"), wanted)


def test_a_file_that_is_damaged_midway_is_not_finished(place: Place) -> None:
    values = [image(data, f"{n:02}.png") for n, data in enumerate(masks(place))]
    how = {"write_page_checksum": True, "write_statistics": False, "use_dictionary": False}
    how |= {"compression": "none"}
    src = source(place, values=values, **how)
    data = bytearray(src.read_bytes())
    data[data.index(values[11]["bytes"]) + 50] ^= 1
    src.write_bytes(data)
    done = convert(place, src, place.root / "out.parquet", "--column", "mask", "--keep-others")
    assert done.code == 1
    assert not (place.root / "out.parquet").exists()
    assert not list(place.root.glob(".gpuseg*"))
    report = read_report(place.root / "out.parquet.gpuseg-report.jsonl")
    assert report.files["in.parquet"]["status"] == "failed"
    assert len(report.files) == 11


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ([], "in.parquet has 2 columns of images, photo, mask; say which"),
        (["--column", "masks"], "in.parquet has no column 'masks'; it has photo"),
        (["--column", "id"], "the column 'id' is of type int64"),
        (["--column", "mask", "--pattern", "*.png"], "leave out --pattern"),
    ],
)
def test_what_cannot_be_told_of_columns_is_wrong_use(
    place: Place, more: list[str], why: str
) -> None:
    done = convert(place, source(place), place.root / "out.parquet", *more)
    assert done.code == 2
    assert why in " ".join(done.err.split())
    assert not (place.root / "out.parquet").exists()


def test_columns_are_of_parquet_files(place: Place) -> None:
    done = convert(place, place.src, place.root / "out", "--column", "mask")
    assert done.code == 2
    assert "--column names a column of Parquet files" in done.err
    more = ["--column", "mask", "--keep-others"]
    done = convert(place, source(place), place.root / "out.tar", *more)
    assert done.code == 2
    assert "--keep-others keeps other columns of a Parquet file" in done.err


def test_real_masks(place: Place) -> None:
    folder = Path(__file__).parents[2] / "data" / "quintal_rgba"
    files = [path for path in sorted(folder.rglob("*.png")) if os.path.getsize(path) < 1 << 20]
    made = table({"mask": (IMAGE, [image(path.read_bytes(), path.name) for path in files])})
    src, dst = place.root / "real.parquet", place.root / "real-labels.parquet"
    src.write_bytes(packed(made))
    palette = ["--palette", str(folder / "label_colors.txt"), "--device", "cpu"]
    first = gpuseg("convert", str(folder), str(place.root / "real"), *palette)
    second = gpuseg("convert", str(src), str(dst), *palette)
    assert (first.code, second.code) == (0, 0), second.err
    found = {
        value["path"]: np.asarray(Image.open(io.BytesIO(value["bytes"])))
        for value in pq.read_table(dst)["mask"].to_pylist()
    }
    wanted = {path.name: path for path in (place.root / "real").rglob("*.png")}
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], np.asarray(Image.open(wanted[name]))) for name in found)


def test_from_url_to_url(place: Place) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra `storage`")
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/parquet/in.parquet", source(place).read_bytes())
    options = ["--palette", str(place.palette), "--device", "cpu", "--keep-others"]
    more = ["--column", "mask", "--report", str(place.root / "report.jsonl")]
    url = "memory://parquet"
    done = gpuseg("convert", f"{url}/in.parquet", f"{url}/out.parquet", *options, *more)
    assert done.code == 0, done.err
    target = place.root / "out.parquet"
    target.write_bytes(memory.cat_file("/parquet/out.parquet"))
    assert same(labels(target, "mask"), expected(place))
    assert pq.read_table(target).schema.names == ["photo", "mask", "id"]
