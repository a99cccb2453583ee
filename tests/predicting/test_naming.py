"""Names of predictions: safe ones only, each target once."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from gpuseg.errors import UsageError
from gpuseg.predicting.naming import TargetNames, names_of


def test_one_name_and_several() -> None:
    assert names_of("a/b.jpg") == (["a/b.jpg"], True)
    assert names_of(Path("a") / "b.jpg") == (["a/b.jpg"], True)
    assert names_of(PureWindowsPath("a\\b.jpg")) == (["a/b.jpg"], True)
    assert names_of(("a", PurePosixPath("b"))) == (["a", "b"], False)
    assert names_of(name for name in "ab") == (["a", "b"], False)
    assert names_of([]) == ([], False)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a//b",
        "./a",
        "C:/a",
        "a\\b",
        "a\0b",
        "a\nb",
        "x" * 300,
    ],
)
def test_hostile_names_are_refused(name: str) -> None:
    for names in (name, ["good", name]):
        with pytest.raises(UsageError, match="cannot be a file below DST"):
            names_of(names)


@pytest.mark.parametrize("name", [b"a", 3, None, ["a"]])
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(UsageError, match=r"relative path such as 'a/b.png', got"):
        names_of([name])  # type: ignore[list-item]
    if name == b"a":
        with pytest.raises(UsageError, match="got b'a'"):
            names_of(name)  # type: ignore[arg-type]


def test_targets_keep_folder_and_stem() -> None:
    targets = TargetNames(folds_case=False)
    assert targets.take(["a/b.jpg", "c.d.tif", "e"]) == ["a/b.png", "c.d.png", "e.png"]


def test_each_target_comes_once_and_a_batch_as_a_whole() -> None:
    targets = TargetNames(folds_case=False)
    with pytest.raises(UsageError, match=r"would become x\.png, the second of them 'x\.tif'"):
        targets.take(["y.jpg", "x.jpg", "x.tif"])
    assert targets.take(["x.jpg", "y.jpg"]) == ["x.png", "y.png"]  # nothing of it was taken
    with pytest.raises(UsageError, match=r"would become y\.png"):
        targets.take(["z", "y"])
    assert targets.take(["z", "Y"]) == ["z.png", "Y.png"]


def test_where_case_does_not_count() -> None:
    targets = TargetNames(folds_case=True)
    with pytest.raises(UsageError, match=r"A\.png"):
        targets.take(["a.png", "A.png"])
