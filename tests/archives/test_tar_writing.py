"""Tar archives that we write: read back, the same bytes again, marked, whole or not there."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg import output
from gpuseg.archives.mark import Mark
from gpuseg.archives.opening import read_mark
from gpuseg.archives.tar import TarWriter
from gpuseg.errors import ArchiveError, OutputError
from tests.archives.packing import choice, found, save_tar
from tests.archives.test_tar import FILES, PNG

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\:\x7f", min_codepoint=33),
    min_size=1,
    max_size=50,
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(NAMES, st.binary(max_size=2000), min_size=1),
    st.sampled_from([".tar", ".tgz"]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], suffix: str
) -> None:
    files = {f"{name}.png": data for name, data in files.items()}
    path = tmp_path_factory.mktemp("t") / f"a{suffix}"
    for again in (path, path.with_name(f"b{suffix}")):
        writer = TarWriter(str(again))
        for i, (name, data) in enumerate(files.items()):
            writer.add(name, io.BytesIO(data) if i % 2 else data, i * 10**9)
        writer.finish(Mark(b"d" * 16, 1, 2, 3))
    assert path.read_bytes() == again.read_bytes()
    assert found(path, choice("*")) == files
    with tarfile.open(path) as archive:
        assert archive.getnames() == list(files)
        assert {info.mode for info in archive} <= {0o644}


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_marks(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    writer = TarWriter(str(path))
    writer.add("a.png", PNG, 0)
    assert not path.exists()
    writer.finish(Mark(b"0123456789abcdef", 5, 6, 7))
    mark = read_mark(str(path))
    assert mark == Mark(b"0123456789abcdef", 5, 6, 7, path.stat().st_size)
    with path.open("ab") as file:
        file.write(b"\0")
    changed = read_mark(str(path))
    assert changed is not None
    assert changed.digest == b""
    assert read_mark(str(save_tar(tmp_path / f"b{suffix}", FILES))) is None
    with pytest.raises(ArchiveError):
        read_mark(str(tmp_path / "nothing.tar"))


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"before")
    writer = TarWriter(str(path))
    writer.add("a.png", PNG, 0)
    assert [name for name in os.listdir(tmp_path) if name.startswith(output.PREFIX)]
    writer.discard()
    writer.discard()
    assert os.listdir(tmp_path) == ["a.tar"]
    assert path.read_bytes() == b"before"


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        TarWriter(str(tmp_path / "file" / "a.tar"))
    (tmp_path / "folder.tar").mkdir()
    writer = TarWriter(str(tmp_path / "folder.tar"))
    with pytest.raises(OutputError, match="cannot be written"):
        writer.finish(Mark(bytes(16)))
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.tar"]
