"""Bytes nobody meant: the reader answers with pixels or with a MaskError, nothing else."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs.label_png import read_label
from gpuseg.codecs.pillow import read_mask
from gpuseg.errors import MaskError
from tests.making import PALETTE, indices, mask
from tests.pngs import mend

FORMATS = ("PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG")
LIMIT = 10_000

few = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@cache
def whole(kind: str, paletted: bool) -> bytes:
    image = Image.fromarray(mask(7, 9))
    if paletted and kind not in ("WEBP", "JPEG"):
        image = Image.fromarray(indices(7, 9), "P")
        image.putpalette(PALETTE.colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return buffer.getvalue()


def check(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with contextlib.suppress(MaskError):
        found = read_mask(str(path), LIMIT)
        assert found.pixels.dtype == "uint8"
        assert 0 < found.pixels.size <= 3 * LIMIT
    with contextlib.suppress(MaskError):
        read_label(path)


@few
@given(st.binary(max_size=200), st.sampled_from([b"", *(whole(k, False)[:12] for k in FORMATS)]))
def test_random_bytes(tmp_path: Path, data: bytes, start: bytes) -> None:
    check(tmp_path / "x", start + data)


@few
@given(st.data())
@pytest.mark.parametrize("kind", FORMATS)
def test_changed_files(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content = bytearray(whole(kind, data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        edit = data.draw(st.sampled_from(["set", "cut", "insert", "remove"]))
        few_bytes = data.draw(st.binary(min_size=1, max_size=4))
        if edit == "set":
            content[at : at + len(few_bytes)] = few_bytes
        elif edit == "cut":
            del content[at:]
        elif edit == "insert":
            content[at:at] = few_bytes
        else:
            del content[at : at + len(few_bytes)]
    mended = kind == "PNG" and data.draw(st.booleans())
    check(tmp_path / "x", mend(bytes(content)) if mended else bytes(content))
