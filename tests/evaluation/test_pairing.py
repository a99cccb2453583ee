"""Which files are a pair, and which are alone."""

from __future__ import annotations

import errno
import os
import tracemalloc
from pathlib import Path

import pytest

from gpuseg.discover import Source
from gpuseg.errors import CollisionError, UnreadableMaskError
from gpuseg.evaluation.pairing import NoPredictionError, NoTruthError, OnePair, Pairs

KINDS = {
    NoPredictionError: "missing",
    NoTruthError: "extra",
    CollisionError: "several",
    UnreadableMaskError: "unreadable",
}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def walk(
    root: Path,
    pattern: str | None = None,
    endings: tuple[str, str] = ("", ""),
    pred: str = "pred",
    truth: str = "truth",
) -> Pairs:
    """The pairs below a folder. endings: of predictions, of truths."""
    skip = os.path.realpath(root / pred)
    return Pairs(
        str(root / truth),
        pattern,
        skip,
        ending=endings[1],
        predictions=str(root / pred),
        prediction_ending=endings[0],
    )


def kind(source: Source) -> str:
    return "pair" if source.error is None else KINDS[type(source.error)]


def found(pairs: Pairs) -> dict[str, tuple[str, str]]:
    """Kind and prediction of each source; each source comes once, truths first."""
    sources = list(pairs)
    names = [source.relative for source in sources]
    assert len(set(names)) == len(names), "a file has several rows"
    first = next((n for n, s in enumerate(sources) if kind(s) == "extra"), len(sources))
    assert not any(kind(s) in ("pair", "missing", "several") for s in sources[first:])
    return {s.relative: (kind(s), s.target) for s in sources}


def kinds(pairs: Pairs) -> dict[str, str]:
    return {name: each for name, (each, _) in found(pairs).items()}


def test_the_same_path_but_for_the_suffix(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "b.bmp", "c/d.png", "c/e.tar.png", "F.PNG", "g.png", "h.x")
    touch(tmp_path / "pred", "a.png", "b.png", "c/d.TIF", "c/e.tar.png", "F.png", "c/g.png", "h.x")
    assert found(walk(tmp_path)) == {
        "a.png": ("pair", "a.png"),
        "b.bmp": ("pair", "b.png"),
        "c/d.png": ("pair", "c/d.TIF"),
        "c/e.tar.png": ("pair", "c/e.tar.png"),
        "F.PNG": ("pair", "F.png"),
        "g.png": ("missing", "g.png"),
        "c/g.png": ("extra", "c/g.png"),
    }


def test_case_of_a_name_matters(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png")
    touch(tmp_path / "pred", "A.png")
    assert kinds(walk(tmp_path)) == {"a.png": "missing", "A.png": "extra"}


def test_endings(tmp_path: Path) -> None:
    """What comes before them pairs; files that do not end so are left alone, or are no pair."""
    touch(tmp_path / "truth", *(f"aachen/a_{i}_gtFine_labelIds.png" for i in range(2)))
    touch(tmp_path / "truth", "aachen/a_0_gtFine_color.png", "aachen/a_0_gtFine_polygons.json")
    touch(tmp_path / "pred", "aachen/a_0_leftImg8bit.png", "aachen/a_9_leftImg8bit.png", "x.png")
    pairs = walk(tmp_path, endings=("_leftImg8bit", "_gtFine_labelIds"))
    assert found(pairs) == {
        "aachen/a_0_gtFine_labelIds.png": ("pair", "aachen/a_0_leftImg8bit.png"),
        "aachen/a_1_gtFine_labelIds.png": ("missing", "aachen/a_1_leftImg8bit.png"),
        "aachen/a_9_leftImg8bit.png": ("extra", "aachen/a_9_leftImg8bit.png"),
    }
    assert pairs.left_alone == {".png": 1, ".json": 1}


def test_an_ending_that_is_the_whole_name(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a/_gt.png", "b_gt.png")
    touch(tmp_path / "pred", "a/_p.png", "b_p.png")
    assert found(walk(tmp_path, endings=("_p", "_gt"))) == {
        "a/_gt.png": ("pair", "a/_p.png"),
        "b_gt.png": ("pair", "b_p.png"),
    }


def test_several_of_one_key(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "a.bmp", "b.png", "c.png", "c.PNG", "d.png")
    touch(tmp_path / "pred", "a.png", "b.png", "b.tif", "c.png", "d.png", "d.txt")
    pairs = walk(tmp_path)
    assert kinds(pairs) == {
        **dict.fromkeys(("a.png", "a.bmp", "b.png", "c.png", "c.PNG"), "several"),
        "d.png": "pair",
    }
    told = {source.relative: str(source.error) for source in pairs}
    assert "several truths are named a, but for their suffixes" in told["a.bmp"]
    assert "several predictions are named b, but for their suffixes" in told["b.png"]


def test_a_pattern_chooses_among_truths_of_one_key(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "a.bmp", "b.png", "b.mask", "c.mask")
    touch(tmp_path / "pred", "a.png", "b.png", "c.png", "d.png")
    assert kinds(walk(tmp_path, "*.png")) == {
        "a.png": "pair", "b.png": "pair", "c.png": "extra", "d.png": "extra"
    }  # fmt: skip
    assert kinds(walk(tmp_path, "*.mask")) == {
        "b.mask": "pair", "c.mask": "pair", "d.png": "extra"
    }  # fmt: skip


def test_a_truth_that_the_pattern_leaves_out_is_a_truth(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a_L.png", "b.png")
    touch(tmp_path / "pred", "a_L.png", "b.png", "c.png")
    assert kinds(walk(tmp_path, "*_L.png")) == {"a_L.png": "pair", "c.png": "extra"}


def test_files_of_a_thousand_suffixes(tmp_path: Path) -> None:
    touch(tmp_path / "truth", *(f"{i}.{i:03}" for i in range(300)))
    touch(tmp_path / "pred", *(f"{i}.png" for i in range(300)))
    assert set(kinds(walk(tmp_path, "*")).values()) == {"pair"}


def test_hidden_and_other_files(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "._a.png", ".cache/b.png", "notes.txt")
    touch(tmp_path / "pred", "a.png", "._a.png", ".x.png", ".cache/b.png", "gpuseg-report.jsonl")
    pairs = walk(tmp_path)
    assert kinds(pairs) == {"a.png": "pair"}
    assert pairs.left_alone == {"hidden": 1, "hidden folder": 1, ".txt": 1}


def test_one_inside_the_other(tmp_path: Path) -> None:
    touch(tmp_path / "x", "a.png", "sub/b.png")
    touch(tmp_path / "x" / "y", "a.png", "sub/c.png")
    want = {"a.png": "pair", "sub/b.png": "missing", "sub/c.png": "extra"}
    assert kinds(walk(tmp_path, truth="x", pred="x/y")) == want
    want = {"a.png": "pair", "sub/b.png": "extra", "sub/c.png": "missing"}
    assert kinds(walk(tmp_path, truth="x/y", pred="x")) == want


def test_folders_that_are_on_one_side_only(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a/b.png", "c")
    touch(tmp_path / "pred", "c/d.png", "a")
    assert kinds(walk(tmp_path)) == {"a/b.png": "missing", "c/d.png": "extra"}


def test_folders_that_are_named_like_images(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "b.png/c.png")
    touch(tmp_path / "pred", "a.png/x.png", "b.png/c.png")
    assert kinds(walk(tmp_path)) == {
        "a.png": "missing", "b.png/c.png": "pair", "a.png/x.png": "extra"
    }  # fmt: skip


def test_links(tmp_path: Path) -> None:
    touch(tmp_path / "truth", "a.png", "sub/b.png")
    touch(tmp_path / "else", "a.png", "b.png")
    (tmp_path / "pred").mkdir()
    (tmp_path / "pred" / "a.png").symlink_to(tmp_path / "else" / "a.png")
    (tmp_path / "pred" / "sub").symlink_to(tmp_path / "else", target_is_directory=True)
    assert kinds(walk(tmp_path)) == {"a.png": "pair", "sub/b.png": "pair", "sub/a.png": "extra"}


def test_links_that_lead_round(tmp_path: Path) -> None:
    """On one side or both: a row, not two."""
    for side in ("truth", "pred"):
        touch(tmp_path / side, "a.png")
        (tmp_path / side / "round").symlink_to(tmp_path / side, target_is_directory=True)
    (tmp_path / "pred" / "own").symlink_to(tmp_path / "pred", target_is_directory=True)
    pairs = walk(tmp_path)
    assert kinds(pairs) == {"a.png": "pair", "round": "unreadable", "own": "unreadable"}
    told = {source.relative: str(source.error) for source in pairs}
    assert told["round"].startswith("the link leads back")
    assert told["own"].startswith("in PRED, the link leads back")


def closed(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Have these folders, and what is below, be such that nobody may look into them."""
    scandir = os.scandir

    def refused(path: str) -> object:
        if any(str(path).startswith(str(folder)) for folder in folders):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refused)


def test_truths_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be in there is not said to be missing: predictions of it are no extra ones."""
    touch(tmp_path / "truth", "a.png", "sub/b.png", "sub/c/d.png")
    touch(tmp_path / "pred", "a.png", "sub/b.png", "sub/c/d.png", "e.png")
    closed(monkeypatch, tmp_path / "truth" / "sub")
    pairs = walk(tmp_path)
    assert kinds(pairs) == {"a.png": "pair", "sub": "unreadable", "e.png": "extra"}
    assert str([*pairs][1].error) == "the folder cannot be read: Permission denied"


def test_predictions_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say that they are missing; each truth is told why it has no score."""
    touch(tmp_path / "truth", "a.png", "sub/b.png", "sub/c.png")
    touch(tmp_path / "pred", "a.png", "sub/b.png", "only/d.png")
    closed(monkeypatch, tmp_path / "pred" / "sub", tmp_path / "pred" / "only")
    pairs = walk(tmp_path)
    told = {source.relative: str(source.error) for source in pairs}
    assert {name: each for name, each in kinds(pairs).items() if each != "pair"} == dict.fromkeys(
        ("sub/b.png", "sub/c.png", "sub", "only"), "unreadable"
    )
    assert (
        f"the folder {tmp_path / 'pred' / 'sub'} cannot be read: Permission denied"
        in (told["sub/c.png"])
    )
    assert told["only"] == "in PRED, the folder cannot be read: Permission denied"


def test_both_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for side in ("truth", "pred"):
        touch(tmp_path / side, "a.png", "sub/b.png")
    closed(monkeypatch, tmp_path / "pred" / "sub", tmp_path / "truth" / "sub")
    assert kinds(walk(tmp_path)) == {"a.png": "pair", "sub": "unreadable"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_truth_that_is_a_pipe(tmp_path: Path) -> None:
    touch(tmp_path / "pred", "a.png")
    (tmp_path / "truth").mkdir()
    os.mkfifo(tmp_path / "truth" / "a.png")
    assert found(walk(tmp_path)) == {"a.png": ("unreadable", "a.png")}


@pytest.mark.skipif(os.name != "posix", reason="names of bytes are POSIX's")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    one, other = os.fsdecode(b"\xff.png"), os.fsdecode(b"\xfe.png")
    touch(tmp_path / "truth", one)
    touch(tmp_path / "pred", one, other)
    assert kinds(walk(tmp_path)) == {one: "pair", other: "extra"}


def test_one_file_of_each(tmp_path: Path) -> None:
    touch(tmp_path, "a_gt.bmp", "else/b.png")
    [source] = OnePair([str(tmp_path / "a_gt.bmp")], prediction=str(tmp_path / "else" / "b.png"))
    assert (source.relative, source.target, source.error) == ("a_gt.bmp", "b.png", None)


def test_memory_does_not_hold_the_names_of_a_folder(tmp_path: Path) -> None:
    names = [f"a-rather-long-name-of-a-label-map-{i:08d}.png" for i in range(1000)]
    touch(tmp_path / "truth", *names[:-1])
    touch(tmp_path / "pred", *names[1:])
    pairs = walk(tmp_path)
    tracemalloc.start()
    alone = [source.relative for source in pairs if source.error is not None]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert alone == [names[0], names[-1]]
    assert peak < 80_000  # the names alone would be 2 x 1000 x 100 bytes
