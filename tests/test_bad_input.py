"""One bad file among good ones: a clear row of its own, and everything else exact."""

from __future__ import annotations

import io
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.palette import Palette
from tests.helpers import (
    Place,
    check_exact,
    check_run,
    environment,
    gpuseg_process,
    palette_file,
    permissions_hold,
    read_report,
    temps,
)
from tests.making import PALETTE, indices, mask, save_mask
from tests.pngs import chunk, lines, png


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.good()
    return place


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


PIXELS = mask(12, 17, seed=5)
RGB = Image.fromarray(PIXELS)
WHOLE = encoded(RGB, "PNG")
FRAMES = {"append_images": [Image.fromarray(mask(12, 17, seed=6))], "save_all": True}
SIX_GREY = Image.fromarray(indices(12, 17, seed=5))


def half_clear() -> Image.Image:
    image = RGB.convert("RGBA")
    image.putalpha(Image.fromarray(np.where(indices(12, 17) > 2, 255, 128).astype(np.uint8)))
    return image


def paletted() -> Image.Image:
    image = Image.fromarray(indices(12, 17, seed=5), "P")
    image.putpalette(PALETTE.colours.tobytes())
    return image


PLTE = chunk(b"PLTE", PALETTE.colours.tobytes())
CLEAR_1 = chunk(b"tRNS", b"\xff\x00")
"""Entry 1 of a palette is transparent."""

BAD: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    "cut-25": ("x.png", lambda: WHOLE[: len(WHOLE) // 4], "broken", "cut off"),
    "cut-50": ("x.png", lambda: WHOLE[: len(WHOLE) // 2], "broken", "cut off"),
    "cut-90": ("x.png", lambda: WHOLE[: len(WHOLE) * 9 // 10], "broken", "cut off"),
    "text": ("x.png", lambda: b"no image at all\n", "broken", "no image of a known format"),
    "empty": ("x.png", lambda: b"", "broken", r"empty \(0 bytes\)"),
    "bomb": (
        "x.png",
        lambda: png(100_000, 100_000, 8, 2, bytes(1000)),
        "too-large",
        "100,000 x 100,000 .* --max-pixels",
    ),
    "alpha": ("x.png", lambda: encoded(half_clear(), "PNG"), "unsupported", "transparent"),
    "colour-key-used": (
        "x.png",
        lambda: encoded(RGB, "PNG", transparency=tuple(PIXELS[0, 0].tolist())),
        "unsupported",
        "transparent",
    ),
    "clear-entry-used": (
        "x.png",
        lambda: png(3, 1, 8, 3, lines([0, 1, 2]), PLTE, CLEAR_1),
        "unsupported",
        "transparent",
    ),
    "clear-grey-used": (
        "x.png",
        lambda: png(4, 1, 2, 0, lines([0b00011011]), chunk(b"tRNS", b"\0\3")),
        "unsupported",
        "transparent",
    ),
    "rgb-16": (
        "x.png",
        lambda: png(1, 1, 16, 2, lines([128, 1, 0, 0, 0, 0])),
        "unsupported",
        "16 bits",
    ),
    "grey-16": ("x.png", lambda: png(1, 1, 16, 0, lines([0, 1])), "unsupported", "16 bits"),
    "cmyk": ("x.jpg", lambda: encoded(RGB.convert("CMYK"), "JPEG"), "unsupported", "CMYK"),
    "gif-2": ("x.gif", lambda: encoded(RGB, "GIF", **FRAMES), "unsupported", "2 frames"),
    "apng-2": ("x.png", lambda: encoded(RGB, "PNG", **FRAMES), "unsupported", "2 frames"),
    "tiff-2": ("x.tif", lambda: encoded(RGB, "TIFF", **FRAMES), "unsupported", "2 frames"),
    "webp-2": (
        "x.webp",
        lambda: encoded(RGB, "WEBP", lossless=True, **FRAMES),
        "unsupported",
        "2 frames",
    ),
    "grey-indices": (
        "x.png",
        lambda: encoded(SIX_GREY, "PNG"),
        "unsupported",
        "finished class indices",
    ),
    "past-plte": (
        "x.png",
        lambda: png(3, 1, 8, 3, lines([0, 6, 2]), PLTE),
        "broken",
        "entry 6, its palette ends at 5",
    ),
    "no-plte": ("x.png", lambda: png(3, 1, 8, 3, lines([0, 1, 2])), "broken", "palette"),
    "0x0": ("x.png", lambda: png(0, 0, 8, 2, b""), "broken", "damaged"),
    "unknown": (
        "x.png",
        lambda: encoded(Image.new("RGB", (3, 2), (1, 2, 3)), "PNG"),
        "unknown-colours",
        "#010203 6 px, first at x=0 y=0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_a_row_and_stops_no_other(place: Place, name: str) -> None:
    file, make, error, message = BAD[name]
    (place.src / file).write_bytes(make())
    report = check_run(place, place.convert(), file)
    assert report.files[file]["error"] == error, report.files[file]
    assert re.search(message, report.files[file]["message"]), report.files[file]["message"]


GOOD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png-named-jpg": ("x.jpg", lambda: WHOLE),
    "bmp": ("x.bmp", lambda: encoded(RGB, "BMP")),
    "tiff": ("x.TIFF", lambda: encoded(RGB, "TIFF", compression="tiff_lzw")),
    "webp-lossless": ("x.webp", lambda: encoded(RGB, "WEBP", lossless=True)),
    "gif": ("x.gif", lambda: encoded(paletted(), "GIF")),
    "bmp-palette": ("x.bmp", lambda: encoded(paletted(), "BMP")),
    "opaque-alpha": ("x.png", lambda: encoded(RGB.convert("RGBA"), "PNG")),
    "colour-key-unused": ("x.png", lambda: encoded(RGB, "PNG", transparency=(1, 1, 1))),
    "clear-entry-unused": (
        "x.png",
        lambda: png(3, 1, 8, 3, lines([0, 3, 2]), PLTE, CLEAR_1),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_strange_file_that_is_whole_is_exact(place: Place, name: str) -> None:
    file, make = GOOD[name]
    (place.src / file).write_bytes(make())
    report = check_run(place, place.convert(), converted=4)
    assert "warnings" not in report.files[file]


def test_flipped_bits_never_give_wrong_pixels(place: Place) -> None:
    """PNG carries checksums over everything, so each flip is noticed."""
    choice = random.Random(1)
    for i in range(150):
        data = bytearray(WHOLE)
        data[choice.randrange(8, len(data))] ^= 1 << choice.randrange(8)
        (place.src / f"flip{i}.png").write_bytes(data)
    report = check_run(place, place.convert(), *(f"flip{i}.png" for i in range(150)))
    assert {report.files[f"flip{i}.png"]["error"] for i in range(150)} == {"broken"}


@pytest.mark.parametrize(
    ("file", "kind", "options"),
    [("x.jpg", "JPEG", {"quality": 40}), ("x.webp", "WEBP", {"quality": 30})],
)
def test_lossy_files_say_so(place: Place, file: str, kind: str, options: dict[str, int]) -> None:
    (place.src / file).write_bytes(encoded(RGB, kind, **options))
    report = check_run(place, place.convert(), file)
    assert report.files[file]["error"] == "unknown-colours"
    assert "lossy" in report.files[file]["warnings"][0]
    assert report.summary["files_with_warnings"] == 1


def test_a_lossy_file_of_one_known_colour_is_converted_with_a_warning(place: Place) -> None:
    (place.src / "x.png").write_bytes(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    report = check_run(place, place.convert(), converted=4)
    assert "JPEG is lossy" in report.files["x.png"]["warnings"][0]


def test_grey_that_cannot_be_indices_is_colours(place: Place) -> None:
    """0 and 255 are colours when no class has index 255 and it is not the ignore index."""
    black_white = Palette.from_colours([(0, 0, 0), (255, 255, 255)], ["no", "yes"])
    for file in list(place.src.rglob("*.png")):
        file.unlink()
    pixels = np.where(indices(9, 9) > 2, 255, 0).astype(np.uint8)
    Image.fromarray(pixels).save(place.src / "grey.png")
    table = palette_file(place.root, black_white)
    arguments = ["--palette", str(table)]
    assert place.convert(*arguments, "--ignore-index", "9").code == 0
    assert check_exact(place, black_white) == ["grey.png"]
    refused = place.convert(*arguments, "--no-resume")  # 255 would be the ignore index
    assert refused.code == 1
    assert "finished class indices (0, 255)" in refused.err


PEAK_OF_A_RUN = """
import pathlib, sys
from gpuseg.cli import main
try:
    main.main(sys.argv[1:], "gpuseg")
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print("peak", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.good(1)
    (place.src / "x.png").write_bytes(png(16_000, 16_000, 8, 2, b""))
    (place.src / "y.png").write_bytes(png(100_000, 100_000, 8, 2, bytes(99)))
    (place.src / "z.png").write_bytes(png(9, 9, 8, 2, bytes(300_000_000)))
    command = [sys.executable, "-c", PEAK_OF_A_RUN, *place.arguments("--max-pixels", "1000")]
    small = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert small.returncode == 1, small
    assert place.report().files["x.png"]["error"] == "too-large"
    # not getrusage: its peak holds that of other children, and of pytest before the exec
    peak_kib = int(small.stderr.rpartition("peak ")[2])
    assert peak_kib < 500 * 1024


def test_no_permission_to_read(tmp_path: Path) -> None:
    before = permissions_hold()
    place = Place(tmp_path)
    place.good()
    save_mask(place.src / "x.png").chmod(0)
    save_mask(place.src / "closed" / "a.png").parent.chmod(0)
    try:
        done = gpuseg_process(*place.arguments(), before=before)
        report = place.report()
    finally:
        (place.src / "closed").chmod(0o755)
        (place.src / "x.png").chmod(0o644)
    assert done.code == 1
    assert report.failed() == ["closed", "x.png"]
    assert {report.files[name]["error"] for name in report.failed()} == {"unreadable"}
    assert "Permission denied" in report.files["x.png"]["message"]
    assert len(check_exact(place)) == 3


def test_more_than_256_classes(tmp_path: Path) -> None:
    place = Place(tmp_path)
    many = Palette.from_colours([(i // 256, i % 256, 7) for i in range(257)])
    table = palette_file(place.root, many)
    Image.fromarray(many.colours.reshape(1, 257, 3)).save(place.src / "all.png")
    refused = gpuseg_process(*place.arguments("--palette", table))
    assert refused.code == 2
    assert "--depth 16" in refused.err
    assert not place.dst.exists()
    assert place.convert("--palette", table, "--depth", "16").code == 0
    assert check_exact(place, many, depth=16) == ["all.png"]


def test_many_kinds_of_damage_in_a_process(place: Place) -> None:
    for name, (file, make, _, _) in BAD.items():
        (place.src / f"{name}{Path(file).suffix}").write_bytes(make())
    done = gpuseg_process(*place.arguments())
    names = [f"{name}{Path(file).suffix}" for name, (file, _, _, _) in BAD.items()]
    check_run(place, done, *names)
    assert f"… and {len(BAD) - 5} more failures" in done.err
    assert read_report(place.dst / "gpuseg-report.jsonl").summary["files"]["failed"] == len(BAD)
    assert temps(place.dst) == []
