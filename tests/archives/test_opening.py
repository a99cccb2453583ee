"""Archives by their names, and those whose names are not true."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.archives.opening import writer
from gpuseg.errors import ArchiveError, OutputError
from tests.archives.dumps import masks, pack
from tests.archives.packing import found


@pytest.mark.parametrize(
    ("made", "named"), [("tar.gz", "tar"), ("zip", "tar"), ("tar.gz", "zip"), ("zip", "tgz")]
)
def test_a_name_of_another_kind(tmp_path: Path, made: str, named: str) -> None:
    path = Path(pack(tmp_path / f"a.{made}", masks(2))).rename(tmp_path / f"b.{named}")
    with pytest.raises(ArchiveError, match=f"is .{made} by its content; rename it"):
        found(path)


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="that of no archive"):
        writer(str(tmp_path / "a.png"))
    with pytest.raises(ArchiveError, match="cannot be opened: No such file"):
        found(tmp_path / "a.tar")
    with pytest.raises(ArchiveError, match="cannot be opened"):
        found(tmp_path / "a\0.tar")
