"""A folder's listing in stretches, and a folder that changes meanwhile."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from gpuseg.bundles.parts import Listing, Parts
from gpuseg.discover import Source
from gpuseg.errors import ArchiveError


def fill(folder: Path, count: int) -> Parts:
    folder.mkdir()
    for i in range(count):
        (folder / f"{i}.png").write_bytes(b"x" * i)
    (folder / "notes.txt").touch()
    return Parts(str(folder), None)


def names(parts: Parts, counted: Listing, start: int, stop: int) -> list[str]:
    return [source.relative for source in parts.files(start, stop, counted)]


def test_stretches(tmp_path: Path) -> None:
    parts = fill(tmp_path / "a", 10)
    counted = parts.count()
    assert counted.files == 10
    found = [names(parts, counted, *stretch) for stretch in ((0, 3), (3, 3), (3, 9), (9, 10))]
    assert [len(part) for part in found] == [3, 0, 6, 1]
    assert sorted(name for part in found for name in part) == [f"{i}.png" for i in range(10)]
    assert names(pickle.loads(pickle.dumps(parts)), counted, 3, 9) == found[2], (
        "elsewhere, from the start"
    )
    assert parts.left_alone == {".txt": 1}


def test_the_digest() -> None:
    one, other = Source("", "a", 1, 2), Source("", "b", 3, 4)
    digests = set()
    for sources in ([one, other], [other, one]):
        listing = Listing()
        for source in sources:
            listing.add(source)
        digests.add(listing.digest)
    assert len(digests) == 1
    for sources in ([one], [one, one], [one, Source("", "b", 3, 5)], [one, Source("", "b", 2, 4)]):
        listing = Listing()
        for source in sources:
            listing.add(source)
        assert listing.digest not in digests
        digests.add(listing.digest)


@pytest.mark.parametrize("change", ["more", "fewer", "other"])
def test_a_folder_that_changes(tmp_path: Path, change: str) -> None:
    parts = fill(tmp_path / "a", 10)
    counted = parts.count()
    if change == "more":
        (tmp_path / "a" / "10.png").touch()
    elif change == "fewer":
        (tmp_path / "a" / "0.png").unlink()
    else:
        os.utime(tmp_path / "a" / "0.png", ns=(1, 1))
    with pytest.raises(ArchiveError, match="has changed while it was read"):
        names(parts, counted, 0, 10)
