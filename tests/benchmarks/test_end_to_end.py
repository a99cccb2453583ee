"""The benchmarks over whole folders, on tiny inputs: contenders, bars, floor, real sets."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks import bars, common, disks, end_to_end, floor, real_sets, samples, scaling
from benchmarks.conversions import convert
from benchmarks.measured import AUTO, FILES, MEMORY, PILLOW, VERIFY, is_met
from tests import impatient
from tests.benchmarks.running import results

CODECS = "Direct path against the Pillow codec, one worker"
FLOOR = "Direct path against its floor, one worker"
PARTS = "Floor and direct path, part by part (ms a file, medians)"
PYTHON = "Python's own cost a file: wall clock without the stages, one worker"
BYTES = "Bytes of the label maps against Pillow's default save"
COST = "Cost of --verify, one worker"
SUMMARY = [CODECS, FLOOR, PARTS, PYTHON, BYTES, COST]


def test_all_contenders_and_bars(tmp_path):
    found = results(end_to_end.SCRIPT, tmp_path, "--workers", "1", "2")
    assert len(found) == 4 + len(SUMMARY)
    assert list(found)[4:] == SUMMARY
    times = found["End to end: blobs-2mpx"]
    assert [row["contender"] for row in times].count(VERIFY) == 1
    assert len(times) == 13
    assert {row["contender"] for row in times} >= {"usual script", "table script", AUTO, PILLOW}
    assert all(row["same labels"] for row in times if row["contender"] != MEMORY)
    judged = [row for row in found["Bars: blobs-2mpx"] if row["bar"]]
    assert [row["bar"] for row in judged] == ["≤ 1.10", "≤ 1.10", "≥ 1.8"]
    assert all(row["ratio"].startswith(PILLOW) for row in judged)
    assert any(row["ratio"].startswith(FILES) for row in found["Bars: blobs-2mpx"])


def test_summary_tables(tmp_path):
    found = results(end_to_end.SCRIPT, tmp_path, "--workers", "1", "--no-scripts")
    assert list(found)[2:] == SUMMARY  # no bars of the codec alone
    assert [row["bar"] for row in found[CODECS]] == ["≥ 3", "≥ 3", "≥ 6"]
    assert [row["bar"] for row in found[FLOOR]] == ["≤ 1.6"] * 2
    lower, ours = found[PARTS][:2]
    assert lower["all"] == pytest.approx(sum(lower[part] for part in list(lower)[1:6]))
    assert ours["rest"] > 0
    assert [row["bar"] for row in found[PYTHON]] == ["≤ 0.2"] * 2
    assert [row["bar"] for row in found[BYTES]] == [None, None]  # only drawn masks
    assert len(found[COST]) == 2


def test_sets_of_ones_own(tmp_path):
    drawn = samples.draw_set(tmp_path / "mine" / "deep", 2, (9, 7), 5, copies=2)
    assert len(drawn.paths()) == 4
    flags = ["--set", f"mine={tmp_path / 'mine'}:voc", "--no-default-sets", "--workers", "1"]
    found = results(end_to_end.SCRIPT, tmp_path, *flags, "--codecs", "pillow")
    assert set(found) == {"End to end: mine", "Bars: mine"}


WRONG = ["name", "=folder:voc", "name=folder", "name=no-folder:voc"]


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_set_is_refused(text):
    with pytest.raises(SystemExit, match="--set"):
        samples.parse_set(text)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A folder of real masks: a set of PNGs under the name .jpg, one of BMP, one unknown."""
    folder = tmp_path / "real"
    (folder / "urban_cvat_rle").mkdir(parents=True)
    (folder / "suim_bmp").mkdir()
    (folder / "others").mkdir()
    mask = samples.paint(samples.blobs(20, 30, 5, seed=1), samples.voc_palette(5))
    for name in ("a", "b"):
        Image.fromarray(mask).save(folder / "urban_cvat_rle" / f"{name}_mask.jpg", "PNG")
    Image.fromarray(mask).save(folder / "suim_bmp" / "a.bmp")
    rows = [f"c{i},{r},{g},{b}" for i, (r, g, b) in enumerate(samples.voc_palette(5).colours)]
    (folder / "suim_bmp" / "codes.csv").write_text("\n".join(["name,r,g,b", *rows]) + "\n")
    return folder


def test_real_sets(tmp_path, real):
    flags = ["--no-default-sets", "--shared", str(real), "--workers", "1"]
    found = results(end_to_end.SCRIPT, tmp_path, *flags)
    names = ["urban_cvat_rle", "suim_bmp"]
    assert list(found) == [
        *(f"End to end: {name}" for name in names),
        *SUMMARY,
        "Sets that are left out",
    ]
    for name in names:
        rows = found[f"End to end: {name}"]
        assert {row["contender"] for row in rows} == {AUTO, PILLOW, VERIFY}
        assert all(row["same labels"] for row in rows)
    by_set = {row["set"]: row for row in found[CODECS]}
    assert by_set["suim_bmp"]["bar"] is None
    assert by_set["suim_bmp"]["aside"] == real_sets.BMP
    assert {"geometric mean of the colour masks (1)", "geometric mean of all sets (2)"} <= set(
        by_set
    )
    assert [row["set"] for row in found[FLOOR]] == names[:1]  # a BMP has none
    assert [row["bar"] for row in found[BYTES]] == ["≤ 1.05", None]
    assert [row["folder"] for row in found["Sets that are left out"]] == ["others"]


def test_scripts_on_real_sets(tmp_path, real):
    flags = ["--no-default-sets", "--shared", str(real), "--scripts-on-shared", "--workers", "1"]
    found = results(end_to_end.SCRIPT, tmp_path, *flags)
    rows = found["End to end: urban_cvat_rle"]
    assert len(rows) == 6
    assert all(row["same labels"] for row in rows if row["contender"] != MEMORY)
    with pytest.raises(SystemExit, match="no folder"):
        results(end_to_end.SCRIPT, tmp_path, "--shared", str(tmp_path / "none"))


def test_every_real_set_converts(tmp_path, shared):
    """The descriptions fit the files: each set is found, and its palette holds its colours."""
    sets = list(real_sets.real_sets(shared / "data", tmp_path, tiny=True))
    assert {masks.name for masks in sets} == {described.name for described in real_sets.SETS}
    rows = real_sets.left_out(shared / "data").rows
    assert {row["folder"] for row in rows} == set(real_sets.LEFT_OUT)


@pytest.mark.slow
def test_scaling(tmp_path):
    found = results(scaling.SCRIPT, tmp_path, "--repeats", "1")
    assert len(found) == 4
    for name in ("small-480x360", "blobs-2mpx"):
        rows = found[f"Long runs: {name}"]
        assert [row["contender"] for row in rows] == [
            scaling.OURS,
            scaling.OURS,
            scaling.THREADS,
            scaling.APART,
        ]
        assert all(row["same labels"] for row in rows)
        judged = [row["bar"] for row in found[f"Bars of long runs: {name}"]]
        assert judged == [scaling.BAR, None, None]


@pytest.mark.slow
def test_scaling_says_how_long_processes_take_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scaling.processes, "PATIENCE", 0.0)
    monkeypatch.setattr(scaling.processes.ProcessFlow, "_is_decided", impatient.decided)
    flags = ["--no-apart", "--repeats", "1", "--no-default-sets"]
    samples.draw_set(tmp_path / "mine", 3, (9, 7), 5)
    results(scaling.SCRIPT, tmp_path, *flags, "--set", f"mine={tmp_path / 'mine'}:voc")
    assert "4 worker processes were started" in capsys.readouterr().out


def test_the_floor_does_the_whole_work(tmp_path, monkeypatch):
    masks = samples.draw_set(tmp_path / "masks", 2, (400, 500), 5)
    convert(masks, tmp_path / "labels")
    files = floor.floor_files(masks, tmp_path / "labels")
    assert [file.inflated for file in files] == [400 * (1 + 3 * 500)] * 2  # more than a block
    assert [len(file.label_rows) for file in files] == [400 * (1 + 500)] * 2
    parts = floor.floor_parts(files, tmp_path)
    assert list(parts) == list(floor.PARTS)
    monkeypatch.setattr(common.shutil, "rmtree", lambda folder: None)
    assert all(run() > 0 for run in parts.values())
    [written] = (path for path in tmp_path.iterdir() if path.name.startswith("tmp"))
    assert sorted(path.read_bytes() for path in written.iterdir()) == sorted(
        file.label_png for file in files
    )


def test_large_images_have_a_bar_of_their_own():
    assert bars.BAR_LARGE == "≥ 8"
    assert is_met(8.0, bars.BAR_LARGE)
    assert not is_met(7.99, bars.BAR_LARGE)
    assert is_met(1.05, bars.BAR_BYTES)
    assert is_met(0.0, None) is None


def test_file_systems_are_named(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    lines = ["/dev/a / ext4 rw 0 0", f"none {tmp_path}/my\\040disk tmpfs rw 0 0"]
    mounts.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(disks, "MOUNTS", mounts)
    assert disks.file_system(tmp_path / "my disk" / "deep") == "tmpfs"
    assert disks.file_system(tmp_path / "mydisk") == "ext4"
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "none")
    assert disks.file_system(tmp_path) == "unknown"
