"""What the benchmarks work on: seeded masks, sets of mask files, folders of many small files."""

from __future__ import annotations

import argparse
import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.common import positive
from gpuseg import load_palette
from gpuseg.discover import Walk
from gpuseg.palette import Palette, voc_colormap

Pixels = NDArray[np.uint8]

ENOUGH_FILES, ENOUGH_PIXELS = 300, 150_000_000
"""Files or pixels of a set, by which the start of a run (milliseconds) no longer counts."""


def blobs(height: int, width: int, classes: int, seed: int) -> Pixels:
    """Classes of a scene: ellipses of all sizes over one another, uint8 (height, width)."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (width, height), int(rng.integers(classes)))
    draw = ImageDraw.Draw(image)
    for i in range(120):
        size = np.array([width, height]) * rng.uniform(0.02, 0.35) / (1 + i / 30)
        centre = rng.uniform(0, 1, 2) * [width, height]
        box = [*(centre - size).tolist(), *(centre + size).tolist()]
        draw.ellipse(box, fill=int(rng.integers(classes)))
    return np.asarray(image)


def noise(height: int, width: int, classes: int, seed: int) -> Pixels:
    """A random class at each pixel, the hardest content for a cache: uint8 (height, width)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, (height, width), dtype=np.uint8)


def voc_palette(classes: int) -> Palette:
    """The first colours of the PASCAL VOC colour map."""
    return Palette.from_colours(voc_colormap(classes), name=f"voc-{classes}")


def paint(labels: Pixels, palette: Palette) -> Pixels:
    """Colour mask of classes: uint8 (H, W) -> uint8 (H, W, 3)."""
    return palette.colours[labels]


@dataclass(frozen=True, slots=True)
class MaskSet:
    """A folder of colour masks and the palette they are painted with.

    options: what else gpuseg is told of them. real: not drawn by us. aside: why the bars are
    not for this set, if so.
    """

    name: str
    folder: Path
    palette: Palette
    options: Mapping[str, Any] = field(default_factory=dict)
    real: bool = False
    aside: str = ""

    def paths(self) -> list[str]:
        """The masks, as gpuseg finds them, in the order of their names."""
        return sorted(source.path for source in Walk(str(self.folder)))

    def target(self, path: str, folder: Path) -> Path:
        """Where the label map of a mask goes below another folder, as gpuseg puts it."""
        return (folder / Path(path).relative_to(self.folder)).with_suffix(".png")

    def describe(self) -> str:
        """The set in words: files, sizes, bytes, classes."""
        paths = self.paths()
        sizes = set()
        for path in paths[:16]:
            with Image.open(path) as image:
                sizes.add(f"{image.width}×{image.height} {image.mode}")
        total = sum(Path(path).stat().st_size for path in paths)
        shown = ", ".join(sorted(sizes)[:3])
        return (
            f"{self.name}: {len(paths)} files, {shown}, {total / max(1, len(paths)) / 1024:.1f} "
            f"KiB a file, {len(self.palette)} classes"
        )

    def sizes(self) -> list[int]:
        """Pixels of each mask."""
        return [image_size(path) for path in self.paths()]

    def pixels(self) -> int:
        """Pixels of all masks."""
        return sum(self.sizes())


def image_size(path: str | Path) -> int:
    """Pixels of an image file, from its header."""
    with Image.open(path) as image:
        return image.width * image.height


def enough_copies(sizes: Sequence[int]) -> int:
    """How often files of so many pixels are repeated until a run is long enough to be timed."""
    return max(1, min(math.ceil(ENOUGH_FILES / len(sizes)), math.ceil(ENOUGH_PIXELS / sum(sizes))))


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """`--set` and `--no-default-sets`, for scripts that work on sets."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=DIR:PALETTE",
        help="masks of yours; may be repeated",
    )
    parser.add_argument(
        "--no-default-sets", action="store_true", help="only the sets given with --set"
    )
    parser.add_argument(
        "--copies",
        type=positive,
        help=f"files of each mask of the drawn sets (default: until there are {ENOUGH_FILES} "
        f"files or {ENOUGH_PIXELS // 10**6} Mpx)",
    )


def mask_sets(args: argparse.Namespace, work: Path) -> Iterator[MaskSet]:
    """The sets that were asked for: the two that are drawn here, then those of `--set`."""
    given = [parse_set(text) for text in args.set]  # a mistake shows before anything is drawn
    if not args.no_default_sets:
        for draw, drawn in ((draw_large, DRAWN_LARGE), (draw_small, DRAWN_SMALL)):
            copies = 1 if args.tiny else enough_copies([drawn[1] * drawn[2]] * drawn[0])
            yield draw(work, args.copies or copies, tiny=args.tiny)
    yield from given


DRAWN_LARGE, DRAWN_SMALL = (24, 1024, 2048), (400, 360, 480)
"""Masks, rows and columns of the sets that are drawn here."""


def draw_large(work: Path, copies: int = 1, *, tiny: bool = False) -> MaskSet:
    """The drawn set of 2-Mpx masks with 20 classes."""
    count, *shape = (2, 48, 64) if tiny else DRAWN_LARGE
    return draw_set(work / "blobs-2mpx", count, (shape[0], shape[1]), 20, copies)


def draw_small(work: Path, copies: int = 1, *, tiny: bool = False) -> MaskSet:
    """The drawn set of small masks with 12 classes."""
    count, *shape = (4, 24, 32) if tiny else DRAWN_SMALL
    return draw_set(work / "small-480x360", count, (shape[0], shape[1]), 12, copies)


def parse_set(text: str) -> MaskSet:
    """The set that `NAME=DIR:PALETTE` names."""
    name, _, rest = text.partition("=")
    folder, _, palette = rest.rpartition(":")
    if not (name and folder and palette):
        raise SystemExit(f"--set must be NAME=DIR:PALETTE, got {text!r}")
    if not Path(folder).is_dir():
        raise SystemExit(f"--set {name}: {folder} is no folder")
    return MaskSet(name, Path(folder), load_palette(palette), real=True)


def draw_set(
    folder: Path, count: int, shape: tuple[int, int], classes: int, copies: int = 1
) -> MaskSet:
    """A set of blobs as RGB PNG, written as Pillow writes by default, each `copies` times."""
    folder.mkdir(parents=True)
    palette = voc_palette(classes)
    for i in range(count):
        mask = paint(blobs(*shape, classes, seed=i), palette)
        first = folder / f"mask_{i:05d}.png"
        Image.fromarray(mask).save(first)
        for copy in range(1, copies):
            shutil.copyfile(first, folder / f"{first.stem}_{copy:03d}.png")
    return MaskSet(folder.name, folder, palette)


def repeat_files(files: Sequence[str | Path], copies: int, folder: Path) -> Path:
    """Copies of files under new names in one folder; their suffixes stay."""
    folder.mkdir(parents=True)
    for copy in range(copies):
        for i, path in enumerate(files):
            shutil.copyfile(path, folder / f"{copy:04d}_{i:04d}{Path(path).suffix}")
    return folder


def fill_folder(folder: Path, count: int, *, empty: bool = False) -> Path:
    """A folder of many small masks (64 contents repeated under `count` names), or empty files."""
    folder.mkdir(parents=True)
    contents = [b""]
    if not empty:
        drawn = draw_set(folder.with_name(f"{folder.name}-drawn"), 64, (48, 64), 20)
        contents = [Path(path).read_bytes() for path in drawn.paths()]
    for i in range(count):
        name = hashlib.blake2b(str(i).encode(), digest_size=8).hexdigest()  # in no order
        (folder / f"{name}.png").write_bytes(contents[i % len(contents)])
    return folder
