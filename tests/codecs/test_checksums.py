"""Damage that Pillow alone does not see, or sees as something else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.checksums import check_png
from gpuseg.codecs.label_png import read_label
from gpuseg.codecs.pillow import read_mask
from gpuseg.errors import BrokenMaskError, UnsupportedMaskError
from tests.making import mask
from tests.pngs import chunk, lines, png


def test_every_flip_and_every_cut_is_noticed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(mask(5, 6)).save(buffer, "PNG")
    whole = buffer.getvalue()
    check_png(io.BytesIO(whole))
    check_png(io.BytesIO(whole + b"what follows the end does not matter"))
    path = tmp_path / "a.png"
    for at in range(8, len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        for damaged in (flipped, whole[:at]):
            path.write_bytes(damaged)
            with pytest.raises(BrokenMaskError, match=r"is damaged|is cut off"):
                read_mask(path, 1000)
            with pytest.raises(BrokenMaskError):
                read_label(path)


def test_the_place_of_the_damage_is_told() -> None:
    with pytest.raises(BrokenMaskError, match="PNG chunk 'IDAT' at byte 33 differs"):
        check_png(io.BytesIO(png(1, 1, 8, 2, bytes(4))[:-13] + b"x" + bytes(12)))
    with pytest.raises(BrokenMaskError, match="ends after 35 bytes"):
        check_png(io.BytesIO(png(1, 1, 8, 2, bytes(4))[:35]))


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"\x89PNG\r\n\0\0", "PNG"), (b"GIF89a", "GIF"), (b"BM12", "BMP"), (b"II*\0", "TIFF")],
)
def test_a_damaged_header_is_told_from_no_image(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "a").write_bytes(start)
    with pytest.raises(BrokenMaskError, match=rf"starts like a {kind}|damaged.*{kind}"):
        read_mask(tmp_path / "a", 1000)


def test_clear_grey_of_few_bits_is_found(tmp_path: Path) -> None:
    for depth, row in ((1, 0b10000000), (2, 0b01000000), (4, 0b00010000)):
        clear = chunk(b"tRNS", b"\0\1")
        (tmp_path / "a.png").write_bytes(png(1, 1, depth, 0, lines([row]), clear))
        with pytest.raises(UnsupportedMaskError, match="transparent"):
            read_mask(tmp_path / "a.png", 1000)
        (tmp_path / "a.png").write_bytes(png(1, 1, depth, 0, lines([0]), clear))
        assert read_mask(tmp_path / "a.png", 1000).pixels[0, 0] == 0


def test_label_maps_of_few_grey_bits_keep_their_indices(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(4, 1, 2, 0, lines([0b00011011])))
    assert np.array_equal(read_label(tmp_path / "a.png")[0], [[0, 1, 2, 3]])
    (tmp_path / "a.png").write_bytes(png(2, 1, 4, 0, lines([0x1F])))
    assert np.array_equal(read_label(tmp_path / "a.png")[0], [[1, 15]])
