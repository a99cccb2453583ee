"""`remap` over folders: exactly what NumPy makes of the indices, or a row that says why not."""

from __future__ import annotations

import pickle
from dataclasses import replace
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
from gpuseg.errors import UsageError
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.palettes.mapping import load_mapping
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.results import Report
from gpuseg.verbs.remap import _maker
from tests import pngs
from tests.helpers import REPORT, read_report, tree
from tests.making import PALETTE, indices, save_mask
from tests.real import real_pngs

NEW = Palette.from_colours([(9, 8, 7), (1, 2, 3), (4, 5, 6)], ["x", "y", "z"], name="new")
MERGE = {0: 0, 1: 0, 2: 1, 3: 1, 4: "ignore", 5: 2}
OF_MERGE = np.array([0, 0, 1, 1, 255, 2], np.uint8)


def save(path: Path, labels: np.ndarray, mode: str = "P") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette(PALETTE.plte())
    image.save(path)
    return path


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Indices and colours of a palette PNG of 8 bits, by Pillow."""
    with Image.open(path) as image:
        assert (image.mode, image.tile[0][3]) == ("P", "P"), path
        labels = np.array(image)
        return labels, np.array(image.getpalette("RGB")).reshape(256, 3)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save(tmp_path / "src" / "a.png", indices(12, 17))
    save(tmp_path / "src" / "sub" / "b.png", indices(12, 17, 1), "L")
    return tmp_path / "src"


def run(src: Path, mapping: Any = MERGE, **more: Any) -> Report:
    return gpuseg.remap(src, src.parent / "dst", mapping, **more)


def test_a_folder_with_a_palette(src: Path) -> None:
    report = run(src, palette=NEW)
    dst = src.parent / "dst"
    assert (report.files["converted"], report.exit_code, report.pixels) == (2, 0, 408)
    assert tree(dst) == ["a.png", "sub/b.png"]
    for seed, name in enumerate(tree(dst)):
        labels, colours = read(dst / name)
        assert np.array_equal(labels, OF_MERGE[indices(12, 17, seed)])
        want = np.zeros((256, 3), np.uint8)
        want[:3], want[255] = NEW.colours, (224, 224, 192)
        assert np.array_equal(colours, want)
    rows = read_report(dst / REPORT)
    assert rows.files["a.png"]["codec"] == "png"
    found = palette_of_run(dst)
    assert found is not None
    assert (found.classes, found.ignore_index) == (NEW.classes, 255)


def test_its_own_colours_move_with_the_first_index(src: Path) -> None:
    run(src, ignore_index=9)
    dst = src.parent / "dst"
    labels, colours = read(dst / "a.png")
    want = np.where(OF_MERGE == 255, 9, OF_MERGE)
    assert np.array_equal(labels, want[indices(12, 17)])
    assert np.array_equal(colours[:3], PALETTE.colours[[0, 2, 5]])
    assert tuple(colours[9]) == (224, 224, 192)
    assert not colours[3:9].any()
    _, greys = read(dst / "sub" / "b.png")  # greyscale has the colours that it had
    assert greys[:3, 0].tolist() == [0, 2, 5]


def test_resume_knows_all_that_shapes_the_labels(src: Path) -> None:
    run(src)
    assert run(src).files["unchanged"] == 2
    for more in ({"palette": NEW}, {"ignore_index": 7}, {"unmapped": "keep"}):
        assert run(src, **more).files["converted"] == 2, more
    assert run(src, {**MERGE, 5: 1}).files["converted"] == 2


def test_unmapped_indices(src: Path) -> None:
    some = {0: 3, 1: 4}
    dst = src.parent / "dst"
    rest = indices(12, 17)
    report = run(src, some)
    assert (report.files["failed"], tree(dst)) == (2, [])
    row = read_report(dst / REPORT).files["a.png"]
    assert row["error"] == "label"
    for index in range(2, 6):
        assert f"{index} ({np.count_nonzero(rest == index)} px)" in row["message"]
    assert "--unmapped ignore" in row["message"]

    run(src, some, unmapped="keep")
    assert np.array_equal(read(dst / "a.png")[0], np.array([3, 4, 2, 3, 4, 5])[rest])
    assert np.array_equal(read(dst / "a.png")[1][2:6], PALETTE.colours[[2, 0, 1, 5]])

    report = run(src, some, unmapped="ignore")
    assert report.files["converted"] == 2
    assert np.array_equal(read(dst / "a.png")[0], np.array([3, 4, *[255] * 4])[rest])
    row = read_report(dst / REPORT).files["a.png"]
    assert row["unmapped"] == {str(i): int((rest == i).sum()) for i in range(2, 6)}


def test_what_is_kept_must_be_of_the_palette(src: Path) -> None:
    report = run(src, {5: 0}, palette=NEW, unmapped="keep")
    assert report.files["failed"] == 2
    message = read_report(src.parent / "dst" / REPORT).files["a.png"]["message"]
    assert "3 (" in message
    assert "2 (" not in message


def test_a_class_that_label_maps_do_not_hold_is_not_kept(src: Path) -> None:
    merged = (Merged("plate", -1, "a", (0, 0, 142)),)
    report = run(src, {1: 0}, palette=replace(PALETTE, merged=merged), unmapped="keep")
    assert report.files["converted"] == 2, report.failures
    labels = indices(12, 17)
    want = np.where(labels == 1, 0, labels)
    assert np.array_equal(read(src.parent / "dst" / "a.png")[0], want)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    bits=st.sampled_from([1, 2, 4, 8]),
    kind=st.sampled_from([pngs.GREY, pngs.PALETTE]),
    rule=st.sampled_from(["error", "keep", "ignore"]),
)
def test_any_file_is_what_numpy_says(
    tmp_path_factory: pytest.TempPathFactory, seed: int, bits: int, kind: int, rule: Any
) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 40, 2).tolist()
    labels = rng.integers(0, 1 << bits, (height, width), np.uint8)
    whole = np.arange(256, dtype=np.uint8) if rule == "keep" else np.full(256, 200, np.uint8)
    named = rng.random(256) < 0.9 if rule != "error" else np.ones(256, bool)
    new = rng.integers(0, 256, 256).astype(np.uint8)
    whole[named] = new[named]
    folder = tmp_path_factory.mktemp("any")
    lines = pngs.filtered(pngs.pack(labels, bits), 1, [y % 5 for y in range(height)])
    extra = [pngs.chunk(b"PLTE", bytes(3))] if kind == pngs.PALETTE else []
    (folder / "a.png").write_bytes(pngs.png(width, height, bits, kind, lines, *extra))
    mapping = {int(i): int(new[i]) for i in np.flatnonzero(named)} or {0: 0}
    report = gpuseg.remap(
        folder / "a.png", folder / "dst", mapping, unmapped=rule, ignore_index=200, workers=1
    )
    assert report.exit_code == 0, report.failures
    assert np.array_equal(read(folder / "dst" / "a.png")[0], whole[labels])


def test_sixteen_bits(src: Path) -> None:
    deep = indices(12, 17).astype(np.uint16) * 300
    Image.fromarray(deep).save(src / "deep.png")
    dst = src.parent / "dst"
    run(src, {0: 0, 300: 7, 600: 8, 900: 9, 1200: "ignore", 1500: 1}, unmapped="ignore")
    want = np.array([0, 7, 8, 9, 255, 1])[indices(12, 17)]
    assert np.array_equal(read(dst / "deep.png")[0], want)  # all fit into 8 bits
    run(src, {0: 5}, unmapped="keep")
    with Image.open(dst / "deep.png") as image:  # kept indices do not
        assert np.array_equal(np.array(image), np.where(deep == 0, 5, deep))
    assert read(dst / "a.png")[0].max() == 5
    assert run(src, {0: 1000}, unmapped="keep").files["converted"] == 3
    wide = indices(12, 17).astype(np.uint16)
    wide[wide == 0] = 1000
    with Image.open(dst / "a.png") as image:
        assert np.array_equal(np.array(image), wide)


def test_resume_knows_the_palette_at_sixteen_bits(src: Path) -> None:
    deep = PaletteClass(1000, "deep", (3, 2, 1))
    whole = Palette((*PALETTE.classes, deep))
    less = Palette((*PALETTE.classes[:3], deep))
    assert run(src, {0: 1000}, palette=whole, unmapped="keep").files["converted"] == 2
    assert run(src, {0: 1000}, palette=whole, unmapped="keep").files["unchanged"] == 2
    assert run(src, {0: 1000}, palette=less, unmapped="keep").files["failed"] == 2


def test_workers_make_the_same(src: Path) -> None:
    """The maker travels to other processes, where its tables are made anew."""
    maker = _maker(load_mapping(MERGE), NEW, "error", None, 1 << 20)
    source = Source(str(src / "a.png"), "a.png")
    mark = lambda unknown: Fingerprint(bytes(16), unknown)  # noqa: E731
    data = maker.make(source, mark).data
    assert pickle.loads(pickle.dumps(maker)).make(source, mark).data == data


def test_other_files_are_rows(src: Path) -> None:
    save_mask(src / "colours.png")
    save(src / "paletted.bmp", indices(12, 17))
    (src / "broken.png").write_bytes((src / "a.png").read_bytes()[:-30])
    report = run(src)
    assert dict(report.files) == {"converted": 3, "failed": 2}
    rows = read_report(src.parent / "dst" / REPORT)
    assert rows.failed() == ["broken.png", "colours.png"]
    assert rows.files["colours.png"]["error"] == "unsupported"
    labels, _ = read(src.parent / "dst" / "paletted.png")
    assert np.array_equal(labels, OF_MERGE[indices(12, 17)])


def test_wrong_usage_writes_nothing(src: Path) -> None:
    for mapping, more, message in [
        ({0: 9}, {"palette": NEW}, "got 9"),
        (MERGE, {"ignore_index": 256}, "got 256"),
        (MERGE, {"unmapped": "never"}, "got 'never'"),
        ("pascal-context60:pascal-context59", {}, r"background \(0\)"),
        ("pascal-context60:pascal-context59", {"unmapped": "keep"}, r"background \(0\)"),
    ]:
        with pytest.raises(UsageError, match=message):
            run(src, mapping, **more)
    assert not (src.parent / "dst").exists()


def test_real_label_maps(shared: Path, tmp_path: Path) -> None:
    """Each palette or greyscale file of the sets, turned round."""
    turned = {index: 255 - index for index in range(256)}
    count = 0
    for name, paths in real_pngs(shared / "data").items():
        for path in paths[:3] if name != "pngsuite" else []:
            with Image.open(path) as image:
                if image.mode not in ("P", "L") or image.format != "PNG":
                    continue
                if image.tile[0][3] in ("L;2", "L;4"):  # Pillow stretches them
                    continue
                labels = np.array(image)
            report = gpuseg.remap(path, tmp_path / name, turned, overwrite=True, workers=1)
            assert report.exit_code == 0, report.failures
            assert np.array_equal(read(tmp_path / name / path.name)[0], 255 - labels), path
            count += 1
    assert count > 15


def test_a_rule_for_all_indices_goes_with_any_palette(tmp_path: Path) -> None:
    """What it would make of indices that do not occur is nobody's fault."""
    (tmp_path / "src").mkdir()
    gpuseg.save_label(tmp_path / "src" / "a.png", np.array([[0, 1, 150]], np.uint8), "voc256")
    done = gpuseg.remap(tmp_path / "src", tmp_path / "dst", "reduce-zero-label", palette="ade20k")
    assert done.exit_code == 0
    assert gpuseg.load_label(tmp_path / "dst" / "a.png").tolist() == [[255, 0, 149]]
    gpuseg.save_label(tmp_path / "src" / "b.png", np.array([[200]], np.uint8), "voc256")
    done = gpuseg.remap(tmp_path / "src", tmp_path / "dst", "reduce-zero-label", palette="ade20k")
    assert "200 (1 px)" in done.failures[0].message
