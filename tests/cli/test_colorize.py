"""`gpuseg colorize`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import Finished, gpuseg, palette_file
from tests.making import PALETTE, indices
from tests.verbs.test_colorize import photos, read
from tests.verbs.test_remap import save


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save(tmp_path / "src" / "a.png", indices(12, 17))
    palette_file(tmp_path)
    return tmp_path / "src"


def run(src: Path, *more: str) -> Finished:
    return gpuseg("colorize", str(src), str(src.parent / "dst"), *more)


def test_what_is_told(src: Path) -> None:
    done = run(src)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 converted")
    assert f"colours: {src.parent / 'dst'}" in done.out
    assert np.array_equal(read(src.parent / "dst" / "a.png"), PALETTE.colours[indices(12, 17)])


def test_json_over_photographs(src: Path) -> None:
    pixels = photos(src)
    save(src / "grey.png", indices(12, 17), "L")
    palette = str(src.parent / "palette.csv")
    done = run(src, "--over", str(src.parent / "photos"), "--alpha", "0", "--json")
    told = json.loads(done.out)
    assert done.code == told["exit_code"] == 1
    assert told["files"]["failed"] == 1
    assert done.err.startswith("failed grey.png: is greyscale and has no colours")
    assert np.array_equal(read(src.parent / "dst" / "a.png"), pixels)
    Image.fromarray(pixels).save(src.parent / "photos" / "grey.png")
    assert run(src, "--over", str(src.parent / "photos"), "--palette", palette).code == 0


def test_wrong_usage_is_2(src: Path) -> None:
    assert run(src, "--alpha", "0.5").code == 2
    assert run(src, "--over", str(src), "--alpha", "2").code == 2
    assert run(src, "--over", str(src / "none")).code == 2
    assert run(src, "--palette", "nothing-like-it").code == 2
    assert not (src.parent / "dst").exists()
