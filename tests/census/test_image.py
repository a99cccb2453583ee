"""The census of one image equals what Pillow and NumPy count, whatever kind it is."""

from __future__ import annotations

import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuseg.census import image as module
from gpuseg.census.image import Census, take_census
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.palette_png import palette_png
from gpuseg.errors import BrokenMaskError, MaskSizeError, UnreadableMaskError
from gpuseg.kernels.deflate import deflate_labels
from gpuseg.options import DEFAULT_MAX_PIXELS
from tests.making import PALETTE, indices, mask
from tests.pngs import GREY, RGB, assemble, chunk, ihdr, interlaced, pack, png
from tests.pngs import PALETTE as PALETTE_KIND


def census_of(path: Path) -> Census:
    return take_census(str(path), DEFAULT_MAX_PIXELS)


def colour_counts(pixels: np.ndarray) -> dict[int, int]:
    """Key -> pixels of an RGB array, one by one."""
    wide = pixels.reshape(-1, pixels.shape[-1]).astype(np.int64)
    keys, counts = np.unique(wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16, return_counts=True)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def counted(census: Census) -> dict[int, int]:
    assert len(set(census.values.tolist())) == len(census.values)
    return dict(zip(census.values.tolist(), census.counts.tolist(), strict=True))


def numbers(labels: np.ndarray) -> dict[int, int]:
    values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a process that has seen no mask."""
    monkeypatch.setattr(module, "_known", None)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), colours=st.integers(1, 400), alpha=st.booleans())
def test_colours_of_one_mask_after_another(
    tmp_path_factory: pytest.TempPathFactory, seed: int, colours: int, alpha: bool
) -> None:
    """The first has only new colours, the second some, the third none; 400 are too many."""
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("masks")
    palette = rng.integers(0, 256, (colours, 4), np.uint8)
    palette[:, 3] = 255
    for number, share in enumerate([0.3, 0.7, 1, 1]):
        some = rng.integers(0, max(1, int(colours * share)), (23, 41))
        pixels = palette[some][..., : 4 if alpha else 3]
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        census = census_of(path)
        assert (census.kind, census.bits, census.codec) == ("RGB", 8, "png")
        assert counted(census) == colour_counts(pixels)
        assert census.is_opaque
        assert (census.alpha is not None) == alpha


def test_more_colours_than_are_remembered(tmp_path: Path) -> None:
    """Files of 100 other colours each: the third finds no room, and is counted all the same."""
    for number in range(5):
        values = np.arange(100, dtype=np.uint8).reshape(10, 10)
        pixels = np.stack([values, np.full_like(values, number), values], axis=-1)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    for _ in range(2):
        for number in range(5):
            assert len(census_of(tmp_path / f"{number}.png").values) == 100
    assert module._known_colours()._taken == 200


def test_threads_remember_colours_at_once(tmp_path: Path) -> None:
    for number in range(12):
        pixels = mask(9, 14, seed=number)
        pixels[0, 0] = (200, number, 7)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    wrong: list[str] = []

    def work() -> None:
        for path in sorted(tmp_path.iterdir()):
            with Image.open(path) as image:
                want = colour_counts(np.array(image))
            if counted(census_of(path)) != want:
                wrong.append(path.name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", [GREY, PALETTE_KIND])
@pytest.mark.parametrize("width", [1, 7, 16])
def test_indices_of_every_depth(tmp_path: Path, bits: int, kind: int, width: int) -> None:
    labels = indices(11, width, seed=bits, classes=min(1 << bits, 200))
    rows = b"".join(b"\0" + row.tobytes() for row in pack(labels, bits))
    plte = [chunk(b"PLTE", bytes(range(3)) * (1 << bits))] if kind == PALETTE_KIND else []
    path = tmp_path / "a.png"
    path.write_bytes(png(width, 11, bits, kind, rows, *plte))
    census = census_of(path)
    assert (census.kind, census.bits) == ("grey" if kind == GREY else "palette", bits)
    assert counted(census) == numbers(labels)
    assert census.entries == (0 if kind == GREY else 1 << bits)


def test_what_only_pillow_reads(tmp_path: Path) -> None:
    pixels, labels = mask(12, 17), indices(12, 17)
    deep = labels.astype(np.uint16) * 1000
    Image.fromarray(pixels).save(tmp_path / "a.bmp")
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(labels).save(tmp_path / "grey.bmp")
    for name, kind, bits, want in (
        ("a.bmp", "RGB", 8, colour_counts(pixels)),
        ("a.tif", "RGB", 8, colour_counts(pixels)),
        ("deep.png", "grey", 16, numbers(deep)),
        ("grey.bmp", "grey", 8, numbers(labels)),
    ):
        census = census_of(tmp_path / name)
        assert (census.kind, census.bits, census.codec) == (kind, bits, "pillow"), name
        assert counted(census) == want, name


def test_alpha_is_counted_and_colours_below_it_too(tmp_path: Path) -> None:
    pixels = np.dstack([mask(12, 17), np.full((12, 17), 255, np.uint8)])
    pixels[3, :5, 3] = 7
    pixels[4, 0, 3] = 254
    Image.fromarray(pixels).save(tmp_path / "a.png")
    census = census_of(tmp_path / "a.png")
    assert census.alpha is not None
    alpha = census.alpha
    assert (alpha.values, alpha.least, alpha.largest, alpha.clear) == (3, 7, 255, 6)
    assert not census.is_opaque
    assert counted(census) == colour_counts(pixels)


def test_transparent_entries_count_where_they_are_used(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 1], [2, 2, 2]], np.uint8), "L").convert("P")
    image.putpalette([0, 0, 0, 9, 9, 9, 8, 8, 8])
    for name, transparency, clear in (("one", 1, 2), ("bytes", b"\xff\x00\x10", 5)):
        image.save(tmp_path / f"{name}.png", transparency=transparency)
        census = census_of(tmp_path / f"{name}.png")
        assert census.alpha is not None
        assert census.alpha.clear == clear
    image.save(tmp_path / "unused.png", transparency=b"\xff\xff\xff\x00")
    assert census_of(tmp_path / "unused.png").is_opaque


def test_interlaced(tmp_path: Path) -> None:
    pixels = mask(9, 14)
    data = chunk(b"IDAT", zlib.compress(interlaced(pixels, 8)))
    (tmp_path / "a.png").write_bytes(assemble(ihdr(14, 9, 8, RGB, 0, 0, 1), data))
    census = census_of(tmp_path / "a.png")
    assert census.interlaced
    assert counted(census) == colour_counts(pixels)


def test_colours_of_a_palette_with_one_twice(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 2, 2]], np.uint8), "L").convert("P")
    image.putpalette([5, 5, 5, 9, 9, 9, 5, 5, 5])
    image.save(tmp_path / "a.png")
    keys, counts = census_of(tmp_path / "a.png").colours()
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == {0x050505: 3, 0x090909: 1}


def test_the_fingerprint_of_gpuseg(tmp_path: Path) -> None:
    labels = indices(12, 17)
    mark = Fingerprint(b"d" * 16, 41)
    data = palette_png(17, 12, deflate_labels(labels), PALETTE.plte(), mark)
    (tmp_path / "a.png").write_bytes(data)
    census = census_of(tmp_path / "a.png")
    assert census.fingerprint == mark
    assert census.plte == PALETTE.plte()
    assert counted(census) == numbers(labels)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    Image.fromarray(mask(12, 17)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:-30])
    (tmp_path / "no.png").write_bytes(b"hello")
    for name in ("cut.png", "no.png"):
        with pytest.raises(BrokenMaskError):
            census_of(tmp_path / name)
    with pytest.raises(UnreadableMaskError):
        census_of(tmp_path / "gone.png")
    with pytest.raises(MaskSizeError):
        take_census(str(tmp_path / "a.png"), 100)
