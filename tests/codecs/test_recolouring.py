"""Other colours by exchanging chunks: judged by Pillow, OpenCV and pngcheck; no index changes."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.codecs.recolouring import Recoloured, recolour
from gpuseg.errors import BrokenMaskError, MaskSizeError, UnreadableMaskError, UnsupportedMaskError
from tests import pngs
from tests.making import indices
from tests.pngs import GREY, assemble, chunk, filtered, ihdr, interlaced, pack, zlib_stream
from tests.pngs import PALETTE as INDEXED
from tests.real import HERE, real_pngs

LIMIT = 1 << 20
MARK = Fingerprint(bytes(range(16)), 7)
COLOURS = np.random.default_rng(3).permutation(1 << 24)[:256].astype("<u4")
COLOURS = COLOURS.view(np.uint8).reshape(256, 4)[:, :3]
PLTE = COLOURS.tobytes()


def pixels_of(labels: np.ndarray, bits: int, passes: int = 0, cuts: tuple[int, ...] = ()) -> bytes:
    rows = interlaced(labels[..., None], bits) if passes else b""
    numbers = [y % 5 for y in range(len(labels))]
    data = zlib_stream(rows or filtered(pack(labels, bits), 1, numbers))
    return b"".join(pngs.idats(data, cuts))


def made(labels: np.ndarray, bits: int, kind: int, *extra: bytes, passes: int = 0) -> bytes:
    """A label map by hand. extra: chunks between header and pixels."""
    header = ihdr(labels.shape[1], labels.shape[0], bits, kind, 0, 0, passes)
    return assemble(header, *extra, pixels_of(labels, bits, passes))


def plte(bits: int) -> bytes:
    return chunk(b"PLTE", bytes(3 << bits))


def of(folder: Path, png: bytes, limit: int = LIMIT) -> Recoloured:
    path = folder / "source.png"
    path.write_bytes(png)
    return recolour(str(path), PLTE, MARK, limit)


def names(png: bytes) -> list[bytes]:
    """The chunks of a file, their checksums by zlib."""
    at, found = 8, []
    while at < len(png):
        length = struct.unpack_from(">I", png, at)[0]
        body = png[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(body)
        found.append(body[:4])
        at += 12 + length
    return found


def check(found: Recoloured, labels: np.ndarray, bits: int) -> None:
    """Indices and colours, by Pillow; the file by the chunks' order."""
    with Image.open(io.BytesIO(found.data)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), labels)
        assert bytes(image.getpalette("RGB")) == PLTE[: 3 << bits]
    assert (found.width, found.height) == labels.shape[::-1]
    order = names(found.data)
    assert order[:2] == [b"IHDR", b"gpSG"]
    assert order.index(b"PLTE") < order.index(b"IDAT")
    assert order[-1] == b"IEND"
    cv2 = pytest.importorskip("cv2")
    seen = cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(seen[..., ::-1], COLOURS[labels])


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", [GREY, INDEXED])
@pytest.mark.parametrize("passes", [0, 1])
def test_every_depth_and_kind(tmp_path: Path, bits: int, kind: int, passes: int) -> None:
    labels = indices(13, 21, classes=min(1 << bits, 200))
    extra = [plte(bits)] if kind == INDEXED else []
    found = of(tmp_path, made(labels, bits, kind, *extra, passes=passes))
    check(found, labels, bits)
    path = tmp_path / "found.png"
    path.write_bytes(found.data)
    assert read_fingerprint(str(path)) == MARK
    assert found.warnings == ()
    again = recolour(str(path), PLTE, MARK, LIMIT)
    assert again.data == found.data  # an earlier fingerprint is replaced


@settings(max_examples=60, deadline=None)
@given(data=st.data(), bits=st.sampled_from([1, 2, 4, 8]), kind=st.sampled_from([GREY, INDEXED]))
def test_any_labels_and_cuts(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, bits: int, kind: int
) -> None:
    shape = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 40)))
    seed = data.draw(st.integers(0, 99))
    labels = np.random.default_rng(seed).integers(0, 1 << bits, shape, np.uint8)
    cuts = tuple(data.draw(st.lists(st.integers(0, 60), max_size=3)))
    parts = [plte(bits)] if kind == INDEXED else []
    png = assemble(ihdr(shape[1], shape[0], bits, kind), *parts, pixels_of(labels, bits, 0, cuts))
    folder = tmp_path_factory.getbasetemp()
    check(of(folder, png), labels, bits)


def test_what_other_colours_leave_true_stays_in_its_order(tmp_path: Path) -> None:
    labels = indices(5, 6)
    head = ihdr(6, 5, 8, INDEXED)
    before = [chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"sRGB", b"\0")]
    after = [chunk(b"tRNS", b"\0\xff"), chunk(b"bKGD", b"\2"), chunk(b"pHYs", bytes(9))]
    wrong = [chunk(b"hIST", bytes(512)), chunk(b"sPLT", b"a\0\x08"), chunk(b"sBIT", b"\5\5\5")]
    end = chunk(b"tEXt", b"Comment\0kept")
    png = assemble(head, wrong[2], *before, plte(8), *after, *wrong[:2], pixels_of(labels, 8), end)
    found = of(tmp_path, png)
    check(found, labels, 8)
    assert b"".join(before) in found.data
    kept = b"IHDR gpSG gAMA sRGB PLTE tRNS bKGD pHYs IDAT tEXt IEND"
    assert names(found.data) == kept.split()
    with Image.open(io.BytesIO(found.data)) as image:
        image.load()
        assert image.info["transparency"] == 0
        assert image.info["Comment"] == "kept"


def test_a_grey_background_and_profile_would_be_wrong(tmp_path: Path) -> None:
    labels = indices(5, 6)
    profile = chunk(b"iCCP", b"grey\0\0" + zlib.compress(bytes(128)))
    extra = [profile, chunk(b"sBIT", b"\5"), chunk(b"gAMA", bytes(4)), chunk(b"bKGD", b"\0\1")]
    found = of(tmp_path, made(labels, 8, GREY, *extra))
    check(found, labels, 8)
    assert names(found.data) == b"IHDR gpSG gAMA PLTE IDAT IEND".split()


@pytest.mark.parametrize("place", ["long", "early", "late"])
def test_invalid_transparency_goes_with_a_warning(tmp_path: Path, place: str) -> None:
    labels = indices(5, 6)
    alpha = chunk(b"tRNS", bytes(7 if place == "long" else 3))
    parts = [chunk(b"PLTE", bytes(18)), pixels_of(labels, 8)]
    parts.insert({"early": 0, "long": 1, "late": 2}[place], alpha)
    found = of(tmp_path, assemble(ihdr(6, 5, 8, INDEXED), *parts))
    check(found, labels, 8)
    assert b"tRNS" not in names(found.data)
    assert "transparency" in found.warnings[0]


LABELS = indices(5, 6)
HEAD = ihdr(6, 5, 8, INDEXED)
PIXELS = pixels_of(LABELS, 8)
BAD = {
    "nothing": (b"", "empty"),
    "cut in the header": (assemble(HEAD)[:20], "cut off"),
    "no header": (assemble(plte(8), PIXELS), "header"),
    "no palette": (assemble(HEAD, PIXELS), "no palette"),
    "late palette": (assemble(HEAD, PIXELS, plte(8)), "no palette"),
    "two palettes": (assemble(HEAD, plte(8), plte(8), PIXELS), "where none may be"),
    "two headers": (assemble(HEAD, HEAD, plte(8), PIXELS), "must be understood"),
    "palette of grey": (assemble(ihdr(6, 5, 8, GREY), plte(8), PIXELS), "where none may be"),
    "uneven palette": (assemble(HEAD, chunk(b"PLTE", bytes(4)), PIXELS), "4 bytes"),
    "long palette": (assemble(ihdr(6, 5, 2, INDEXED), plte(4), PIXELS), "48 bytes"),
    "no pixels": (assemble(HEAD, plte(8)), "no pixels"),
    "pixels twice": (assemble(HEAD, plte(8), PIXELS, chunk(b"tEXt", b""), PIXELS), "several"),
    "strange chunk": (assemble(HEAD, plte(8), chunk(b"ABCd", b""), PIXELS), "understood"),
    "no name": (assemble(HEAD, plte(8), chunk(b"a1b2", b""), PIXELS), "understood"),
    "three bits": (assemble(ihdr(6, 5, 3, INDEXED), plte(2), PIXELS), "3 bits"),
    "no width": (assemble(ihdr(0, 5, 8, INDEXED), plte(8), PIXELS), "0 x 5"),
    "packed": (assemble(ihdr(6, 5, 8, INDEXED, 1, 0, 0), plte(8), PIXELS), "does not know"),
    "passes": (assemble(ihdr(6, 5, 8, INDEXED, 0, 0, 2), plte(8), PIXELS), "does not know"),
    "flipped": (assemble(HEAD, plte(8), PIXELS).replace(PIXELS, PIXELS[:-1] + b"?"), "checksum"),
    "cut": (assemble(HEAD, plte(8), PIXELS)[:-9], "cut off"),
}
OTHER = {
    "text": (b"some text", "no PNG"),
    "16 bits": (assemble(ihdr(6, 5, 16, GREY), PIXELS), "16 bits"),
    "RGB": (assemble(ihdr(6, 5, 8, pngs.RGB), PIXELS), "RGB"),
    "grey and alpha": (assemble(ihdr(6, 5, 8, pngs.GREY_ALPHA), PIXELS), "alpha"),
    "transparent grey": (made(LABELS, 8, GREY, chunk(b"tRNS", b"\0\0")), "tRNS"),
    "frames": (assemble(HEAD, chunk(b"acTL", bytes(8)), plte(8), PIXELS), "APNG"),
    "mostly text": (
        assemble(HEAD, plte(8), PIXELS, chunk(b"tEXt", bytes(3 << 20))),
        "something else",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_damage(tmp_path: Path, name: str) -> None:
    png, message = BAD[name]
    with pytest.raises(BrokenMaskError, match=message):
        of(tmp_path, png)


@pytest.mark.parametrize("name", OTHER)
def test_other_files(tmp_path: Path, name: str) -> None:
    png, message = OTHER[name]
    with pytest.raises(UnsupportedMaskError, match=message):
        of(tmp_path, png)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), kind=st.sampled_from([GREY, INDEXED]))
def test_what_pillow_reads_keeps_its_indices_whatever_else_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: int
) -> None:
    """Bytes are changed and checksums made right again: a refusal, or the same indices."""
    extra = [chunk(b"PLTE", bytes(768)), chunk(b"tRNS", b"\0")] if kind == INDEXED else []
    png = bytearray(made(LABELS, 8, kind, *extra, chunk(b"bKGD", bytes(2))))
    for _ in range(data.draw(st.integers(1, 2))):
        png[data.draw(st.integers(8, len(png) - 13))] = data.draw(st.integers(0, 255))
    changed = pngs.mend(bytes(png))
    folder = tmp_path_factory.getbasetemp()
    try:
        found = of(folder, changed)
    except (BrokenMaskError, UnsupportedMaskError, MaskSizeError):
        return
    names(found.data)
    try:
        with Image.open(io.BytesIO(changed)) as image:
            want = np.array(image)
    except (OSError, SyntaxError, ValueError, zlib.error):
        return  # damage inside the zlib stream stays what it is
    if image.mode in ("P", "L") and changed[24] == 8:  # fewer bits Pillow stretches
        with Image.open(io.BytesIO(found.data)) as again:
            assert np.array_equal(np.array(again), want)


def test_the_size_is_limited_by_the_header(tmp_path: Path) -> None:
    with pytest.raises(MaskSizeError, match="claims 6 x 5"):
        of(tmp_path, assemble(HEAD, plte(8), PIXELS), limit=29)
    with pytest.raises(UnreadableMaskError, match="cannot be opened"):
        recolour(str(tmp_path / "none.png"), PLTE, MARK, LIMIT)


def test_files_of_many_blocks(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 256, (1000, 1500), np.uint8)
    check(of(tmp_path, made(labels, 8, INDEXED, plte(8)), limit=1 << 24), labels, 8)


def test_what_looks_like_an_end_is_none(tmp_path: Path) -> None:
    """The last bytes of the first block that is read are those of a PNG."""
    end = chunk(b"IEND", b"")
    length = (1 << 16) - len(assemble(HEAD)) - 8  # of the text, so that it ends that block
    text = chunk(b"tEXt", (b"a\0" + b"b" * length)[:length] + end)
    png = assemble(HEAD, text, plte(8), PIXELS)
    assert png[: 1 << 16].endswith(end)
    found = of(tmp_path, png).data
    assert text in found
    assert found.endswith(PIXELS + end)


def check_real(folder: Path, sets: dict[str, list[Path]], least: int) -> None:
    """All palette and greyscale files of the sets: the same indices, and pngcheck is content."""
    kept = []
    for path in (path for paths in sets.values() for path in paths):
        with Image.open(path) as image:
            if image.mode not in ("P", "L") or image.format != "PNG":
                continue
            raw, labels = image.tile[0][3], np.array(image)
        if raw in ("L;2", "L;4"):  # Pillow stretches them
            labels = labels // (85 if raw == "L;2" else 17)
        try:
            found = recolour(str(path), PLTE, MARK, 1 << 26)
        except (BrokenMaskError, UnsupportedMaskError):
            assert path.parent.name == "pngsuite", path
            continue
        with Image.open(io.BytesIO(found.data)) as image:
            assert image.mode == "P", path
            assert np.array_equal(np.asarray(image), labels), path
        kept.append(folder / f"{len(kept)}.png")
        kept[-1].write_bytes(found.data)
    assert len(kept) >= least
    if tool := shutil.which("pngcheck"):
        done = subprocess.run([tool, "-q", *kept], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_real_label_maps(tmp_path: Path) -> None:
    check_real(tmp_path, real_pngs(HERE), least=2)


def test_label_maps_of_the_other_sets(tmp_path: Path, shared: Path) -> None:
    check_real(tmp_path, real_pngs(shared / "data", but=HERE), least=60)
