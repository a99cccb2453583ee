"""The files of the direct path, byte for byte where PNG leaves no choice."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.codecs.chunks import read_chunks
from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.codecs.label_png import read_label
from gpuseg.codecs.palette_png import palette_png
from gpuseg.kernels import reference
from gpuseg.palette import voc_colormap
from tests.making import read_indices
from tests.pngs import filtered

PLTE = voc_colormap(256).tobytes()
MARK = Fingerprint(bytes(range(16)), 1 << 40)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 20),
    width=st.integers(1, 60),
    marked=st.booleans(),
)
def test_the_file_holds_what_was_given(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    height: int,
    width: int,
    marked: bool,
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 256, (height, width), np.uint8)
    data = filtered(labels, 1, rng.integers(0, 5, height))
    png = palette_png(width, height, zlib.compress(data), PLTE, MARK if marked else None)
    chunks = [(name, bytes(body)) for name, body in read_chunks(png)]
    names = [b"IHDR", *([b"gpSG"] if marked else []), b"PLTE", b"IDAT", b"IEND"]
    assert [name for name, _ in chunks] == names
    found = dict(chunks)
    assert found[b"IHDR"] == struct.pack(">II", width, height) + bytes([8, 3, 0, 0, 0])
    assert found[b"PLTE"] == PLTE
    assert zlib.decompress(found[b"IDAT"]) == data
    assert np.array_equal(reference.unfilter(data, height, width, 1), labels)
    path = tmp_path_factory.getbasetemp() / "palette.png"
    path.write_bytes(png)
    assert np.array_equal(read_indices(path), labels)
    kept, plte = read_label(path)
    assert np.array_equal(kept, labels)
    assert plte == PLTE
    assert read_fingerprint(str(path)) == (MARK if marked else None)


def test_a_file_that_lost_its_end_is_known_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    whole = palette_png(3, 2, zlib.compress(bytes(8)), PLTE, MARK)
    for end in range(70, len(whole)):
        path.write_bytes(whole[:end])
        assert read_fingerprint(str(path)) == Fingerprint(b"", 1 << 40)


def test_all_256_entries_for_any_labels() -> None:
    """A shorter palette would make other tools pack the indices into fewer bits."""
    png = palette_png(1, 1, zlib.compress(bytes(2)), PLTE)
    assert len(dict(read_chunks(png))[b"PLTE"]) == 768
