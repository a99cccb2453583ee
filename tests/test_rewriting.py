"""What all verbs that make one file of another share: targets, resume, rows, faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gpuseg.codecs.fingerprint import read_fingerprint
from gpuseg.codecs.palette_png import palette_png
from gpuseg.discover import Source
from gpuseg.errors import BrokenMaskError, UsageError
from gpuseg.kernels.deflate import deflate_labels
from gpuseg.options import WriteOptions
from gpuseg.results import Report
from gpuseg.rewriting import About, Made, Mark, rewrite
from tests.helpers import REPORT, read_report, temps, tree
from tests.making import indices, save_mask


@dataclass(frozen=True)
class Same:
    """Makes the same small label map of every file but those named bad… or worse…."""

    verb: ClassVar[str] = "test"
    is_python: ClassVar[bool] = False
    about: ClassVar[About] = About()

    seed: int = 0

    @property
    def shaped_by(self) -> tuple[object, ...]:
        return (self.seed,)

    def make(self, source: Source, mark: Mark) -> Made:
        name = Path(source.path).name
        if name.startswith("bad"):
            raise BrokenMaskError("is broken, says this test; restore it")
        if name.startswith("worse"):
            raise MemoryError
        labels = indices(4, 5, self.seed)
        data = palette_png(5, 4, deflate_labels(labels), bytes(768), mark(3))
        return Made(data, {"width": 5, "height": 4})


def run(place: Path, maker: Any = None, **options: Any) -> Report:
    chosen = maker or Same()
    settings = WriteOptions(workers=2, **options)
    return rewrite(place / "src", place / "dst", chosen, settings)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png", "bad.png", "worse.png"):
        save_mask(tmp_path / "src" / name)
    return tmp_path


def test_targets_and_rows(place: Path) -> None:
    report = run(place)
    assert dict(report.files) == {"converted": 2, "failed": 2}
    assert report.exit_code == 1
    assert tree(place / "dst") == ["a.png", "sub/b.png"]
    rows = read_report(place / "dst" / REPORT)
    assert rows.header["verb"] == "test"
    assert rows.files["bad.png"]["error"] == "broken"
    assert rows.files["worse.png"]["error"] == "too-large"
    assert set(rows.files["a.png"]["seconds"]) == {"make", "write"}
    found = read_fingerprint(str(place / "dst" / "a.png"))
    assert found is not None
    assert found.unknown == 3


def test_what_is_up_to_date_is_left_alone(place: Path) -> None:
    run(place)
    before = (place / "dst" / "a.png").stat().st_ino
    report = run(place)
    assert dict(report.files) == {"unchanged": 2, "failed": 2}
    assert report.unknown_pixels == 6  # remembered by the targets
    assert (place / "dst" / "a.png").stat().st_ino == before
    assert run(place, resume=False).files["converted"] == 2
    assert run(place, Same(seed=1)).files["converted"] == 2  # shaped by something else


def test_a_changed_source_is_done_again(place: Path) -> None:
    run(place)
    save_mask(place / "src" / "a.png", seed=5)
    assert dict(run(place).files) == {"converted": 1, "unchanged": 1, "failed": 2}


def test_strange_targets_are_not_replaced(place: Path) -> None:
    save_mask(place / "dst" / "a.png")
    before = (place / "dst" / "a.png").read_bytes()
    assert run(place).files["failed"] == 3
    assert (place / "dst" / "a.png").read_bytes() == before
    assert run(place, overwrite=True).files["failed"] == 2


def test_a_dry_run_writes_nothing(place: Path) -> None:
    report = run(place, dry_run=True)
    assert dict(report.files) == {"planned": 2, "failed": 2}
    assert not (place / "dst").exists()


def test_one_file_as_source(place: Path) -> None:
    source = place / "src" / "sub" / "b.png"
    report = rewrite(source, place / "dst", Same(), WriteOptions())
    assert report.exit_code == 0
    assert tree(place / "dst") == ["b.png"]


def test_wrong_places(place: Path) -> None:
    options = WriteOptions()
    with pytest.raises(UsageError, match="does not exist"):
        rewrite(place / "nowhere", place / "dst", Same(), options)
    with pytest.raises(UsageError, match="files would be their own targets"):
        rewrite(place / "src", place / "src", Same(), options)
    with pytest.raises(UsageError, match="must not lie inside DST"):
        rewrite(place / "src" / "sub", place / "src", Same(), options)


def test_fail_fast_stops(place: Path) -> None:
    report = run(place, fail_fast=True)
    assert report.stopped == "fail-fast"
    assert temps(place / "dst") == []


def test_the_last_progress_is_the_whole_run(place: Path) -> None:
    seen = []
    settings = WriteOptions(workers=2)
    shown = lambda report: seen.append(report.done)  # noqa: E731
    rewrite(place / "src", place / "dst", Same(), settings, progress=shown)
    assert seen[-1] == 4
