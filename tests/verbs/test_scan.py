"""`scan`: exact counts, which palette it is, what is odd, and what to run next."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg import child, processes
from gpuseg.census.tally import MOST_EXAMPLES
from gpuseg.discover import Source
from gpuseg.errors import PaletteError, UsageError
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.verbs.scan import Scan
from gpuseg.worker import Done
from tests.helpers import read_report
from tests.making import PALETTE, indices, mask, read_indices, save_mask

DATA = Path(__file__).parents[1] / "data"
CAMVID = load_palette("camvid12")


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def camvid(folder: Path, files: int = 4) -> Path:
    """Masks of CamVid's colours, all of them in each."""
    for seed in range(files):
        labels = indices(64, 90, seed=seed, classes=len(CAMVID))
        save(folder / f"{seed}.png", CAMVID.colours[labels])
    return folder


def counts_of(paths: list[Path]) -> tuple[Counter[str], Counter[str]]:
    """Pixels and files of each colour, by Pillow and one by one."""
    pixels: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in paths:
        with Image.open(path) as image:
            found = image.convert("RGB").getcolors(1 << 24)
        for count, rgb in found:
            name = "#{:02x}{:02x}{:02x}".format(*rgb)
            pixels[name] += count
            files[name] += 1
    return pixels, files


def colours_of(found: Scan) -> tuple[dict[str, int], dict[str, int]]:
    rows = found.as_dict()["colours"]
    return {row["hex"]: row["pixels"] for row in rows}, {row["hex"]: row["files"] for row in rows}


def test_counts_are_exact(tmp_path: Path) -> None:
    for i in range(6):
        save_mask(tmp_path / "src" / ("sub" if i % 2 else "") / f"{i}.png", 9 + i, 14, seed=i)
    Image.fromarray(indices(5, 8, classes=3), "P").save(tmp_path / "no.png")
    image = Image.open(tmp_path / "no.png")
    image.putpalette(bytes([7, 8, 9, 0, 0, 0, 255, 254, 253]))
    image.save(tmp_path / "src" / "palette.png")
    found = gpuseg.scan(tmp_path / "src", report=tmp_path / "r.jsonl")
    pixels, files = counts_of(sorted((tmp_path / "src").rglob("*.png")))
    assert colours_of(found) == (dict(pixels), dict(files))
    shown = [row["pixels"] for row in found.as_dict()["colours"]]
    assert shown == sorted(shown, reverse=True)
    lines = read_report(tmp_path / "r.jsonl")
    assert len(lines.files) == 7
    assert lines.files["sub/1.png"]["verdict"] == "colour-mask-unnamed"
    used = np.unique(read_indices(tmp_path / "src" / "palette.png")).tolist()
    assert [int(index) for index in found.as_dict()["indices"]] == used


def test_a_preset_that_explains_all(tmp_path: Path) -> None:
    src = camvid(tmp_path / "src")
    found = gpuseg.scan(src)
    assert found.conclusion.code == "convert"
    assert f"gpuseg convert {src} DST --palette camvid12" == found.conclusion.command
    assert found.chosen is not None
    assert found.lack is not None
    assert (found.chosen.palette.name, found.chosen.files, found.lack.pixels) == ("camvid12", 4, 0)
    assert found.propose() == CAMVID
    assert found.notes == ()


def test_presets_that_explain_as_much(tmp_path: Path) -> None:
    voc = load_palette("voc")
    save(tmp_path / "a.png", voc.colours[indices(64, 90, classes=21)])
    found = gpuseg.scan(tmp_path)
    assert "--palette voc" in found.conclusion.command
    assert any("voc256 explain as much as voc" in note for note in found.notes)


def test_one_step_beside_a_colour_is_rounding(tmp_path: Path) -> None:
    src = camvid(tmp_path / "src")
    pixels = mask(8, 8)
    pixels[:] = CAMVID.colours[4]
    pixels[2:4] += np.uint8(1)
    save(src / "odd.png", pixels)
    found = gpuseg.scan(src)
    assert found.lack is not None
    [unknown] = found.lack.shown
    assert (unknown.why, unknown.pixels, unknown.files, unknown.example) == (
        "rounding",
        16,
        1,
        "odd.png",
    )
    assert CAMVID.classes[4].name in unknown.words
    assert found.lack.within == 16
    assert "--unknown nearest --tolerance" in found.conclusion.command
    tolerance = found.conclusion.command.split()[-1]
    report = gpuseg.convert_directory(
        src, tmp_path / "dst", "camvid12", unknown="nearest", tolerance=float(tolerance)
    )
    assert (report.failed, report.unknown_pixels) == (0, 16)


def test_blended_borders_are_told_from_classes_of_their_own(tmp_path: Path) -> None:
    """A mean of two colours at their border is a blend; the same colour alone is not."""
    sky, road = CAMVID.colours[0].astype(int), CAMVID.colours[3].astype(int)
    between = ((sky + road) // 2).astype(np.uint8)
    for name, place in (("border", np.s_[:, 15]), ("alone", np.s_[4:9, 3:8])):
        src = camvid(tmp_path / name)
        pixels = np.empty((20, 30, 3), np.uint8)
        pixels[:, :15], pixels[:, 15:] = sky, road
        pixels[place] = between
        save(src / "odd.png", pixels)
        found = gpuseg.scan(src)
        assert found.lack is not None
        [unknown] = found.lack.shown
        assert unknown.why == ("blend" if name == "border" else "other")
        assert found.lack.looked == unknown.pixels
        assert found.lack.repaired == (unknown.pixels if name == "border" else 0)
        flags = found.conclusion.command.split(" --unknown ")[1]
        assert flags == ("border" if name == "border" else "ignore")
        options = {"unknown": flags}
        report = gpuseg.convert_directory(src, tmp_path / f"{name}-dst", "camvid12", **options)
        assert report.failed == 0


def test_the_wrong_palette(tmp_path: Path) -> None:
    src = camvid(tmp_path / "src")
    found = gpuseg.scan(src, palette=Palette.from_colours([(1, 2, 3), (4, 5, 6)], name="mine"))
    assert found.conclusion.code == "wrong-palette"
    assert "mine has 0.00 % of the pixels" in found.conclusion.words


def test_a_palette_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    src = camvid(tmp_path / "my masks")
    gpuseg.save_palette(CAMVID, tmp_path / "p q.csv")
    command = gpuseg.scan(src, palette=tmp_path / "p q.csv").conclusion.command
    assert command == f"gpuseg convert '{src}' DST --palette '{tmp_path}/p q.csv'"


def test_a_palette_is_proposed_by_frequency(tmp_path: Path) -> None:
    for seed in range(3):
        save_mask(tmp_path / f"{seed}.png", 30, 40, seed=seed)
    pixels, _ = counts_of(sorted(tmp_path.iterdir()))
    found = gpuseg.scan(tmp_path)
    assert found.conclusion.code == "propose"
    palette = found.propose()
    shown = [pixels[entry.hex] for entry in palette.classes]
    assert shown == sorted(pixels.values(), reverse=True)
    assert [entry.name for entry in palette.classes][:2] == ["class 0", "class 1"]
    assert {entry.rgb for entry in palette.classes} == {entry.rgb for entry in PALETTE.classes}


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (70, 70, 3), np.uint8)


def test_more_colours_than_examples_are_kept_of(tmp_path: Path) -> None:
    for name in range(3):
        pixels = np.concatenate([noise(name), np.zeros((80, 70, 3), np.uint8)])
        save(tmp_path / f"{name}.png", pixels)
    found = gpuseg.scan(tmp_path)
    keys, pixels, files = found.tally.colours()
    want, wanted_files = counts_of(sorted(tmp_path.iterdir()))
    assert len(keys) == len(want) > MOST_EXAMPLES
    assert (pixels.sum(), files.sum()) == (want.total(), wanted_files.total())
    assert len(found.tally.examples) <= MOST_EXAMPLES
    assert len(found.as_dict()["colours"]) == 256
    with pytest.raises(PaletteError, match="colours were found"):
        found.propose()


def test_label_maps_need_nothing(tmp_path: Path) -> None:
    found = gpuseg.scan(DATA / "davis_P")
    assert found.conclusion.code == "label-maps"
    assert "voc256" in found.conclusion.words
    values: Counter[int] = Counter()
    for path in (DATA / "davis_P").glob("*.png"):
        labels, counts = np.unique(read_indices(path), return_counts=True)
        values.update(dict(zip(labels.tolist(), counts.tolist(), strict=True)))
    assert {i: pixels for i, (pixels, _) in found.tally.indices().items()} == dict(values)
    Image.fromarray(indices(9, 9)).save(tmp_path / "grey.png")
    grey = gpuseg.scan(tmp_path)
    with pytest.raises(PaletteError, match="no file has colours"):
        grey.propose()


def test_a_sample(tmp_path: Path) -> None:
    src = camvid(tmp_path / "src", files=9)
    found = gpuseg.scan(src, sample=3)
    assert found.report.done == 3
    assert found.tally.coloured == 3
    for wrong in (0, -1, "3"):
        with pytest.raises(UsageError, match="sample"):
            gpuseg.scan(src, sample=wrong)  # type: ignore[arg-type]


def test_threads_and_processes_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes make the lines of a report only where there is one."""
    src = camvid(tmp_path / "src", files=60)
    want = gpuseg.scan(src, workers=1).as_dict()
    done: list[Done] = []
    run = child.Worker.run

    def noted(worker: child.Worker, sources: list[Source]) -> list[Done]:
        results = run(worker, sources)
        done.extend(results)
        return results

    monkeypatch.setattr(child.Worker, "run", noted)
    for limit in ("PATIENCE", "ENOUGH", "TIMES_DONE"):
        monkeypatch.setattr(processes, limit, 0)
    for report in (None, tmp_path / "r.jsonl"):
        done.clear()
        found = gpuseg.scan(src, workers=2, report=report).as_dict()
        assert done
        assert all((line is None) == (report is None) for _, line in done)
        for key in ("colours", "palettes", "kinds", "conclusion", "notes", "unknown", "files"):
            assert found[key] == want[key], key
    assert len(read_report(tmp_path / "r.jsonl").files) == 60


def test_nothing_but_damage(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    found = gpuseg.scan(tmp_path)
    assert (found.conclusion.code, found.report.exit_code) == ("nothing", 1)
    json.dumps(found.as_dict())
