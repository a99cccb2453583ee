"""`gpuseg repair`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.blurring import blurred, label_map, save, specified
from tests.helpers import gpuseg, palette_file

MASK = blurred(label_map())


def test_what_it_says(tmp_path: Path) -> None:
    count = specified(MASK)[1]
    save(MASK, tmp_path / "src" / "a.png")
    palette = palette_file(tmp_path)
    arguments = ("repair", str(tmp_path / "src"), str(tmp_path / "dst"), "--palette", str(palette))
    done = gpuseg(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 converted")
    assert f"{count} pixels of unknown colour were replaced in 1 file" in done.out
    assert f"colour masks: {tmp_path / 'dst'}" in done.out

    spoilt = MASK.copy()
    spoilt[25, 30] = (9, 200, 77)
    save(spoilt, tmp_path / "src" / "b.png")
    done = gpuseg(*arguments, "--json")
    assert done.code == 1
    assert done.err.startswith("failed b.png: 1 of 980 pixels (0.10 %)")
    summary = json.loads(done.out)
    assert (summary["files"]["unchanged"], summary["files"]["failed"]) == (1, 1)
    assert summary["unknown_pixels"] == count

    done = gpuseg(*arguments, "--keep-unrepaired")
    assert done.code == 0
    assert "1 file with warnings" in done.out
    assert gpuseg(*arguments, "--grey", "no").code == 2
    assert gpuseg(*arguments[:3]).code == 2
