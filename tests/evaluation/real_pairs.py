"""Pairs made of the real data sets, for judges that know nothing of gpuseg.

Truths are files of the sets as they stand: label maps of 8 and 16 bits, and colour masks, which
the palette of their own colours makes indices of. Predictions are the next image of the same set
and size, as of the frame before, or the truth as a network might get it wrong: shifted, as an
eighth of its size saw it, or with noise. Where a set brings its own, these are taken, too (`OWN`).
Left out are files whose pixels are no indices by any reading: alpha that is not opaque, grey with
alpha (bird_gt of deeplab2_maps), and sets of thousands of colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg import Evaluation, Palette, evaluate, load_palette
from gpuseg.kernels.lut import colour_keys
from tests.dumps import save_label_map
from tests.evaluation.making import Pair
from tests.real import HERE, real_pngs

QUICK = 400_000
"""Pixels of a set that quick tests look at: large sets are alike all over."""

IGNORED = 255

OWN = {
    "camvid12: colours and indices of its authors": (
        "camvid12_480x360/index_gray/*.png",
        lambda path: path.parents[1] / "rgb" / f"{path.stem}_L.png",
        "camvid12_480x360/classes.csv",
    ),
    "labelme: classes of two exports": (
        "labelme/instance/SegmentationClass/*.png",
        lambda path: path.parents[2] / "semantic/SegmentationClass" / path.name,
        None,
    ),
    "labelme: objects as classes": (
        "labelme/instance/SegmentationClass/*.png",
        lambda path: path.parents[1] / "SegmentationObject" / path.name,
        None,
    ),
    "animals: objects as classes": (
        "animals_cvat_voc/*/SegmentationClass/*.png",
        lambda path: path.parents[1] / "SegmentationObject" / path.name,
        "voc256+animals",
    ),
}
"""What comes with its predictions: truths, the prediction of each, and the palette of colours."""


@dataclass(frozen=True)
class RealPairs:
    """Pairs of a set. evaluation: by gpuseg. pairs: truth and prediction, by NumPy and Pillow."""

    evaluation: Evaluation
    pairs: list[Pair]

    def flat(self) -> Pair:
        """All pixels of which the truth counts: truth and prediction, int64 (N,)."""
        truth, prediction = (
            np.concatenate([pair[side].reshape(-1) for pair in self.pairs]).astype(np.int64)
            for side in (0, 1)
        )
        counts = truth != self.evaluation.ignore_index
        return truth[counts], prediction[counts]


def shifted(labels: NDArray[np.generic], _: int) -> NDArray[np.generic]:
    return np.roll(labels, (2, 5), (0, 1))


def coarse(labels: NDArray[np.generic], _: int) -> NDArray[np.generic]:
    """As a network sees it that looks at every eighth pixel."""
    height, width = labels.shape
    return labels[::8, ::8].repeat(8, 0).repeat(8, 1)[:height, :width]


def noisy(labels: NDArray[np.generic], seed: int) -> NDArray[np.generic]:
    """Every thirtieth pixel is that of another place."""
    rng = np.random.default_rng(seed)
    made = labels.copy()
    where = rng.random(labels.shape) < 1 / 30
    made[where] = rng.permutation(labels[where])
    return made


ERRORS: tuple[Callable[[NDArray[np.generic], int], NDArray[np.generic]], ...] = (
    shifted, coarse, noisy
)  # fmt: skip


def indices_of(path: Path, palette: Palette | None) -> NDArray[np.generic] | None:
    """The indices of a file, without gpuseg's codecs and kernels; None where it has none."""
    with Image.open(path) as image:
        if image.mode in ("P", "L", "I;16"):
            return np.array(image)
        if image.mode not in ("RGB", "RGBA") or palette is None:
            return None
        if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
            return None
        keys = colour_keys(np.array(image)[..., :3])
    order = np.argsort(colour_keys(palette.colours))
    known = colour_keys(palette.colours)[order]
    places = np.searchsorted(known, keys).clip(max=len(known) - 1)
    assert (known[places] == keys).all()
    found: NDArray[np.generic] = palette.indices[order][places]
    return found.astype(np.uint16 if palette.max_index > 255 else np.uint8)


def own_palette(paths: list[Path]) -> Palette | None:
    """A palette of all colours of a set; None where there are none, or too many for classes."""
    keys: set[int] = set()
    for path in paths:
        with Image.open(path) as image:
            if image.mode in ("RGB", "RGBA"):
                keys.update(np.unique(colour_keys(np.array(image)[..., :3])).tolist())
    if not 0 < len(keys) < 2000:
        return None
    return Palette.from_colours([(k & 255, k >> 8 & 255, k >> 16) for k in sorted(keys)])


def some(paths: list[Path], most: float) -> list[Path]:
    """As many of a set as have about so many pixels, from all over the set, or one."""
    pixels = 0
    for path in paths:
        with Image.open(path) as image:
            pixels += image.width * image.height
    return paths[:: max(1, int(pixels // most))]


def erring(paths: list[Path], folder: Path, most: float) -> Iterator[tuple[RealPairs, str]]:
    """Label maps of a set, and its colour masks: truths as they stand, predictions made."""
    palette = own_palette(paths)
    kinds: dict[str, list[Path]] = {"label maps": [], "colour masks": []}
    for path in paths:
        with Image.open(path) as image:
            kind = "colour masks" if image.mode in ("RGB", "RGBA") else "label maps"
        kinds[kind].append(path)
    for kind, members in kinds.items():
        used = palette if kind == "colour masks" else None
        pairs: list[Pair] = []
        truths = [(path, indices_of(path, used)) for path in some(members, most)]
        for n, (path, truth) in enumerate(truths):
            if truth is None:
                continue
            following = truths[(n + 1) % len(truths)][1]
            predictions = [ERRORS[n % 3](truth, n)]
            if following is not None and len(truths) > 1 and following.shape == truth.shape:
                predictions.append(following)
            for prediction in predictions:
                name = f"{len(pairs)}.png"
                place = folder / kind
                save_label_map(place / "pred" / name, prediction)
                (place / "truth").mkdir(exist_ok=True)
                (place / "truth" / name).symlink_to(path)
                pairs.append((truth, prediction))
        if pairs:
            ignored = IGNORED if used is None or used.max_index < IGNORED else 65535
            found = evaluate(
                folder / kind / "pred", folder / kind / "truth", palette=used, ignore_index=ignored
            )
            assert found.report.files == {"read": len(pairs)}, found.report.failures
            yield RealPairs(found, pairs), kind


def brought(name: str, data: Path, folder: Path) -> RealPairs:
    """A set that has predictions of its own; see `OWN`."""
    pattern, prediction_of, table = OWN[name]
    palette = _palette(table, data)
    pairs: list[Pair] = []
    for path in sorted(data.glob(pattern)):
        for side, file in (("truth", path), ("pred", prediction_of(path))):
            (folder / side).mkdir(exist_ok=True)
            (folder / side / f"{len(pairs)}.png").symlink_to(file)
        read = [indices_of(file, palette) for file in (path, prediction_of(path))]
        assert read[0] is not None
        assert read[1] is not None
        pairs.append((read[0], read[1]))
    found = evaluate(folder / "pred", folder / "truth", palette=palette, ignore_index=IGNORED)
    assert found.report.files == {"read": len(pairs)}, found.report.failures
    return RealPairs(found, pairs)


def _palette(table: str | None, data: Path) -> Palette | None:
    if table == "voc256+animals":
        return own_palette(sorted((data / "animals_cvat_voc").rglob("*.png")))
    return None if table is None else load_palette(data / table)


@cache
def set_names() -> tuple[str, ...]:
    """Of all sets there are here: those beside the tests, and those in `shared`."""
    shared = Path(__file__).parents[2].parent / "shared" / "data"
    found = {name: None for base in (HERE, shared) if base.is_dir() for name in real_pngs(base)}
    return (*found, *(OWN if shared.is_dir() else ()))


def real_pairs(name: str, data: Path, folder: Path, most: float) -> Iterator[RealPairs]:
    """The pairs of a set. most: pixels, about."""
    if name in OWN:
        yield brought(name, data, folder)
        return
    base = HERE if (HERE / name).is_dir() else data
    for pairs, _ in erring(real_pngs(base)[name], folder, most):
        yield pairs
