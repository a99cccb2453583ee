"""When an archive is made again, and when one that is there may be replaced."""

from __future__ import annotations

import os
from pathlib import Path

from gpuseg.archives.opening import read_mark
from gpuseg.palette import Palette
from tests.archives.dumps import (
    OTHERS,
    check_labels,
    convert,
    encoded,
    expected,
    masks,
    pack,
    rows,
    unpack,
)
from tests.making import COLOURS


def test_members_that_fail_have_the_archive_made_again(tmp_path: Path) -> None:
    src = Path(pack(tmp_path / "in.tar", {**masks(3), "bad.png": b"hello"}))
    dst = tmp_path / "out.tar"
    for _ in range(2):
        report = convert(src, dst)
        assert report.files == {"converted": 3, "failed": 1}
        check_labels(unpack(dst), expected(masks(3)))
    mark = read_mark(str(dst))
    assert mark is not None
    assert (mark.files, mark.failed) == (3, 1)


def test_when_an_archive_is_made_again(tmp_path: Path) -> None:
    src, dst = pack(tmp_path / "in.tar", masks(3)), tmp_path / "out.tar"
    assert convert(src, dst).files == {"converted": 3}
    data = dst.read_bytes()
    assert convert(src, dst, resume=False).files == {"converted": 3}
    assert dst.read_bytes() == data, "the same inputs make the same archive"
    assert convert(src, dst, palette=OTHERS).files == {"converted": 3}
    assert convert(src, dst).files == {"converted": 3}
    assert convert(src, dst, keep_others=True).files == {"converted": 3}
    os.utime(src, ns=(1, 1))
    assert convert(src, dst, keep_others=True).files == {"converted": 3}
    dst.write_bytes(dst.read_bytes()[:-1])
    assert convert(src, dst, keep_others=True).files == {"converted": 3}
    assert convert(src, dst, keep_others=True).files == {"unchanged": 1}


def test_archives_of_others_are_not_replaced(tmp_path: Path) -> None:
    src, dst = pack(tmp_path / "in.tar", masks(3)), tmp_path / "out.zip"
    other = Path(pack(dst, {"x": b"y"})).read_bytes()
    report = convert(src, dst)
    assert rows(report)["in.tar"]["error"] == "output"
    assert "was not written by gpuseg" in rows(report)["in.tar"]["message"]
    assert dst.read_bytes() == other
    assert convert(src, dst, overwrite=True).exit_code == 0
    check_labels(unpack(dst), expected(masks(3)))


def test_unknown_pixels_are_remembered(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", masks(3))
    few = Palette.from_colours(COLOURS[:3])
    report = convert(src, tmp_path / "out.tar", palette=few, unknown="ignore")
    assert report.unknown_pixels > 0
    again = convert(src, tmp_path / "out.tar", palette=few, unknown="ignore")
    assert again.files == {"unchanged": 1}
    assert again.unknown_pixels == report.unknown_pixels


def test_masks_of_one_size_and_time_are_told_apart(tmp_path: Path) -> None:
    src, dst = tmp_path / "in.tar", tmp_path / "out"
    pack(src, {"000.bmp": encoded(0, ".bmp")})
    assert convert(src, dst).files == {"converted": 1}
    assert convert(src, dst).files == {"unchanged": 1}
    pack(src, {"000.bmp": encoded(7, ".bmp")})  # as large, and packed with the same time
    assert convert(src, dst).files == {"converted": 1}
    check_labels(unpack(dst), {"000.png": 7})
