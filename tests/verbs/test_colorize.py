"""`colorize` over folders: exactly `index_to_rgb`, or exactly the blend of the specification."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import gpuseg
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.discover import Source
from gpuseg.errors import LabelError, UsageError
from gpuseg.kernels.reference import index_to_rgb
from gpuseg.palette import Palette, PaletteClass
from gpuseg.results import Report
from gpuseg.verbs.colorize import _Colouring
from tests import pngs
from tests.helpers import REPORT, read_report, tree
from tests.making import PALETTE, indices, save_mask
from tests.real import real_pngs
from tests.verbs.test_remap import save

OTHER = Palette.from_colours([(3 * i, 250 - i, i) for i in range(8)], name="other")


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save(tmp_path / "src" / "a.png", indices(12, 17))
    save(tmp_path / "src" / "sub" / "b.png", indices(12, 17, 1), "L")
    return tmp_path / "src"


def run(src: Path, **more: Any) -> Report:
    return gpuseg.colorize(src, src.parent / "dst", **more)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert "transparency" not in image.info
        return np.array(image)


def message_of(src: Path, name: str) -> str:
    return str(read_report(src.parent / "dst" / REPORT).files[name]["message"])


def test_a_folder_with_a_palette(src: Path) -> None:
    report = run(src, palette=OTHER)
    dst = src.parent / "dst"
    assert (report.files["converted"], report.exit_code, report.pixels) == (2, 0, 408)
    for seed, name in enumerate(tree(dst)):
        assert np.array_equal(read(dst / name), index_to_rgb(indices(12, 17, seed), OTHER))
    back = gpuseg.convert_directory(dst, src.parent / "back", OTHER, device="cpu")
    assert back.files["converted"] == 2
    for seed, name in enumerate(tree(dst)):
        found = gpuseg.load_label(src.parent / "back" / name)
        assert np.array_equal(found, indices(12, 17, seed))


def test_its_own_colours(src: Path) -> None:
    report = run(src)
    assert dict(report.files) == {"converted": 1, "failed": 1}
    assert np.array_equal(read(src.parent / "dst" / "a.png"), PALETTE.colours[indices(12, 17)])
    assert "--palette" in message_of(src, "sub/b.png")


def test_greyscale_has_the_palette_of_its_run(src: Path) -> None:
    masks = src.parent / "masks"
    save_mask(masks / "a.png")
    made = src.parent / "made"
    gpuseg.convert_directory(masks, made, PALETTE, device="cpu")
    labels = gpuseg.load_label(made / "a.png")
    save(made / "grey.png", labels, "L")
    report = gpuseg.colorize(made, src.parent / "dst")
    assert report.files["converted"] == 2
    want = index_to_rgb(labels, PALETTE)
    for name in ("a.png", "grey.png"):
        assert np.array_equal(read(src.parent / "dst" / name), want)
    one = gpuseg.colorize(made / "grey.png", src.parent / "one")
    assert one.files["converted"] == 1, one.failures
    assert np.array_equal(read(src.parent / "one" / "grey.png"), want)


def test_an_index_without_a_colour_is_a_row(src: Path) -> None:
    small = Palette.from_colours([(1, 1, 1), (2, 2, 2)], name="small")
    labels = indices(12, 17)
    run(src, palette=small)
    dst = src.parent / "dst"
    assert tree(dst) == []
    told = message_of(src, "a.png")
    assert "palette 'small'" in told
    for index in range(2, 6):
        assert f"{index} ({np.count_nonzero(labels == index)} px)" in told
    with pytest.raises(LabelError):
        index_to_rgb(labels, small)


def test_an_index_beyond_its_own_palette_is_a_row(tmp_path: Path) -> None:
    labels = indices(5, 6, classes=4)
    labels[0, 0] = 255
    rows = pngs.filtered(labels, 1, [0] * 5)
    entries = pngs.chunk(b"PLTE", PALETTE.plte()[:12])
    path = tmp_path / "a.png"
    path.write_bytes(pngs.png(6, 5, 8, pngs.PALETTE, rows, entries))
    report = gpuseg.colorize(path, tmp_path / "dst")
    assert report.failures[0].error == "label"
    assert "its own palette of 4 entries: 255 (1 px)" in report.failures[0].message
    report = gpuseg.colorize(path, tmp_path / "dst", ignore_index=255)
    assert report.exit_code == 0
    found = read(tmp_path / "dst" / "a.png")
    assert tuple(found[0, 0]) == (224, 224, 192)
    assert np.array_equal(found[1:], PALETTE.colours[labels[1:]])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    bits=st.sampled_from([1, 2, 4, 8, 16]),
    ignored=st.sampled_from([None, 0, 200]),
)
def test_any_file_is_what_the_specification_says(
    tmp_path_factory: pytest.TempPathFactory, seed: int, bits: int, ignored: int | None
) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 40, 2).tolist()
    chosen = rng.permutation(1 << bits)[: rng.integers(2, 300)]
    coarse = rng.choice(chosen, (height // 3 + 1, width // 4 + 1))
    labels = np.repeat(np.repeat(coarse, 3, 0), 4, 1)[:height, :width]
    labels = labels.astype(np.uint16 if bits == 16 else np.uint8)
    different = np.unique(rng.integers(0, 1 << 24, 400))[: len(chosen)]
    colours = different.astype("<u4").view(np.uint8).reshape(-1, 4)
    palette = Palette(
        tuple(
            PaletteClass(int(index), "c", tuple(map(int, colour[:3])))  # type: ignore[arg-type]
            for index, colour in zip(chosen, colours, strict=True)
        )
    )
    packed = pngs.pack(labels, bits) if bits < 16 else labels.astype(">u2").view(np.uint8)
    lines = pngs.filtered(packed.reshape(height, -1), max(1, bits // 8), [0] * height)
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.png").write_bytes(pngs.png(width, height, bits, pngs.GREY, lines))
    report = gpuseg.colorize(
        folder / "a.png", folder / "dst", palette=palette, ignore_index=ignored, workers=1
    )
    assert report.exit_code == 0, report.failures
    found = read(folder / "dst" / "a.png")
    assert np.array_equal(found, index_to_rgb(labels, palette, ignored or 65535))
    assert np.array_equal(found, gpuseg.index_to_rgb(labels, palette, ignore_index=ignored))


def test_resume_knows_all_that_shapes_the_colours(src: Path) -> None:
    photos(src)
    run(src, palette=PALETTE)
    assert run(src, palette=PALETTE).files["unchanged"] == 2
    over = {"palette": PALETTE, "over": src.parent / "photos"}
    for more in ({"palette": OTHER}, {"palette": OTHER, "ignore_index": 1}, over):
        assert run(src, **more).files["converted"] == 2, more
    assert run(src, **over, alpha=0.25).files["converted"] == 2


def photos(src: Path, suffix: str = "png") -> np.ndarray:
    """A photograph for each label map; noise."""
    pixels = np.random.default_rng(5).integers(0, 256, (12, 17, 3), np.uint8)
    folder = src.parent / "photos"
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for name in ("a", "sub/b"):
        Image.fromarray(pixels).save(folder / f"{name}.{suffix}")
    return pixels


def test_a_label_map_in_other_formats(src: Path) -> None:
    save(src / "c.bmp", indices(12, 17, 2))
    save(src / "lossy.jpg", np.full((8, 8), 3, np.uint8), "L")
    save_mask(src / "colours.png")
    report = run(src, palette=PALETTE)
    assert dict(report.files) == {"converted": 4, "failed": 1}
    assert report.files_with_warnings == 1
    assert np.array_equal(read(src.parent / "dst" / "c.png"), PALETTE.colours[indices(12, 17, 2)])
    assert read_report(src.parent / "dst" / REPORT).failed() == ["colours.png"]


def test_workers_make_the_same(src: Path) -> None:
    """The maker travels to other processes, where its colours are made anew."""
    maker = _Colouring(PALETTE, None, None, None, 0.5, 1 << 20)
    source = Source(str(src / "a.png"), "a.png")
    mark = lambda unknown: Fingerprint(bytes(16), unknown)  # noqa: E731
    data = maker.make(source, mark).data
    assert pickle.loads(pickle.dumps(maker)).make(source, mark).data == data


def test_wrong_usage_writes_nothing(src: Path) -> None:
    for more, message in [
        ({"alpha": 1.5}, "alpha must be 0"),
        ({"over": src / "none"}, "folder of photographs"),
        ({"ignore_index": -1}, "got -1"),
        ({"workers": 0}, "workers"),
    ]:
        with pytest.raises(UsageError, match=message):
            run(src, **more)
    assert not (src.parent / "dst").exists()


def test_real_label_maps(shared: Path, tmp_path: Path) -> None:
    """Palette files of the sets become what Pillow shows of them."""
    count = 0
    for name, paths in real_pngs(shared / "data").items():
        for path in paths[:3] if name != "pngsuite" else []:
            with Image.open(path) as image:
                if image.mode != "P" or image.format != "PNG":
                    continue
                want = np.array(image.convert("RGB"))
            report = gpuseg.colorize(path, tmp_path / name, overwrite=True, workers=1)
            assert report.exit_code == 0, report.failures
            assert np.array_equal(read(tmp_path / name / path.name), want), path
            count += 1
    assert count > 8
