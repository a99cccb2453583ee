"""What images of every kind are called. Each is made here, so the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.census.encodings import find_encoding
from gpuseg.census.facts import facts_of, hex_of, warnings_on
from gpuseg.census.image import take_census
from gpuseg.census.verdicts import CODES, Verdict, judge
from gpuseg.options import DEFAULT_MAX_PIXELS
from gpuseg.palette import voc_colormap
from gpuseg.palettes.load import load_palette
from tests.making import indices
from tests.pngs import PALETTE, png

CAMVID = load_palette("camvid12").colours
LABELS = indices(40, 60, classes=11)


def blocky(colours: np.ndarray) -> np.ndarray:
    """A mask in which each of these colours comes."""
    labels = np.arange(len(colours)).repeat(8 * 12).reshape(-1, 12)
    return np.asarray(colours, np.uint8)[labels]


def palette_image(labels: np.ndarray, colours: np.ndarray) -> Image.Image:
    image = Image.fromarray(labels.astype(np.uint8), "P")
    image.putpalette(np.asarray(colours, np.uint8).tobytes())
    return image


def verdict_of(path: Path) -> Verdict:
    return judge(take_census(str(path), DEFAULT_MAX_PIXELS))


def rgba(colours: list[tuple[int, ...]]) -> Image.Image:
    return Image.fromarray(blocky(np.array(colours)), "RGBA")


LARGE = LABELS.repeat(8, axis=0).repeat(8, axis=1)
NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
VOC = voc_colormap(256)
OWN = np.array([(3, 99, 100), (240, 7, 9), (17, 201, 4)], np.uint8)

MAKERS: dict[str, tuple[Callable[[], Image.Image], str, str, str]] = {
    "camvid": (lambda: Image.fromarray(blocky(CAMVID)), "colour-mask", "camvid12", "all its 13"),
    "two": (lambda: Image.fromarray(blocky(CAMVID[:2])), "colour-mask", "", "so few"),
    "bgr": (
        lambda: Image.fromarray(np.ascontiguousarray(blocky(CAMVID)[..., ::-1])),
        "colour-mask-bgr",
        "camvid12",
        "exchanged",
    ),
    "unnamed": (lambda: Image.fromarray(blocky(OWN)), "colour-mask-unnamed", "", "3 colours"),
    "nearly": (
        lambda: Image.fromarray(blocky(np.concatenate([CAMVID] * 9 + [OWN[:1]]))),
        "colour-mask-unnamed",
        "camvid12",
        "not #036364",
    ),
    "white": (
        lambda: Image.fromarray(blocky(np.array([[0] * 3, [255] * 3]))),
        "binary-mask",
        "",
        "black and white",
    ),
    "noise": (lambda: Image.fromarray(NOISE), "photograph", "", "none of them common"),
    "blended": (
        lambda: Image.fromarray(CAMVID[LARGE]).resize((487, 333), Image.Resampling.BICUBIC),
        "blended",
        "",
        "blended",
    ),
    "voc": (lambda: palette_image(LABELS, VOC), "label-map", "voc256", "ready"),
    "void": (
        lambda: palette_image(np.where(LABELS == 3, 255, LABELS), VOC),
        "label-map",
        "voc256",
        "ignore index 255",
    ),
    "own": (lambda: palette_image(LABELS % 3, OWN), "palette-of-its-own", "", "this file alone"),
    "moved": (
        lambda: palette_image(LABELS, CAMVID[::-1][:11]),
        "palette-of-its-own",
        "camvid12",
        "other indices",
    ),
    "other": (
        lambda: palette_image(LABELS, np.concatenate([OWN + i for i in range(30)])),
        "label-map",
        "",
        "no preset",
    ),
    "short": (lambda: palette_image(LABELS + 20, VOC[:20]), "palette-too-short", "", "ends at 19"),
    "picture": (
        lambda: palette_image(np.arange(240).reshape(12, 20), VOC[::-1]),
        "photograph",
        "",
        "240 palette colours",
    ),
    "grey": (lambda: Image.fromarray(LABELS), "label-map-grey", "", "without colours"),
    "bits": (lambda: Image.fromarray(LABELS * 255 > 0), "label-map-grey", "", "greyscale"),
    "binary": (
        lambda: Image.fromarray(np.where(LABELS > 4, 255, 0).astype(np.uint8)),
        "binary-mask",
        "",
        "0 and 255",
    ),
    "shades": (
        lambda: Image.fromarray((LABELS * 23).astype(np.uint8)),
        "grey-colours",
        "",
        "--grey colours",
    ),
    "luma": (
        lambda: Image.fromarray(VOC[LABELS + 1]).convert("L"),
        "luma",
        "voc",
        "brightness",
    ),
    "grey photograph": (
        lambda: Image.fromarray(NOISE[..., 0]),
        "photograph",
        "",
        "shades of grey",
    ),
    "ids": (
        lambda: Image.fromarray(LABELS.astype(np.uint16) * 1000),
        "ids-16-bit",
        "",
        "0 to 10,000",
    ),
    "clear": (
        lambda: rgba([(9, 9, 9, 255), (200, 0, 0, 3)]),
        "transparent",
        "",
        "50.00 % of its pixels",
    ),
    "opaque": (
        lambda: rgba([(*map(int, c), 255) for c in CAMVID]),
        "colour-mask",
        "camvid12",
        "convert it",
    ),
    "bdd": (
        lambda: rgba([(0, 0, 0, 0), (3, 8, 0, 1), (3, 0, 0, 2)]),
        "alpha-data",
        "",
        "BDD100K",
    ),
    "cmyk": (lambda: Image.new("CMYK", (4, 4)), "other-kind", "", "CMYK"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_what_an_image_is(tmp_path: Path, name: str) -> None:
    make, code, preset, words = MAKERS[name]
    path = tmp_path / ("a.tif" if name == "cmyk" else "a.png")
    make().save(path)
    verdict = verdict_of(path)
    assert (verdict.code, verdict.preset) == (code, preset), verdict
    assert words in verdict.words
    assert verdict.code in CODES


def test_the_verdict_on_jpeg_and_on_several_frames(tmp_path: Path) -> None:
    image = Image.fromarray(blocky(CAMVID))
    image.save(tmp_path / "a.jpg")
    image.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", image.size)])
    assert verdict_of(tmp_path / "a.jpg").code == "lossy"
    assert verdict_of(tmp_path / "a.gif").code == "several-frames"


@pytest.mark.parametrize(
    ("colours", "code"),
    [
        ([(0, 0, 0), (1, 1, 1), (7, 7, 7)], "grey"),
        ([(0, 0, 0), (0, 0, 4), (0, 0, 5)], "one-channel"),
        ([(0, 0, 0), (16, 39, 0), (204, 50, 0), (205, 50, 0), (24, 228, 3)], "ids"),
        ([(184, 0, 0), (193, 0, 0), (1, 1, 0), (1, 2, 0), (1, 3, 0)], "two-channel"),
        (
            [(107, 142, 35), (70, 130, 180), (220, 20, 60), (210, 29, 48), (202, 0, 66)],
            "coco-panoptic",
        ),
        (
            [(80, 83, 10), (80, 83, 15), (10, 56, 35), (10, 56, 90), (110, 39, 165), (0, 0, 0)],
            "ade",
        ),
        ([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)], None),
        ([(0, 0, 0), (255, 0, 0)], None),
        ([(0, 0, 0), (120, 120, 120), (250, 250, 250)], None),
    ],
)
def test_colours_that_are_numbers(colours: list[tuple[int, int, int]], code: str | None) -> None:
    keys = np.array([r | g << 8 | b << 16 for r, g, b in colours])
    found = find_encoding(keys)
    assert (found.code if found else None) == code


def test_no_preset_that_is_whole_is_taken_for_numbers(tmp_path: Path) -> None:
    """Presets come first: a mask with all colours of a data set is a colour mask."""
    from gpuseg.palettes.presets import preset_names

    for name in preset_names():
        Image.fromarray(blocky(load_palette(name).colours)).save(tmp_path / "a.png")
        verdict = verdict_of(tmp_path / "a.png")
        assert verdict.code == "colour-mask", name
        assert set(map(tuple, load_palette(name).colours.tolist())) <= set(
            map(tuple, load_palette(verdict.preset).colours.tolist())
        )


def test_facts_for_json(tmp_path: Path) -> None:
    pixels = blocky(np.concatenate([CAMVID, NOISE.reshape(-1, 3)[:100]]))
    pixels[:40] = CAMVID[4]
    Image.fromarray(pixels).save(tmp_path / "a.bmp", "PNG")
    census = take_census(str(tmp_path / "a.bmp"), DEFAULT_MAX_PIXELS)
    row = facts_of(census, judge(census)).row()
    keys, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    assert row["different"] == len(keys)
    assert len(row["colours"]) == 20
    top = row["colours"][0]
    assert top == {"hex": hex_of(int(CAMVID[4] @ [1, 256, 65536])), "pixels": int(counts.max())}
    shown = [colour["pixels"] for colour in row["colours"]]
    assert shown == sorted(counts.tolist(), reverse=True)[:20]
    assert list(warnings_on(census, "x/a.bmp")) == ["is a PNG, whatever its suffix .bmp says"]
    assert list(warnings_on(census, "x/a.PNG")) == []
    assert list(warnings_on(census, "x.d/none")) == []


@pytest.mark.parametrize("name", ["isaid", "bdd100k-toml"])
def test_a_preset_that_has_nearly_all_is_no_encoding(tmp_path: Path, name: str) -> None:
    """Some palettes look like ids where masks have other colours, too."""
    colours = load_palette(name).colours
    pixels = blocky(np.concatenate([colours] * 2))
    pixels[0, :5] = colours[2:7] ^ 1
    Image.fromarray(pixels).save(tmp_path / "a.png")
    verdict = verdict_of(tmp_path / "a.png")
    assert (verdict.code, verdict.preset) == ("colour-mask-unnamed", name)


def test_a_palette_image_without_a_palette(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(1, 1, 8, PALETTE, b"\0\1"))
    assert verdict_of(path).words.startswith("damaged: a palette image that has no palette")
