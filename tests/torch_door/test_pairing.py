"""Which photograph belongs to which label map, and what is said where one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpuseg.errors import UsageError

pytestmark = pytest.mark.torch
pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch.pairing import PairOptions, Pairs, find_pairs  # noqa: E402


def files(folder: Path, *names: str) -> str:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(folder)


def pair(images: str, labels: str, **options: Any) -> Pairs:
    return find_pairs(images, labels, PairOptions(**options))


def refusal(images: str, labels: str, **options: Any) -> str:
    with pytest.raises(UsageError) as error:
        pair(images, labels, **options)
    return str(error.value)


def test_by_path_without_suffix_in_one_order(tmp_path: Path) -> None:
    images = files(tmp_path / "i", "b.jpg", "a.x.jpeg", "s/b.png", "._b.jpg", "notes.txt")
    labels = files(tmp_path / "l", "s/b.png", "a.x.png", "b.png", "gpuseg-report.jsonl")
    found = pair(images, labels)
    assert list(found.images) == ["a.x.jpeg", "b.jpg", "s/b.png"]
    assert list(found.labels) == ["a.x.png", "b.png", "s/b.png"]
    assert found.unpaired == (0, 0)


def test_missing_partners_are_named_and_counted(tmp_path: Path) -> None:
    images = files(tmp_path / "i", "a.jpg", *(f"x{i}.jpg" for i in range(5)))
    labels = files(tmp_path / "l", "a.png", "lone.png")
    said = refusal(images, labels)
    assert f"5 photographs in {images} have no label map (x0.jpg, x1.jpg, x2.jpg …)" in said
    assert f"1 label map in {labels} has no photograph (lone.png)" in said
    assert "unpaired='skip'" in said
    found = pair(images, labels, unpaired="skip")
    assert (list(found.images), found.unpaired) == (["a.jpg"], (5, 1))


def test_no_pair_at_all(tmp_path: Path) -> None:
    images = files(tmp_path / "i", "a_photo.jpg")
    labels = files(tmp_path / "l", "a_mask.png")
    for unpaired in ("error", "skip"):
        said = refusal(images, labels, unpaired=unpaired)
        assert "(a_photo.jpg)" in said
        assert "(a_mask.png)" in said
    (tmp_path / "empty").mkdir()
    assert "none at all" in refusal(images, str(tmp_path / "empty"))


def test_endings_are_not_compared(tmp_path: Path) -> None:
    """Cityscapes: `leftImg8bit` and one of the four files of `gtFine`."""
    images = files(tmp_path / "i", "ulm/1_leftImg8bit.png", "ulm/2_leftImg8bit.png")
    kinds = ("color", "labelIds", "labelTrainIds", "instanceIds")
    labels = files(
        tmp_path / "l", *(f"ulm/{i}_gtFine_{kind}.png" for i in (1, 2) for kind in kinds)
    )
    files(tmp_path / "l", "ulm/1_gtFine_color.jpg")  # of no pair, and so no second of one
    found = pair(images, labels, endings=("_leftImg8bit", "_gtFine_labelTrainIds"))
    assert list(found.labels) == [f"ulm/{i}_gtFine_labelTrainIds.png" for i in (1, 2)]
    assert list(found.images) == ["ulm/1_leftImg8bit.png", "ulm/2_leftImg8bit.png"]


def test_patterns_choose_in_one_folder(tmp_path: Path) -> None:
    both = files(tmp_path / "both", "a.jpg", "a.png", "b.jpg", "b.png")
    said = refusal(both, both)
    assert "several photographs in" in said
    assert "choose by pattern or label_pattern" in said
    found = pair(both, both, pattern="*.jpg", label_pattern="*.png")
    assert (list(found.images), list(found.labels)) == (["a.jpg", "b.jpg"], ["a.png", "b.png"])


def test_places_that_are_no_folders(tmp_path: Path) -> None:
    folder = files(tmp_path / "i", "a.jpg")
    for wrong in ("none", f"{folder}/a.jpg", "s3://bucket/labels"):
        said = refusal(folder, wrong)
        assert said == f"label maps must lie in a folder of this machine, got {wrong}"
    assert refusal("none", folder).startswith("photographs must lie in")


def test_wrong_options() -> None:
    with pytest.raises(UsageError, match="unpaired must be 'error' or 'skip', got 'drop'"):
        PairOptions(unpaired="drop")  # type: ignore[arg-type]
    for wrong in ("_x", ("a",), ("a", None)):
        with pytest.raises(UsageError, match="endings must be two strings"):
            PairOptions(endings=wrong)  # type: ignore[arg-type]
