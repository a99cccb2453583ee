"""`gpuseg recolor`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import gpuseg, palette_file
from tests.making import indices, read_indices
from tests.verbs.test_recolor import save_labels


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save_labels(tmp_path / "src" / "a.png")
    palette_file(tmp_path)
    return tmp_path / "src"


def run(src: Path, *more: str) -> tuple[int, str, str]:
    dst, palette = src.parent / "dst", src.parent / "palette.csv"
    done = gpuseg("recolor", str(src), str(dst), "--palette", str(palette), *more)
    return done.code, done.out, done.err


def test_what_is_told(src: Path) -> None:
    dst = src.parent / "dst"
    code, out, err = run(src)
    assert (code, err) == (0, "")
    assert out.startswith("1 converted")
    assert f"label maps: {dst}" in out
    assert run(src)[1].startswith("1 unchanged")
    assert np.array_equal(read_indices(dst / "a.png"), indices(12, 17))


def test_json(src: Path) -> None:
    (src / "bad.png").write_bytes(b"text")
    code, out, err = run(src, "--json", "--ignore-index", "9")
    assert code == 1
    told = json.loads(out)
    assert told["files"] == {"converted": 1, "unchanged": 0, "planned": 0, "failed": 1}
    assert told["exit_code"] == 1
    assert err.startswith("failed bad.png: is no PNG")


def test_a_dry_run_writes_nothing(src: Path) -> None:
    code, out, _ = run(src, "--dry-run")
    assert (code, out.startswith("1 planned")) == (0, True)
    assert not (src.parent / "dst").exists()


def test_wrong_usage_is_2(src: Path) -> None:
    assert run(src, "--ignore-index", "300")[0] == 2
    assert gpuseg("recolor", str(src), str(src.parent / "dst")).code == 2
