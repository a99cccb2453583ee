"""`gpuseg remap`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import Finished, gpuseg
from tests.making import indices, read_indices
from tests.verbs.test_remap import OF_MERGE, save


@pytest.fixture
def src(tmp_path: Path) -> Path:
    save(tmp_path / "src" / "a.png", indices(12, 17))
    rows = "from,to\n0,0\n1,0\n2,1\n3,1\n4,ignore\n5,2\n"
    (tmp_path / "map.csv").write_text(rows, encoding="utf-8")
    return tmp_path / "src"


def run(src: Path, spec: str | None = None, *more: str) -> Finished:
    spec = spec or str(src.parent / "map.csv")
    return gpuseg("remap", str(src), str(src.parent / "dst"), "--map", spec, *more)


def test_what_is_told(src: Path) -> None:
    done = run(src)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 converted")
    assert "ignored" not in done.out
    found = read_indices(src.parent / "dst" / "a.png")
    assert np.array_equal(found, OF_MERGE[indices(12, 17)])


def test_classes_without_an_equal_are_told(src: Path) -> None:
    spec = "pascal-context60:pascal-context59"
    done = run(src, spec)
    assert done.code == 2
    assert "background (0)" in done.err
    done = run(src, spec, "--unmapped", "ignore")
    assert done.code == 0
    assert "ignored, for no class has their name: background (0)" in done.out


def test_json(src: Path) -> None:
    done = run(src, None, "--json", "--unmapped", "keep")
    told = json.loads(done.out)
    assert told["files"]["converted"] == 1
    assert told["mapping"] == {"0": 0, "1": 0, "2": 1, "3": 1, "4": "ignore", "5": 2}
    assert told["unmatched"] == {}


def test_wrong_usage_is_2(src: Path) -> None:
    assert run(src, "none.json").code == 2
    assert run(src, "voc:nothing-like-it").code == 2
    assert run(src, None, "--unmapped", "never").code == 2
    assert not (src.parent / "dst").exists()
