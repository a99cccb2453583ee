"""`--unknown border`: all ways into a label map repair alike, and say what they did."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import arrays
from gpuseg.arrays import rgb_to_index
from gpuseg.borders import find_repair
from gpuseg.convert import convert_directory
from gpuseg.errors import UnknownColourError, UsageError
from gpuseg.kernels.lut import build_lookup
from gpuseg.labels import load_label
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette, voc_colormap
from gpuseg.palettes.load import load_palette
from gpuseg.results import UnknownColour
from tests.batched_runs import Run, SpyDevice, make
from tests.blurring import blurred, indices_of, label_map, save, shares, specified
from tests.helpers import Place, marks
from tests.making import PALETTE, read_indices

MASK = blurred(label_map())
REPAIRED, COUNT, _left = specified(MASK)
STRANGE = (9, 200, 77)
DATA = Path(__file__).parent / "data"


def spoilt() -> np.ndarray:
    """The mask with three pixels that lie between no two classes."""
    mask = MASK.copy()
    mask[25, 30:33] = STRANGE
    return mask


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    save(MASK, place.src / "a.png")
    return place


def test_the_mask_of_these_tests_can_be_repaired() -> None:
    assert COUNT > 50
    assert _left == 0
    parts = shares(label_map(), len(PALETTE))
    ys, xs = np.indices(MASK.shape[:2])
    assert (parts[ys, xs, indices_of(REPAIRED)] > 0.3).all()


def test_what_a_repair_says() -> None:
    lookup = build_lookup(PALETTE, IndexOptions(unknown="border"))
    found = find_repair(MASK, lookup)
    assert (len(found.places), found.left) == (COUNT, 0)
    assert sum(colour.pixels for colour in found.colours) <= COUNT
    done = MASK.copy()
    found.apply(done)
    assert np.array_equal(done, REPAIRED)
    found = find_repair(spoilt()[:, ::-1], lookup)  # not contiguous
    assert found.left == 3
    assert found.colours == (UnknownColour(STRANGE, 3, MASK.shape[1] - 33, 25),)
    assert len(find_repair(REPAIRED, lookup).places) == 0
    for shape in ((0, 0, 3), (0, 4, 3), (4, 0, 3)):
        assert find_repair(np.zeros(shape, np.uint8), lookup).left == 0


@pytest.mark.parametrize("depth", ["8", "16"])
@pytest.mark.parametrize("codec", ["auto", "pillow"])
@pytest.mark.parametrize(
    ("name", "mode"), [("a.png", "RGB"), ("a.png", "RGBA"), ("a.png", "P"), ("a.bmp", "RGB")]
)
def test_files_of_all_kinds(tmp_path: Path, name: str, mode: str, codec: str, depth: str) -> None:
    place = Place(tmp_path)
    save(MASK, place.src / name, mode)
    assert place.convert("--unknown", "border", "--depth", depth, "--codec", codec).code == 0
    assert np.array_equal(load_label(place.dst / "a.png"), indices_of(REPAIRED))
    row = place.report().files[name]
    assert row["unknown_pixels"] == COUNT
    assert 0 < len(row["unknown_colours"]) <= 8


def test_what_is_no_border_is_refused(place: Place) -> None:
    save(spoilt(), place.src / "b.png")
    done = place.convert("--unknown", "border")
    assert done.code == 1
    assert not (place.dst / "b.png").exists()
    row = place.report().files["b.png"]
    assert (row["status"], row["error"], row["unknown_pixels"]) == (
        "failed", "unknown-colours", 3,
    )  # fmt: skip
    assert row["unknown_colours"] == [{"hex": "#09c84d", "pixels": 3, "x": 30, "y": 25}]
    total = MASK.shape[0] * MASK.shape[1]
    assert row["message"].startswith(
        f"3 of {total} pixels (0.31 %) have a colour that is not in palette 'palette', nor "
        f"between the colours of two classes beside it ({COUNT} others could be repaired): "
        "#09c84d 3 px, first at x=30 y=25; check --palette, or use --unknown border-ignore"
    )
    Image.new("RGB", (3, 2), STRANGE).save(place.src / "c.png")
    place.convert("--unknown", "border")
    message = place.report().files["c.png"]["message"]
    assert "of two classes beside it: #09c84d 6 px, first at x=0 y=0; this looks like" in message
    summary = place.report().summary
    assert (summary["unknown_pixels"], summary["files_with_unknown"]) == (COUNT, 1)


@pytest.mark.parametrize("depth", ["8", "16"])
def test_what_is_no_border_may_be_ignored(place: Place, depth: str) -> None:
    save(spoilt(), place.src / "b.png")
    options = ("--unknown", "border-ignore", "--ignore-index", "77", "--depth", depth)
    assert place.convert(*options).code == 0
    assert np.array_equal(load_label(place.dst / "a.png"), indices_of(REPAIRED))
    mended, repaired, left = specified(spoilt())
    strange = (mended == np.array(STRANGE)).all(axis=2)
    assert strange.sum() == left == 3
    found = load_label(place.dst / "b.png")
    assert (found[strange] == 77).all()
    mended[strange] = PALETTE.classes[0].rgb
    assert np.array_equal(found[~strange], indices_of(mended)[~strange])
    row = place.report().files["b.png"]
    assert (row["unknown_pixels"], row["repaired_pixels"]) == (repaired + 3, repaired)
    assert row["unknown_colours"][0]["hex"] == "#09c84d"
    row = place.report().files["a.png"]
    assert row["unknown_pixels"] == row["repaired_pixels"] == COUNT


def test_no_class_is_written_for_what_is_ignored(place: Place) -> None:
    done = place.convert("--unknown", "border-ignore", "--ignore-index", "3")
    assert done.code == 2
    assert "ignore index 3 is the class" in done.err


def test_arrays_may_ignore_what_is_no_border() -> None:
    found, unknown = rgb_to_index(spoilt(), PALETTE, unknown="border-ignore", return_unknown=True)
    assert (found[25, 30:33] == 255).all()
    _, repaired, left = specified(spoilt())
    assert unknown == repaired + left


def test_by_error_the_same_mask_is_refused_and_a_clean_one_is_not(place: Place) -> None:
    save(REPAIRED, place.src / "clean.png")
    assert place.convert().code == 1
    assert place.report().failed() == ["a.png"]
    assert place.convert("--unknown", "border").code == 0  # another policy: done again
    assert "unknown_pixels" not in place.report().files["clean.png"]


def test_a_second_run_keeps_the_counts(place: Place) -> None:
    assert place.convert("--unknown", "border").code == 0
    before = marks(place.dst)
    done = place.convert("--unknown", "border")
    assert done.out.startswith(f"1 unchanged; {COUNT} pixels of unknown colour were replaced")
    assert place.report().files["a.png"]["unknown_pixels"] == COUNT
    assert marks(place.dst) == before


def test_a_dry_run_promises_what_a_run_does(place: Place) -> None:
    save(spoilt(), place.src / "b.png")
    done = place.convert("--unknown", "border", "--dry-run", "--json")
    summary = json.loads(done.out)
    assert summary["files"] == {"converted": 0, "unchanged": 0, "planned": 1, "failed": 1}
    assert summary["unknown_pixels"] == COUNT
    assert not place.dst.exists()


def test_the_noise_of_jpeg_is_not_taken_for_borders(tmp_path: Path) -> None:
    place = Place(tmp_path)
    Image.fromarray(MASK).save(place.src / "a.jpg", quality=90)
    assert place.convert("--unknown", "border").code == 1
    with Image.open(place.src / "a.jpg") as image:
        _, repaired, left = specified(np.array(image))
    assert place.report().files["a.jpg"]["unknown_pixels"] == left > 2 * repaired


def test_grey_masks(tmp_path: Path) -> None:
    """Binary masks with greys at their borders: read as colours if that is asked for."""
    place = Place(tmp_path)
    place.palette.write_text("index,name,r,g,b\n0,ground,0,0,0\n1,thing,255,255,255\n")
    Image.fromarray(np.array([[0, 0, 90, 255, 255, 190, 0]], np.uint8)).save(place.src / "a.png")
    assert place.convert("--unknown", "border").code == 1
    assert "--grey colours" in place.report().files["a.png"]["message"]
    assert place.convert("--unknown", "border", "--grey", "colours").code == 0
    assert read_indices(place.dst / "a.png").tolist() == [[0, 0, 0, 1, 1, 1, 0]]


def test_a_device_leaves_such_files_to_the_cpu(tmp_path: Path) -> None:
    shapes = make(tmp_path, [(9, 9), (12, 17)])
    save(MASK, tmp_path / "src" / "b.png")
    save(spoilt(), tmp_path / "src" / "c.png")
    run = Run(tmp_path, SpyDevice(), unknown="border")
    rows = run.work()
    run.check(shapes)
    assert np.array_equal(read_indices(run.dst / "b.png"), indices_of(REPAIRED))
    assert (rows["b.png"].device, rows["b.png"].unknown_pixels) == ("cpu", COUNT)
    assert (rows["c.png"].status, rows["c.png"].unknown_pixels) == ("failed", 3)
    assert run.flow.remark == "2 files left to the CPU (2 with unknown colours or damage)"


def test_arrays() -> None:
    want = indices_of(REPAIRED)
    labels, unknown = rgb_to_index(MASK, PALETTE, unknown="border", return_unknown=True)
    assert np.array_equal(labels, want)
    assert unknown == COUNT
    stack = np.stack([REPAIRED, MASK, MASK[::-1]])
    labels, counts = rgb_to_index(
        stack[..., ::-1], PALETTE, order="bgr", unknown="border", depth=16, return_unknown=True
    )
    assert labels.dtype == np.uint16
    assert counts == [0, COUNT, COUNT]
    assert np.array_equal(labels[:2], [want, want])
    assert np.array_equal(labels[2], indices_of(specified(MASK[::-1])[0]))


def test_arrays_that_cannot_be_repaired() -> None:
    with pytest.raises(UnknownColourError, match=r"^image 1: 3 of .* others could be") as caught:
        rgb_to_index(np.stack([MASK, spoilt()]), PALETTE, unknown="border")
    assert caught.value.pixels == 3
    with pytest.raises(UnknownColourError, match=r"^mask 1: 3 of"):
        rgb_to_index([MASK, spoilt()], PALETTE, unknown="border")
    few = np.array([[[0, 0, 0], [50, 50, 50], [100, 100, 100], [0, 0, 9]]], np.uint8)
    greys = Palette.from_colours([(0, 0, 0), (100, 100, 100)])
    with pytest.raises(UnknownColourError, match=r"\(1 other could be .* unknown='border-ignore'$"):
        rgb_to_index(few, greys, unknown="border")


def test_arrays_on_a_device_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given = SimpleNamespace(array=MASK, on_device=True)
    monkeypatch.setattr(arrays, "take", lambda *_: given)
    with pytest.raises(UsageError, match=r"^mask 0: unknown='border' .* mask\.cpu\(\)"):
        rgb_to_index([MASK], PALETTE, unknown="border")


def judge_real(labels: np.ndarray, palette: Palette, most_left: float, most_third: float) -> None:
    """Real classes at 0.7 of their size: repaired pixels have a class that is in them.

    most_left, most_third: the largest shares of unknown pixels that stay, and of repaired ones
    whose class is not in them at all.
    """
    mask, parts = blurred(labels, palette), shares(labels, len(palette))
    found = find_repair(mask, build_lookup(palette, IndexOptions(unknown="border")))
    unknown = len(found.places) + found.left
    assert unknown > 500
    assert found.left <= most_left * unknown
    index = {entry.rgb: k for k, entry in enumerate(palette.classes)}
    taken = [index[tuple(rgb)] for rgb in mask.reshape(-1, 3)[found.sources].tolist()]
    share = parts.reshape(-1, len(palette))[found.places, taken]
    assert (share < 1e-3).sum() <= most_third * len(taken)
    largest = parts.reshape(-1, len(palette))[found.places].max(axis=1)
    assert (share == largest).mean() > 0.98


def test_real_masks_of_large_regions(tmp_path: Path) -> None:
    folder = DATA / "quintal_rgba"
    palette = load_palette(folder / "label_colors.txt")
    convert_directory(folder, tmp_path, palette, pattern="*_027_L.png", device="cpu")
    labels = read_indices(tmp_path / "datasetQuintal_027_L.png")
    judge_real(labels, palette, most_left=0.02, most_third=0)


@pytest.mark.parametrize("colours", ["its own", "voc"])
def test_real_masks_of_many_thin_things(shared: Path, colours: str) -> None:
    """CamVid, also in the colours of VOC, many of which lie between two others."""
    folder = shared / "data/camvid12_480x360"
    with Image.open(next(iter(sorted((folder / "index_gray").glob("*.png"))))) as image:
        labels: Any = np.array(image)
    palette = load_palette(folder / "classes.csv")
    if colours == "voc":
        palette = Palette.from_colours(voc_colormap(len(palette)))
    judge_real(labels, palette, most_left=0.5, most_third=0.003)
