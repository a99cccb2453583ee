"""Label maps as PNG: nothing is lost, and other tools read them alike."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs import label_png
from gpuseg.codecs.fingerprint import END, Fingerprint, read_fingerprint
from gpuseg.errors import LabelError, UnsupportedMaskError
from gpuseg.palette import voc_colormap
from tests.making import PALETTE, mask

PLTE = voc_colormap(256).tobytes()


@pytest.mark.parametrize("classes", [1, 2, 4, 11, 16, 17, 256])
def test_palette_png_keeps_index_255_and_all_256_entries(tmp_path: Path, classes: int) -> None:
    """Pillow would write 1, 2 or 4 bits for a short palette and turn 255 into 1, 3 or 15."""
    labels = (np.arange(256) % classes).astype(np.uint8).reshape(16, 16)
    labels[0, 0] = 255
    plte = voc_colormap(classes).tobytes().ljust(768, b"\0")
    data = label_png.write_label(labels, plte)
    assert data[24:26] == b"\x08\x03"  # IHDR: 8 bits, palette
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.array(image), labels)
        assert bytes(image.getpalette()) == plte


def test_short_palette_is_refused() -> None:
    with pytest.raises(LabelError, match="all 256"):
        label_png.write_label(np.zeros((2, 2), np.uint8), PLTE[:33])
    with pytest.raises(LabelError, match="at least one pixel"):
        label_png.write_label(np.zeros((0, 2), np.uint8), PLTE)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_label_round_trip(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, seed: int, wide: bool
) -> None:
    dtype = np.uint16 if wide else np.uint8
    labels = np.random.default_rng(seed).integers(
        0, np.iinfo(dtype).max + 1, (height, width), dtype
    )
    path = tmp_path_factory.getbasetemp() / "round-trip.png"
    path.write_bytes(label_png.write_label(labels, None if wide else PLTE))
    found, plte = label_png.read_label(path)
    assert found.dtype == dtype
    assert np.array_equal(found, labels)
    assert plte == (None if wide else PLTE)


def test_other_tools_read_the_files_alike(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    labels = np.random.default_rng(0).integers(0, 6, (50, 31), np.uint8)
    path = tmp_path / "label.png"
    path.write_bytes(label_png.write_label(labels, PALETTE.plte(), Fingerprint(b"x" * 16, 3)))
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], PALETTE.colours[labels])
    if tool := shutil.which("pngcheck"):
        done = subprocess.run([tool, "-v", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "31 x 50 image, 8-bit palette" in done.stdout
    deep = tmp_path / "deep.png"
    deep.write_bytes(label_png.write_label(labels.astype(np.uint16) * 300, None))
    assert np.array_equal(
        cv2.imread(str(deep), cv2.IMREAD_UNCHANGED), labels.astype(np.uint16) * 300
    )


def test_fingerprint_is_read_back_from_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    mark = Fingerprint(bytes(range(16)), 1 << 40)
    data = label_png.write_label(np.zeros((3, 3), np.uint8), PLTE, mark)
    path.write_bytes(data)
    assert read_fingerprint(str(path)) == mark
    for cut_off in (data[:-1], data[:200], b""):  # ours, and up to date with nothing
        path.write_bytes(cut_off)
        assert read_fingerprint(str(path)).digest == b""
    for damaged in (data.replace(b"gpSG", b"gpSH"), data[:60] + b"\1" + data[61:], END):
        path.write_bytes(damaged)
        assert read_fingerprint(str(path)) is None
    path.write_bytes(label_png.write_label(np.zeros((3, 3), np.uint8), PLTE))
    assert read_fingerprint(str(path)) is None


def test_read_label_refuses_colour_images(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(mask(3, 3)).save(path)
    with pytest.raises(UnsupportedMaskError, match="holds colours"):
        label_png.read_label(path)
