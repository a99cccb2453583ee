"""The direct path against the Pillow codec: the same labels, or both refuse the file."""

from __future__ import annotations

import io
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs import png
from gpuseg.convert import convert_files
from gpuseg.errors import MaskSizeError, UnreadableMaskError
from tests.codecs import peculiar
from tests.codecs.both import PALETTE, Both, check_same
from tests.codecs.made import Made, expected_labels, made_pngs
from tests.helpers import read_report
from tests.making import read_indices
from tests.pngs import PALETTE as INDEXED
from tests.pngs import RGB, RGBA, assemble, chunk, ihdr, mend, stretched, zlib_stream

MIB = 1 << 20

few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Colours outside the palette are refused."""
    return Both(tmp_path_factory.mktemp("both"), grey="colours")


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Colours outside the palette become 255: the way over the pixels.

    No large images, for damaged files may claim any size.
    """
    options = {"grey": "colours", "unknown": "ignore", "max_pixels": 1 << 16}
    return Both(tmp_path_factory.mktemp("lenient"), **options)


@few
@given(made=made_pngs(PALETTE, strange=0.0))
def test_whole_files(lenient: Both, made: Made) -> None:
    auto, pillow = lenient.convert(made.png)
    check_same(auto, pillow)
    assert np.array_equal(auto.labels, expected_labels(made, PALETTE, unknown="ignore"))
    assert auto.row.codec == ("png" if made.direct else "pillow")
    assert (auto.row.format, pillow.row.codec) == ("PNG", "pillow")


@few
@given(made=made_pngs(PALETTE, strange=0.05))
def test_unknown_colours(both: Both, lenient: Both, made: Made) -> None:
    check_same(*both.convert(made.png))
    auto, pillow = lenient.convert(made.png)
    check_same(auto, pillow)
    assert np.array_equal(auto.labels, expected_labels(made, PALETTE, unknown="ignore"))


@pytest.mark.parametrize("name", peculiar.DIRECT)
def test_read_by_the_direct_path(both: Both, name: str) -> None:
    auto, pillow = both.convert(peculiar.DIRECT[name])
    check_same(auto, pillow)
    assert auto.row.codec == "png"
    with Image.open(both.path) as image:
        colours = np.array(image.convert("RGB"))
    assert np.array_equal(PALETTE.colours[auto.labels], colours)


@pytest.mark.parametrize("name", peculiar.LEFT_TO_PILLOW)
def test_left_to_pillow(both: Both, name: str) -> None:
    auto, pillow = both.convert(peculiar.LEFT_TO_PILLOW[name])
    check_same(auto, pillow)
    assert auto.row.codec == "pillow"
    assert np.array_equal(auto.labels, peculiar.LABELS)


@pytest.mark.parametrize("name", peculiar.FAIL)
def test_refused_by_both(both: Both, name: str) -> None:
    auto, pillow = both.convert(peculiar.FAIL[name])
    assert auto.failed
    assert pillow.failed
    assert auto.row.error == pillow.row.error


@pytest.mark.parametrize("name", peculiar.STRICTER)
def test_refused_where_pillow_itself_is_lenient(both: Both, name: str) -> None:
    auto, pillow = both.convert(peculiar.STRICTER[name])
    for outcome in (auto, pillow):
        assert outcome.failed
        assert outcome.row.error == "broken"
    with Image.open(both.path) as image:
        image.load()


def test_a_wrong_adler_is_refused(both: Both) -> None:
    """By Pillow itself only if its zlib looks before the last row is out."""
    for outcome in both.convert(peculiar.stream(peculiar.WRONG_ADLER)):
        assert outcome.failed
        assert "data check" in outcome.row.message


@pytest.mark.parametrize("name", peculiar.LAXER)
def test_refused_by_pillow_only(both: Both, name: str) -> None:
    auto, pillow = both.convert(peculiar.LAXER[name])
    assert pillow.failed
    assert auto.row.codec == "png"
    assert np.array_equal(auto.labels, peculiar.LABELS)


@pytest.mark.parametrize("name", ["plain", "palette"])
def test_every_cut_and_every_flip_is_noticed(both: Both, name: str) -> None:
    whole = peculiar.DIRECT[name]
    for at in range(len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        for damaged in (whole[:at], bytes(flipped)):
            auto, pillow = both.convert(damaged)
            assert auto.failed, at
            assert pillow.failed, at
            assert auto.row.error == "broken" or at < 33  # the header also says what it is
            assert auto.row.error == pillow.row.error


@settings(few, max_examples=250)
@given(data=st.data())
def test_damage_under_right_checksums(lenient: Both, data: st.DataObject) -> None:
    """They differ over damaged pixel data, and over chunks that say nothing of pixels."""
    whole = peculiar.DIRECT[data.draw(st.sampled_from(sorted(peculiar.DIRECT)))]
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(8, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    damaged = mend(bytes(content))
    auto, pillow = lenient.convert(damaged)
    if auto.failed and not pillow.failed:
        assert auto.row.codec == "png"
        assert re.search("its pixels|cannot be decoded", auto.row.message), auto.row
    elif pillow.failed and not auto.failed:
        assert b"tEXt" in whole or b"gAMA" in whole, pillow.row
    else:
        check_same(auto, pillow)


@pytest.mark.parametrize("kind", [RGB, INDEXED, RGBA])
@pytest.mark.parametrize("length", [900 * MIB, 1200 * MIB])
def test_a_bomb_is_not_inflated(both: Both, kind: int, length: int) -> None:
    """10 x 10 pixels, then a GiB of zeros in a MiB of file: less and more than is read at all."""
    row = bytes(1 + 10 * {RGB: 3, INDEXED: 1, RGBA: 4}[kind])
    colour = b"\0\0\0\xff" * 10 if kind == RGBA else row[1:]
    stream = stretched(length, (b"\0" + colour) * 10)
    assert len(stream) < length / 900
    plte = [chunk(b"PLTE", bytes(3))] * (kind == INDEXED)
    file = assemble(ihdr(10, 10, 8, kind), *plte, chunk(b"IDAT", stream))
    both.convert(peculiar.DIRECT["plain"])  # what is loaded once is not counted
    both.path.write_bytes(file)
    tracemalloc.start()
    try:
        auto, pillow = both.convert_path(both.path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    check_same(auto, pillow)
    assert peak < 8 * MIB
    assert auto.labels is not None
    assert not auto.labels.any()


def test_a_large_size_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(peculiar.sized(1 << 20, 1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(MaskSizeError, match="--max-pixels 1099511627776"):
            png.read_scanlines(path, 1 << 28)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


def test_the_limit_is_the_last_size_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(peculiar.DIRECT["plain"])
    pixels = peculiar.WIDTH * peculiar.HEIGHT
    assert png.read_scanlines(path, pixels).width == peculiar.WIDTH
    with pytest.raises(MaskSizeError):
        png.read_scanlines(path, pixels - 1)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMaskError, match="No such file"):
        png.read_scanlines(tmp_path / "none.png", 1000)
    with pytest.raises(UnreadableMaskError, match="cannot be opened"):
        png.read_scanlines(tmp_path, 1000)


@pytest.mark.parametrize("start", [b"", b"\x89PNG", b"GIF89a" + bytes(99), b"\xff\xd8\xff" * 20])
def test_other_files_are_not_direct(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a.png").write_bytes(start)
    with pytest.raises(png.NotDirectError):
        png.read_scanlines(tmp_path / "a.png", 1000)


def test_the_scanlines_are_those_of_the_file(tmp_path: Path) -> None:
    """Large enough for several reads and several blocks; each call of inflate begins anew."""
    height, width = 900, 1000
    rows = np.random.default_rng(0).integers(0, 256, (height, 1 + 3 * width), np.uint8)
    rows[:, 0] %= 5
    path = tmp_path / "a.png"
    path.write_bytes(
        assemble(ihdr(width, height, 8, RGB), chunk(b"IDAT", zlib_stream(rows.tobytes(), 1)))
    )
    mask = png.read_scanlines(path, 1 << 20)
    assert (mask.width, mask.height, mask.channels, mask.bits) == (width, height, 3, 8)
    assert (mask.colours, mask.codec, mask.format, mask.row_bytes) == (None, "png", "PNG", 3000)
    for _ in range(2):
        blocks = list(mask.inflate())
        assert len(blocks) > 1
        assert all(len(block) % 3001 == 0 for block in blocks)
        found = np.frombuffer(b"".join(blocks), np.uint8)
        assert np.array_equal(found, rows.reshape(-1))


def test_the_report_says_which_codec_read_a_file(tmp_path: Path) -> None:
    """Through the public door: a direct file, one for Pillow, and one that is no PNG."""
    names = {"a.png": "png", "b.png": "pillow", "c.png": "pillow"}
    (tmp_path / "a.png").write_bytes(peculiar.DIRECT["plain"])
    (tmp_path / "b.png").write_bytes(peculiar.LEFT_TO_PILLOW["interlaced"])
    buffer = io.BytesIO()
    Image.fromarray(peculiar.PIXELS).save(buffer, "BMP")
    (tmp_path / "c.png").write_bytes(buffer.getvalue())
    for codec in ("auto", "pillow"):
        out = tmp_path / codec
        report = convert_files(
            [tmp_path / name for name in names], out, PALETTE, codec=codec, device="cpu"
        )
        rows = read_report(report.path).files
        found = {name: row["codec"] for name, row in rows.items()}
        assert found == (names if codec == "auto" else dict.fromkeys(names, "pillow"))
        for name in names:
            assert np.array_equal(read_indices(out / name), peculiar.LABELS)


def test_chunks_without_number_take_little_memory(tmp_path: Path) -> None:
    """Empty IDAT chunks, 12 bytes each in the file, must not cost objects that stay."""
    data = peculiar.rgb(chunk(b"IDAT", b"") * 80_000, peculiar.BODY)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        found = png.read_scanlines(path, 10_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert b"".join(found.inflate()) == peculiar.ROWS
    assert peak < 4 * len(data)
